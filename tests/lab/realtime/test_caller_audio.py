"""Invariant: however the caller's audio is cut into appends, the same turns come out of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lab.realtime.caller_audio import CallerAudio, Heard, Paused, Started, Stopped
from app.lab.realtime.formats import format_named
from app.lab.realtime.refusals import RequestRefused
from app.lab.realtime.vad import Sense, VadSettings
from tests.lab.realtime.driver import silence, tone

PCMU, PCM = format_named("audio/pcmu"), format_named("audio/pcm")
TWO_TURNS = silence(500) + tone(300) + silence(700) + tone(200) + silence(600)
WORDS = VadSettings(silence_ms=400, longest_wait_ms=2000)
"""Words end the turn."""


def buffer(vad: VadSettings | None = None, audio_format: str = "audio/pcmu") -> CallerAudio:
    return CallerAudio(bytearray(), format_named(audio_format), vad)


def heard_in_pieces(cuts: list[int], vad: VadSettings, sense: Sense) -> list[Heard]:
    audio, heard, start = CallerAudio(bytearray(), PCMU, vad, sense), list[Heard](), 0
    for cut in [*sorted(cuts), len(TWO_TURNS)]:
        heard += audio.append(TWO_TURNS[start:cut])
        start = cut
    return heard


def test_one_big_append_holds_both_turns_with_their_own_audio() -> None:
    first, first_end, second, second_end = heard_in_pieces([], VadSettings(), Sense())
    assert isinstance(first, Started) and isinstance(second, Started)
    assert isinstance(first_end, Stopped) and isinstance(second_end, Stopped)
    assert first.audio_start_ms == 200
    assert first_end.audio == TWO_TURNS[200 * 8 : first_end.audio_end_ms * 8]
    assert second.audio_start_ms == first_end.audio_end_ms, "padding never overlaps a turn"
    assert second_end.audio == TWO_TURNS[second.audio_start_ms * 8 : second_end.audio_end_ms * 8]


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, len(TWO_TURNS)), max_size=30),
    st.sampled_from([VadSettings(), WORDS]),
    st.sampled_from([0, 100, 700]),
)
def test_the_pieces_do_not_matter(cuts: list[int], vad: VadSettings, late_ms: int) -> None:
    sense = Sense(notice_delay_ms=late_ms)
    assert heard_in_pieces(cuts, vad, sense) == heard_in_pieces([], vad, sense)


def test_a_commit_takes_what_was_said_since_the_last_one() -> None:
    audio = buffer()
    audio.append(tone(150))
    assert audio.commit() == tone(150)
    audio.append(tone(200, hz=300))
    assert audio.commit() == tone(200, hz=300)
    assert audio.axis_ms == 350


def test_less_than_100_ms_cannot_be_committed() -> None:
    audio = buffer()
    audio.append(tone(99))
    with pytest.raises(RequestRefused, match=r"99\.00ms") as refused:
        audio.commit()
    assert refused.value.code == "input_audio_buffer_commit_empty"
    audio.append(tone(1))
    assert len(audio.commit()) == 800


def test_a_commit_in_mid_speech_ends_it() -> None:
    audio = buffer(VadSettings())
    audio.append(tone(200))
    assert audio.speaking
    assert audio.commit() == tone(200)
    assert not audio.speaking


def test_silence_since_a_position_can_be_taken() -> None:
    audio = buffer(VadSettings())
    audio.append(silence(1000))
    assert audio.take_since(400) == silence(600)
    assert audio.take_since(400) == b""


def test_a_new_format_goes_on_with_the_same_clock() -> None:
    audio = buffer()
    audio.append(tone(500))
    audio.configure(PCM, None)
    audio.append(bytes(48 * 250))
    assert audio.axis_ms == 750
    assert audio.commit() == bytes(48 * 250)


def test_unchanged_settings_keep_the_speech_in_progress() -> None:
    audio = buffer(VadSettings())
    audio.append(tone(200))
    audio.configure(PCMU, VadSettings())
    assert audio.speaking
    audio.configure(PCMU, VadSettings(threshold=0.9))
    assert not audio.speaking


def test_half_a_sample_is_refused() -> None:
    audio = buffer(audio_format="audio/pcm")
    with pytest.raises(RequestRefused, match="even number"):
        audio.append(b"\x00\x01\x02")
    assert audio.axis_ms == 0


@pytest.mark.parametrize("late_ms", [0, 20, 120, 240])
def test_speech_that_is_noticed_late_began_when_it_began(late_ms: int) -> None:
    audio = CallerAudio(bytearray(), PCMU, VadSettings(), Sense(notice_delay_ms=late_ms))
    audio.append(silence(500) + tone(60 + late_ms - 20))
    assert not audio.speaking
    assert audio.append(tone(20)) == [Started(200)]
    assert audio.speaking


def test_a_sound_shorter_than_the_delay_is_reported_all_the_same_and_in_order() -> None:
    audio = CallerAudio(bytearray(), PCMU, VadSettings(), Sense(notice_delay_ms=2000))
    heard = audio.append(silence(500) + tone(100) + silence(600))
    assert heard[0] == Started(200)
    assert [type(h) for h in heard] == [Started, Stopped]


def test_what_was_cleared_before_it_was_noticed_is_never_reported() -> None:
    audio = CallerAudio(bytearray(), PCMU, VadSettings(), Sense(notice_delay_ms=200))
    audio.append(tone(100))
    audio.clear()
    assert audio.append(silence(1000)) == []
    assert audio.axis_ms == 1100, "the axis counts what was cleared too"


def paused(audio: CallerAudio) -> Paused:
    (pause,) = (h for h in audio.append(tone(300) + silence(300)) if isinstance(h, Paused))
    return pause


@pytest.mark.parametrize(("unfinished", "end_ms"), [(0.0, 700), (0.5, 1500), (1.0, 2300)])
def test_the_words_say_how_long_a_pause_may_last(unfinished: float, end_ms: int) -> None:
    audio = buffer(WORDS)
    pause = paused(audio)
    assert pause.audio == tone(300) + silence(200)
    assert audio.decide(pause.number, unfinished) == []
    (stopped,) = audio.append(silence(3000))
    assert isinstance(stopped, Stopped)
    assert stopped.audio_end_ms == end_ms


def test_a_verdict_that_comes_when_the_time_is_up_ends_the_turn_at_once() -> None:
    audio = buffer(WORDS)
    pause = paused(audio)
    audio.append(silence(500))
    (stopped,) = audio.decide(pause.number, 0.0)
    assert isinstance(stopped, Stopped)
    assert (stopped.audio_end_ms, audio.speaking) == (1100, False)


def test_a_verdict_on_a_pause_that_is_over_counts_for_nothing() -> None:
    audio = buffer(WORDS)
    first = paused(audio)
    audio.append(tone(100) + silence(100))
    assert audio.decide(first.number, 0.0) == []
    second = paused(audio)
    assert audio.decide(first.number, 0.0) == []
    assert audio.append(silence(400)) == []
    audio.clear()
    assert audio.decide(second.number, 0.0) == []
    audio.configure(PCMU, None)
    assert audio.decide(second.number, 0.0) == []
