"""Invariant: a behaviour that cannot be played is refused when it is written down."""

from typing import Any

import pytest

from app.lab.realtime.behaviour import Behaviour


@pytest.mark.parametrize(
    "wrong",
    [
        {"speed": 0},
        {"delta_min_ms": 0},
        {"delta_min_ms": 300, "delta_max_ms": 200},
        {"nonsense_every": 0},
        {"refuse_status": 200},
        {"speech_started_delay_ms": -1},
        {"transcription_jitter_ms": -1},
        {"semantic_doubt": 1.5},
    ],
)
def test_impossible_settings_are_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Behaviour(**wrong)


def test_faults_hit_every_response_unless_some_are_named() -> None:
    assert all(Behaviour().faulty(number) for number in (1, 2, 3))
    named = Behaviour(faulty_responses=frozenset({2}))
    assert [named.faulty(number) for number in (1, 2, 3)] == [False, True, False]


def test_faults_can_be_kept_to_one_kind_of_response() -> None:
    beside = Behaviour(faulty_kind="out_of_band")
    assert (beside.faulty(1), beside.faulty(1, out_of_band=True)) == (False, True)
    own = Behaviour(faulty_kind="conversation", faulty_responses=frozenset({2}))
    assert [own.faulty(2), own.faulty(2, out_of_band=True), own.faulty(1)] == [True, False, False]


def test_each_session_has_dice_of_its_own() -> None:
    rolls = [Behaviour(seed=1).dice(n).random() for n in (0, 0, 1)]
    assert rolls[0] == rolls[1] != rolls[2]
