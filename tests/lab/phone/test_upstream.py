"""Upstream faults show as missing media, not as late media, and in the share that was asked."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lab.phone.impairments import Bursts, Impairments, Window
from app.lab.phone.upstream import Upstream

SPEECH = b"\x10" * 160
SILENCE = b"\xff" * 160


def test_a_gap_withholds_its_frames_only() -> None:
    upstream = Upstream(Impairments(gaps=(Window(40, 60),)), "")
    passed = [at_ms for at_ms in range(0, 200, 20) if upstream.passes(at_ms, SPEECH)]
    assert passed == [0, 20, 100, 120, 140, 160, 180]


def test_silence_is_suppressed_after_a_while_and_speech_comes_back_at_once() -> None:
    upstream = Upstream(Impairments(suppress_silence_after_ms=40), "")
    frames = [SPEECH, SILENCE, SILENCE, SILENCE, SILENCE, SPEECH, SILENCE]
    passed = [upstream.passes(at * 20, frame) for at, frame in enumerate(frames)]
    assert passed == [True, True, True, False, False, True, True]


def test_loss_takes_its_share_and_the_same_frames_for_the_same_seed() -> None:
    def survivors() -> list[int]:
        upstream = Upstream(Impairments(loss=0.2, seed=3), "")
        return [at for at in range(2000) if upstream.passes(at * 20, SPEECH)]

    assert 1500 < len(survivors()) < 1700
    assert survivors() == survivors()


def fates(impairments: Impairments, frames: int, salt: str = "") -> list[bool]:
    upstream = Upstream(impairments, salt)
    return [upstream.passes(at * 20, SPEECH) for at in range(frames)]


def lengths_of_loss(passed: list[bool]) -> list[int]:
    marks = "".join("x" if one else "." for one in passed)
    return [len(run) for run in marks.split("x") if run]


@settings(max_examples=15, deadline=None)
@given(
    share=st.floats(0.02, 0.3),
    mean_ms=st.sampled_from([40, 100, 200]),
    seed=st.integers(0, 10_000),
)
def test_bursts_take_their_share_in_runs_of_their_mean_length(
    share: float, mean_ms: int, seed: int
) -> None:
    passed = fates(Impairments(bursts=Bursts(share, mean_ms), seed=seed), 60_000)
    runs = lengths_of_loss(passed)
    # Five standard errors of the count of bursts, and of their mean length.
    bound = 5 / len(runs) ** 0.5
    assert len(runs) > 50
    assert 20 * sum(runs) / len(runs) == pytest.approx(mean_ms, rel=bound)
    assert passed.count(False) / len(passed) == pytest.approx(share, rel=2 * bound)


def test_bursts_are_the_same_for_the_same_seed_and_others_for_another_stream() -> None:
    impairments = Impairments(bursts=Bursts(0.1), seed=3)
    assert fates(impairments, 500) == fates(impairments, 500)
    assert fates(impairments, 500) != fates(impairments, 500, "1")


def test_single_losses_and_bursts_come_on_top_of_each_other() -> None:
    alone = fates(Impairments(loss=0.1, seed=3), 500)
    bursts = fates(Impairments(bursts=Bursts(0.1), seed=3), 500)
    both = fates(Impairments(loss=0.1, bursts=Bursts(0.1), seed=3), 500)
    assert both == [one and other for one, other in zip(alone, bursts, strict=True)]


def test_no_share_loses_nothing() -> None:
    assert all(fates(Impairments(bursts=Bursts(0.0)), 1_000))
