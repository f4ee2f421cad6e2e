"""Invariant: a sound that was told of in time is a hit, anything else told is false, and what was
not told is missed; nothing counts twice."""

from app.speech.vad.changes import VoiceStarted, VoiceStopped
from app.speech.vad.engine import VoiceEngine
from bench.vad_accuracy import compare, hear
from bench.vad_lines import Line, Sound
from tests.speech.vad.fake_scorer import VOICE, FakeScorer

LINE = Line("line", b"\xff" * 80_000, (Sound(1000, 2000), Sound(5000, 6000)))


def started(axis_ms: int) -> VoiceStarted:
    return VoiceStarted(axis_ms - 64, axis_ms, -20.0)


def stopped(ended_ms: int) -> VoiceStopped:
    return VoiceStopped(ended_ms, ended_ms + 200, 300)


def test_a_start_within_a_sound_is_a_hit_and_its_delay_counts() -> None:
    heard = compare(LINE, [started(1120), stopped(2050)])
    assert (heard.delays_ms, heard.began_errors_ms) == ((120.0,), (56.0,))
    assert (heard.ended_errors_ms, heard.voiced_ms) == ((50.0,), (300.0,))
    assert (heard.missed, heard.false_starts, heard.splits) == (1, 0, 0)


def test_a_start_between_sounds_is_false() -> None:
    heard = compare(LINE, [started(3000), stopped(3500)])
    assert (heard.missed, heard.false_starts) == (2, 1)
    assert heard.false_per_min == 60_000 / 8000


def test_a_sound_heard_in_two_pieces_is_one_hit_and_a_split() -> None:
    heard = compare(LINE, [started(1120), stopped(1300), started(1700), stopped(2000)])
    assert (len(heard.delays_ms), heard.splits, heard.false_starts) == (1, 1, 0)
    assert (heard.voiced_ms, heard.ended_errors_ms) == ((600.0,), (0.0,))


def test_a_voice_that_began_before_the_sound_does_not_count_as_hearing_it() -> None:
    heard = compare(LINE, [started(500), stopped(6000)])
    assert (heard.missed, heard.false_starts) == (2, 1)


def test_lines_of_different_length_are_heard_to_their_ends() -> None:
    short = Line("short", b"\xff" * 1280 + VOICE * 2560, (Sound(160, 480),))
    long = Line("long", b"\xff" * 12_800 + VOICE * 2560, (Sound(1600, 1920),))
    engine = VoiceEngine(FakeScorer())
    heard = hear(engine, [short, long])
    assert [found.missed for found in heard] == [0, 0]
    assert all(64 <= found.delays_ms[0] <= 64 + 32 + 20 for found in heard)
    assert len(engine) == 0
