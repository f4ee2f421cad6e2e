"""Invariant: a voice begins only after enough probable windows in a row and stops only after enough
silence, and the positions that are told are those of the windows that were voice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.speech.vad.hearing import Hearing, HearingSettings

WINDOW_MS = 32


def told(hearing: Hearing, probabilities: list[float]) -> list[tuple[str, int]]:
    """Every change with the end of the window that brought it."""
    ends_ms = [WINDOW_MS * number for number in range(1, len(probabilities) + 1)]
    changes = [
        (hearing.hear(probability, end_ms), end_ms)
        for probability, end_ms in zip(probabilities, ends_ms, strict=True)
    ]
    return [(change, end_ms) for change, end_ms in changes if change is not None]


def test_a_single_probable_window_is_no_voice() -> None:
    assert told(Hearing(HearingSettings(), WINDOW_MS), [0.9, 0.1, 0.9, 0.1, 0.9]) == []


def test_the_second_in_a_row_begins_it_at_the_start_of_the_first() -> None:
    hearing = Hearing(HearingSettings(), WINDOW_MS)
    assert told(hearing, [0.1, 0.5, 0.5]) == [("began", 96)]
    assert (hearing.in_voice, hearing.began_ms, hearing.voiced_ms) == (True, 32, 64)


def test_it_stops_when_the_hangover_is_over_and_ended_with_its_last_voiced_window() -> None:
    hearing = Hearing(HearingSettings(hangover_ms=96), WINDOW_MS)
    changes = told(hearing, [0.9, 0.9, 0.34, 0.34, 0.9, 0.34, 0.34, 0.34])
    assert changes == [("began", 64), ("stopped", 256)]
    assert (hearing.in_voice, hearing.ended_ms, hearing.voiced_ms) == (False, 160, 96)


def test_what_would_not_begin_a_voice_may_go_on_with_it() -> None:
    assert told(Hearing(HearingSettings(), WINDOW_MS), [0.9, 0.9, *[0.4] * 50]) == [("began", 64)]


def test_the_time_that_makes_an_onset_is_rounded_up_to_windows() -> None:
    hearing = Hearing(HearingSettings(onset_ms=65), WINDOW_MS)
    assert told(hearing, [0.9] * 4) == [("began", 96)]


def test_a_reset_forgets_a_voice_and_half_an_onset() -> None:
    hearing = Hearing(HearingSettings(), WINDOW_MS)
    told(hearing, [0.9])
    hearing.reset()
    assert told(hearing, [0.9]) == []
    told(hearing, [0.9, 0.9])
    hearing.reset()
    assert told(hearing, [0.0] * 20) == []


@given(st.lists(st.sampled_from([0.0, 0.4, 0.6]), max_size=200))
def test_changes_alternate_and_their_positions_fit(probabilities: list[float]) -> None:
    hearing = Hearing(HearingSettings(), WINDOW_MS)
    expected, last_end_ms = "began", 0
    for number, probability in enumerate(probabilities, 1):
        change = hearing.hear(probability, number * WINDOW_MS)
        if change is None:
            continue
        assert change == expected
        expected = "stopped" if change == "began" else "began"
        assert last_end_ms <= hearing.began_ms < hearing.ended_ms <= number * WINDOW_MS
        assert 0 < hearing.voiced_ms <= hearing.ended_ms - hearing.began_ms
        if change == "stopped":
            last_end_ms = hearing.ended_ms
            assert number * WINDOW_MS - last_end_ms >= HearingSettings().hangover_ms


@pytest.mark.parametrize(
    "wrong",
    [
        {"onset_threshold": 1.0},
        {"offset_threshold": 0.0},
        {"onset_threshold": 0.3},
        {"onset_ms": 0},
        {"hangover_ms": 0},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        HearingSettings(**wrong)  # type: ignore[arg-type]
