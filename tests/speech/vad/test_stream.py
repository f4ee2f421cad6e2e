"""Invariant: however the audio is cut, the detector gets every window that is not clear silence
exactly once for judgement, in order, with the audio that came before it."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.speech.vad.changes import VoiceChange, VoiceStarted, VoiceStopped
from app.speech.vad.engine import WARM_UP_WINDOWS, VoiceEngine
from app.speech.vad.gate import Gate
from app.speech.vad.hearing import HearingSettings
from tests.speech.vad.fake_scorer import NOISE, VOICE, FakeScorer

WINDOW, CONTEXT = FakeScorer.window_bytes, FakeScorer.context_bytes
SILENT = b"\xff" * WINDOW
SPOKEN = VOICE * WINDOW
NOISY = NOISE * WINDOW


def hear_all(
    ulaw: bytes, gate: Gate | None, piece_bytes: int = 160
) -> tuple[list[bytes], list[VoiceChange]]:
    """What the detector was asked, and what was told."""
    scorer = FakeScorer()
    engine = VoiceEngine(scorer, HearingSettings(), gate)
    told: list[VoiceChange] = []
    stream = engine.open(told.append)
    for at in range(0, len(ulaw), piece_bytes):
        stream.feed(ulaw[at : at + piece_bytes])
        while engine.due:
            engine.run()
    assert stream.fed_bytes == len(ulaw)
    return scorer.asked[stream.slot], told


@given(st.binary(max_size=6000), st.integers(1, 900))
def test_without_a_gate_the_detector_hears_the_audio_as_it_came(ulaw: bytes, piece: int) -> None:
    asked, _ = hear_all(ulaw, None, piece)
    whole = len(ulaw) // WINDOW * WINDOW
    assert b"".join(window[CONTEXT:] for window in asked) == ulaw[:whole]
    heard = b"\xff" * CONTEXT + ulaw
    for number, window in enumerate(asked):
        assert window == heard[number * WINDOW : number * WINDOW + CONTEXT + WINDOW]


@given(st.lists(st.sampled_from([SILENT, SPOKEN, NOISY]), max_size=60), st.integers(1, 900))
def test_changes_do_not_depend_on_the_cut_of_the_audio(windows: list[bytes], piece: int) -> None:
    ulaw = b"".join(windows)
    for gate in (None, Gate()):
        changes = [
            [_without_axis(change) for change in hear_all(ulaw, gate, cut)[1]]
            for cut in (WINDOW, piece)
        ]
        assert changes[0] == changes[1]


@given(st.lists(st.sampled_from([SILENT, SPOKEN]), max_size=60))
def test_the_gate_changes_the_cost_and_not_what_is_told(windows: list[bytes]) -> None:
    ulaw = b"".join(windows)
    assert hear_all(ulaw, Gate())[1] == hear_all(ulaw, None)[1]


def test_silence_is_not_inferred_once_it_lasts() -> None:
    asked, _ = hear_all(SILENT * 100, Gate())
    assert asked == []
    asked, _ = hear_all(NOISY + SILENT * 100, Gate(hold_windows=3))
    assert len(asked) == WARM_UP_WINDOWS + 1 + 3


def test_after_a_silence_the_detector_hears_the_windows_before_the_sound_again() -> None:
    asked, told = hear_all(NOISY + SILENT * 20 + SPOKEN * 2, Gate(hold_windows=3))
    again = asked[WARM_UP_WINDOWS + 4 :]
    assert [window[CONTEXT:] for window in again] == [SILENT] * WARM_UP_WINDOWS + [SPOKEN] * 2
    assert told == [VoiceStarted(21 * 32, 23 * 32, told[0].level_dbfs)]  # type: ignore[union-attr]


def test_a_voice_goes_on_through_gated_silence_until_the_hangover_is_over() -> None:
    _, told = hear_all(SPOKEN * 4 + SILENT * 40, Gate(hold_windows=0))
    assert told[1] == VoiceStopped(4 * 32, told[1].axis_ms, 4 * 32)
    assert 4 * 32 + 200 <= told[1].axis_ms <= 4 * 32 + 200 + 32 + 20


def test_the_level_is_that_of_the_voice() -> None:
    _, told = hear_all(NOISY + SILENT * 20 + SPOKEN * 2, None)
    assert isinstance(told[0], VoiceStarted)
    assert -0.3 < told[0].level_dbfs < 0.0


def test_silence_is_time_on_the_axis() -> None:
    engine = VoiceEngine(FakeScorer(), HearingSettings(), Gate())
    told: list[VoiceChange] = []
    stream = engine.open(told.append)
    stream.silence(8 * 3200)
    stream.feed(SPOKEN * 2)
    engine.run()
    assert isinstance(told[0], VoiceStarted)
    assert (told[0].began_ms, told[0].axis_ms) == (3200, 3264)


def test_audio_that_is_done_with_is_let_go() -> None:
    engine = VoiceEngine(FakeScorer(), HearingSettings(), Gate())
    stream = engine.open(lambda change: None)
    for _ in range(2000):
        stream.feed(NOISE * 160)
        engine.run()
    assert len(stream._audio) < 8000


def test_what_goes_on_can_be_asked() -> None:
    engine = VoiceEngine(FakeScorer())
    stream = engine.open(lambda change: None)
    stream.feed(SPOKEN * 3)
    engine.run()
    assert (stream.in_voice, stream.voiced_ms) == (True, 96)


def _without_axis(change: VoiceChange) -> tuple[int, ...]:
    if isinstance(change, VoiceStarted):
        return (change.began_ms,)
    return (change.ended_ms, change.voiced_ms)


@given(st.lists(st.sampled_from([SILENT, SPOKEN, NOISY]), max_size=60))
def test_what_is_told_is_in_order(windows: list[bytes]) -> None:
    _, told = hear_all(b"".join(windows), Gate())
    assert all(earlier.axis_ms <= later.axis_ms for earlier, later in pairwise(told))


def test_short_pauses_do_not_add_up_to_a_silence() -> None:
    asked, _ = hear_all((NOISY + SILENT * 2) * 10, Gate(hold_windows=3))
    assert len(asked) == WARM_UP_WINDOWS + 30
