"""Invariant: speech begins on a run of loud frames and ends after the silence asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lab.realtime.vad import FRAME_MS, ONSET_FRAMES, VadSettings, VoiceDetector

LOUD_DBFS, QUIET_DBFS = -20.0, -70.0


def changes(detector: VoiceDetector, *levels_dbfs: float) -> list[str | None]:
    return [detector.feed(level) for level in levels_dbfs]


def test_a_click_is_not_speech() -> None:
    detector = VoiceDetector(VadSettings())
    clicks = ([LOUD_DBFS] * (ONSET_FRAMES - 1) + [QUIET_DBFS]) * 5
    assert set(changes(detector, *clicks)) == {None}


def test_speech_starts_with_the_frame_that_completes_the_run() -> None:
    detector = VoiceDetector(VadSettings())
    assert changes(detector, *[LOUD_DBFS] * (ONSET_FRAMES + 2)) == [
        *[None] * (ONSET_FRAMES - 1),
        "started",
        None,
        None,
    ]


@given(silence_ms=st.integers(0, 3000))
def test_speech_ends_after_the_silence_asked_for(silence_ms: int) -> None:
    detector = VoiceDetector(VadSettings(silence_ms=silence_ms))
    changes(detector, *[LOUD_DBFS] * ONSET_FRAMES)
    frames = 1
    while detector.feed(QUIET_DBFS) is None:
        frames += 1
    assert frames * FRAME_MS == max(FRAME_MS, -(-silence_ms // FRAME_MS) * FRAME_MS)


def test_a_pause_between_words_starts_the_silence_anew() -> None:
    detector = VoiceDetector(VadSettings(silence_ms=100))
    changes(detector, *[LOUD_DBFS] * ONSET_FRAMES)
    assert changes(detector, *([QUIET_DBFS] * 4 + [LOUD_DBFS]) * 3) == [None] * 15
    assert changes(detector, *[QUIET_DBFS] * 5)[-1] == "stopped"


def test_a_level_just_below_the_threshold_keeps_speech_but_does_not_begin_it() -> None:
    settings, between_dbfs = VadSettings(threshold=0.5, silence_ms=20), -43.0
    detector = VoiceDetector(settings)
    assert changes(detector, *[between_dbfs] * 10) == [None] * 10
    changes(detector, *[LOUD_DBFS] * ONSET_FRAMES)
    assert changes(detector, *[between_dbfs] * 10) == [None] * 10


@given(low=st.floats(0, 1), high=st.floats(0, 1), level_dbfs=st.floats(-100, 0))
def test_a_higher_threshold_never_hears_what_a_lower_one_does_not(
    low: float, high: float, level_dbfs: float
) -> None:
    low, high = sorted((low, high))
    eager, strict = (VoiceDetector(VadSettings(threshold=t)) for t in (low, high))
    frames = [level_dbfs] * ONSET_FRAMES
    assert changes(eager, *frames) == changes(strict, *frames) or not strict.speaking


def test_a_reset_forgets_the_speech() -> None:
    detector = VoiceDetector(VadSettings())
    changes(detector, *[LOUD_DBFS] * ONSET_FRAMES)
    detector.reset()
    assert not detector.speaking
    assert changes(detector, LOUD_DBFS) == [None]


@pytest.mark.parametrize(("eagerness", "faster_than"), [("high", "auto"), ("medium", "low")])
def test_an_eager_semantic_vad_waits_less(eagerness: str, faster_than: str) -> None:
    def silence_ms(name: str) -> int:
        switches = {"create_response": True, "interrupt_response": False}
        config = {"type": "semantic_vad", "eagerness": name, **switches}
        settings = VadSettings.from_config(config)
        assert not settings.interrupt_response
        return settings.silence_ms

    assert silence_ms(eagerness) < silence_ms(faster_than)
