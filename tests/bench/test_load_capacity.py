"""A step holds only if every promise was kept in it."""

import pytest

from bench.load_capacity import broken_word
from bench.load_figures import Faults, Window

GOOD = [0.001] * 100


def window(
    to_model_s: list[float] = GOOD,
    to_phone_s: list[float] = GOOD,
    underruns: int = 0,
    faults: Faults = Faults(),  # noqa: B008
) -> Window:
    return Window(50, 5.0, 1.0, 0, to_model_s, to_phone_s, underruns, 0.0, 0, faults, 0.2, 1)


def test_a_window_within_all_limits_holds() -> None:
    assert broken_word(window(), Faults()) == ""


def test_one_slow_sample_in_a_hundred_is_allowed() -> None:
    assert broken_word(window(to_model_s=[*GOOD[1:], 0.3]), Faults()) == ""


@pytest.mark.parametrize(
    ("spoiled", "why"),
    [
        (window(to_model_s=[*GOOD[2:], 0.021, 0.021]), "p99 to the model 21 ms"),
        (window(to_phone_s=[*GOOD[2:], 0.05, 0.05]), "p99 to the phone 50 ms"),
        (window(underruns=2), "2 underruns"),
        (window(faults=Faults(lost_bytes=160)), "lost"),
    ],
)
def test_each_broken_promise_is_named(spoiled: Window, why: str) -> None:
    assert why in broken_word(spoiled, Faults())


def test_faults_of_an_earlier_step_do_not_spoil_this_one() -> None:
    old = Faults(lost_bytes=160)
    assert broken_word(window(faults=old), old) == ""
