"""Invariant: speech begins on a run of loud frames and ends after the silence asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lab.realtime.vad import (
    ASK_AFTER_MS,
    FRAME_MS,
    ONSET_FRAMES,
    Sense,
    VadSettings,
    VoiceDetector,
)

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


def semantic(eagerness: str) -> VadSettings:
    switches = {"create_response": True, "interrupt_response": False}
    return VadSettings.from_config({"type": "semantic_vad", "eagerness": eagerness, **switches})


@pytest.mark.parametrize(("eagerness", "faster_than"), [("high", "auto"), ("medium", "low")])
def test_an_eager_semantic_vad_waits_less(eagerness: str, faster_than: str) -> None:
    eager, patient = semantic(eagerness), semantic(faster_than)
    assert not eager.interrupt_response
    assert eager.silence_ms < patient.silence_ms


@pytest.mark.parametrize(
    ("eagerness", "longest_ms"), [("low", 8000), ("medium", 4000), ("auto", 4000), ("high", 2000)]
)
def test_a_semantic_vad_that_learns_nothing_waits_as_long_as_the_vendor_says(
    eagerness: str, longest_ms: int
) -> None:
    detector = VoiceDetector(semantic(eagerness))
    changes(detector, *[LOUD_DBFS] * ONSET_FRAMES)
    seen = changes(detector, *[QUIET_DBFS] * (longest_ms // FRAME_MS))
    assert seen.index("paused") == ASK_AFTER_MS // FRAME_MS - 1
    assert [change for change in seen if change] == ["paused", "stopped"]
    assert seen[-1] == "stopped"


def test_each_pause_is_asked_about_once_and_waits_for_itself_only() -> None:
    detector = VoiceDetector(semantic("auto"))
    changes(detector, *[LOUD_DBFS] * ONSET_FRAMES)
    assert changes(detector, *[QUIET_DBFS] * 20).count("paused") == 1
    assert detector.asked
    assert not detector.wait(600)
    assert changes(detector, *[LOUD_DBFS] * 5, *[QUIET_DBFS] * 60).count("stopped") == 0
    assert detector.wait(600), "a verdict that comes late ends the turn at once"
    assert not detector.speaking


def test_by_silence_alone_no_pause_is_asked_about() -> None:
    detector = VoiceDetector(VadSettings(silence_ms=2000))
    changes(detector, *[LOUD_DBFS] * ONSET_FRAMES)
    assert set(changes(detector, *[QUIET_DBFS] * 90)) == {None}


def test_noise_is_speech_to_an_ear_that_is_set_low_and_none_to_one_that_knows_the_line() -> None:
    noise, voice = [-35.0] * 200, [-15.0] * 50
    fooled = VoiceDetector(VadSettings())
    assert changes(fooled, *noise, *voice, *noise).count("started") == 1
    assert fooled.speaking, "the noise never lets the turn end"
    deaf = VoiceDetector(VadSettings(), Sense(half_dbfs=-10.0))
    assert set(changes(deaf, *noise, *voice)) == {None}
    used = VoiceDetector(VadSettings(), Sense(noise_margin_db=9.0))
    heard = changes(used, *noise, *voice, *noise)
    assert [change for change in heard if change] == ["started", "stopped"]
    assert heard.index("started") == len(noise) + ONSET_FRAMES - 1


def test_a_small_margin_takes_a_louder_moment_of_the_noise_for_speech() -> None:
    line = [-35.0] * 100 + [-29.0] * 10 + [-35.0] * 100
    for margin_db, starts in ((4.0, 1), (9.0, 0)):
        detector = VoiceDetector(VadSettings(), Sense(noise_margin_db=margin_db))
        assert changes(detector, *line).count("started") == starts


def test_on_a_clean_line_the_margin_changes_nothing() -> None:
    line = [-float("inf")] * 40 + [LOUD_DBFS] * 30 + [-float("inf")] * 40
    plain, used = VoiceDetector(VadSettings()), VoiceDetector(VadSettings(), Sense(-40.0, 9.0))
    assert changes(plain, *line) == changes(used, *line)
