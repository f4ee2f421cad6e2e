"""Invariant: however the caller's audio is cut into appends, the same turns come out of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lab.realtime.caller_audio import CallerAudio, Heard, Started, Stopped
from app.lab.realtime.formats import format_named
from app.lab.realtime.refusals import RequestRefused
from app.lab.realtime.vad import VadSettings
from tests.lab.realtime.driver import silence, tone

PCMU, PCM = format_named("audio/pcmu"), format_named("audio/pcm")
TWO_TURNS = silence(500) + tone(300) + silence(700) + tone(200) + silence(600)


def buffer(vad: VadSettings | None = None, audio_format: str = "audio/pcmu") -> CallerAudio:
    return CallerAudio(bytearray(), format_named(audio_format), vad)


def heard_in_pieces(cuts: list[int]) -> list[Heard]:
    audio, heard, start = buffer(VadSettings()), list[Heard](), 0
    for cut in [*sorted(cuts), len(TWO_TURNS)]:
        heard += audio.append(TWO_TURNS[start:cut])
        start = cut
    return heard


def test_one_big_append_holds_both_turns_with_their_own_audio() -> None:
    first, first_end, second, second_end = heard_in_pieces([])
    assert isinstance(first, Started) and isinstance(second, Started)
    assert isinstance(first_end, Stopped) and isinstance(second_end, Stopped)
    assert first.audio_start_ms == 200
    assert first_end.audio == TWO_TURNS[200 * 8 : first_end.audio_end_ms * 8]
    assert second.audio_start_ms == first_end.audio_end_ms, "padding never overlaps a turn"
    assert second_end.audio == TWO_TURNS[second.audio_start_ms * 8 : second_end.audio_end_ms * 8]


@settings(max_examples=40)
@given(st.lists(st.integers(0, len(TWO_TURNS)), max_size=30))
def test_the_pieces_do_not_matter(cuts: list[int]) -> None:
    assert heard_in_pieces(cuts) == heard_in_pieces([])


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
