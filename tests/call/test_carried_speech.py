"""Across a change of legs the caller is heard from the first byte of what they say, and what was
told already is not heard twice."""

import pytest

from app.call.carried_speech import CARRIED_WAIT_MS, WORDS_WAIT_MS, CarriedSpeech
from app.call.events import CallerTranscribed, SpeechStarted, SpeechStopped
from app.call.history import History
from app.call.playout import Playout
from app.call.scribe import Scribe


class Caller:
    """A caller, with the scribe who writes down what they say."""

    def __init__(self, *, finds_speech: bool = True) -> None:
        history = History()
        self.scribe = Scribe(Playout(), history.log.append)
        self.carried = CarriedSpeech(history, self.scribe, finds_speech=finds_speech)

    def begins(self, item_id: str, at_ms: int) -> bool:
        event = SpeechStarted(item_id, at_ms, at_ms)
        new = self.carried.started(event)
        if new:
            self.scribe.speech_started(event, at_ms)
        return new

    def ends(self, item_id: str, at_ms: int) -> int | None:
        event = SpeechStopped(item_id, at_ms, at_ms)
        self.scribe.saw(event, at_ms)
        return self.carried.stopped(event, at_ms)


def test_who_speaks_is_heard_from_their_first_byte_and_who_is_silent_from_their_last() -> None:
    caller = Caller()
    assert caller.carried.hand_over(500) == 0
    caller.begins("i1", 1_000)
    assert caller.carried.speaking
    assert caller.carried.hand_over(1_200) == 1_000
    assert caller.ends("i1", 1_900) == 900

    assert caller.carried.hand_over(2_000) == 1_900
    assert caller.ends("i2", 2_500) is None, "its beginning was not told"


def test_the_speech_that_a_leg_was_handed_is_no_new_one() -> None:
    caller = Caller()
    assert caller.begins("i1", 1_000)
    caller.carried.hand_over(1_200)
    assert not caller.begins("i2", 1_300)
    line = caller.scribe.transcript.line_of("i2")
    assert line is not None and line.audio_start_ms == 1_000
    caller.ends("i2", 2_000)

    assert caller.begins("i3", 3_000)


def test_a_leg_that_finds_no_speech_in_time_ends_it_once() -> None:
    caller = Caller()
    caller.begins("i1", 1_000)
    caller.carried.hand_over(1_200)
    assert caller.carried.due_ms == 1_200 + CARRIED_WAIT_MS
    assert not caller.carried.not_found(1_200 + CARRIED_WAIT_MS - 1)
    assert caller.carried.not_found(1_200 + CARRIED_WAIT_MS)

    assert not caller.carried.speaking
    assert not caller.carried.not_found(10**9)


@pytest.mark.parametrize("finds_speech", [True, False])
def test_nothing_is_awaited_of_a_leg_that_tells_of_no_speech_or_is_gone(
    finds_speech: bool,
) -> None:
    caller = Caller(finds_speech=finds_speech)
    caller.begins("i1", 1_000)
    caller.carried.hand_over(1_200)
    if finds_speech:
        caller.carried.let_go()

    assert caller.carried.due_ms is None
    assert caller.carried.speaking


def test_words_are_waited_for_until_they_come_or_for_so_long() -> None:
    caller = Caller()
    assert caller.carried.words_known(0)
    caller.begins("i1", 1_000)
    caller.ends("i1", 2_000)
    assert not caller.carried.words_known(2_000 + WORDS_WAIT_MS)
    assert caller.carried.words_known(2_000 + WORDS_WAIT_MS + 1)
    caller.scribe.saw(CallerTranscribed("i1", "Hello."), 2_100)

    assert caller.carried.words_known(2_100)


def test_audio_is_needed_from_the_oldest_turn_that_has_no_words() -> None:
    caller = Caller()
    assert caller.carried.needed_from_ms is None
    caller.begins("i1", 1_000)
    caller.ends("i1", 2_000)
    caller.begins("i2", 3_000)
    assert caller.carried.needed_from_ms == 1_000
    caller.scribe.saw(CallerTranscribed("i1", "Hello."), 3_100)

    assert caller.carried.needed_from_ms == 3_000
