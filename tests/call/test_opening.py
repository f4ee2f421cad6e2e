"""The agent greets once, as soon as caller audio flows: with what is at hand, or by the model.

The model knows how much of it was heard.
"""

import pytest

from app.call.call import Call
from app.call.commands import CreateResponse, PlayPhrase, RewriteItem, SendAudio, TakeLeg
from app.call.events import (
    CallerAudioBegan,
    MarkEchoed,
    ModelReady,
    PhraseStored,
    SpeechStarted,
    StreamStarted,
)
from app.call.phases import CallSettings
from tests.call.handover_play import of, one, play, until

WORDS = "Hello, this is Harbour Table. How can I help you?"
SETTINGS = CallSettings(greeting="Greet.", greeting_words=WORDS)
LENGTH_MS = 3_000
STORED = PhraseStored(WORDS, LENGTH_MS * 8)


def opened(settings: CallSettings = SETTINGS) -> Call:
    call = Call(settings)
    assert of(PlayPhrase, play(call, 0, StreamStarted("call", "stream"))) == []
    return call


def test_the_greeting_begins_with_the_callers_audio_and_no_model_is_needed() -> None:
    call = opened()
    assert play(call, 20, CallerAudioBegan(0)) == [PlayPhrase(WORDS)]
    assert of(SendAudio, play(call, 21, STORED))
    assert call.timeline.turns[0].cause == "greeting"


def test_a_model_that_is_ready_first_does_not_greet_again() -> None:
    call = opened()
    play(call, 10, ModelReady("s", "m"))
    play(call, 20, CallerAudioBegan(0))
    assert of(CreateResponse, play(call, 21, STORED)) == []
    assert of(CreateResponse, until(call, 10_000)) == []


@pytest.mark.parametrize("ready_ms", [10, 500])
def test_without_the_phrase_the_model_greets(ready_ms: int) -> None:
    call = opened()
    commands = play(call, ready_ms, ModelReady("s", "m")) if ready_ms < 20 else []
    commands += play(call, 20, CallerAudioBegan(0), PhraseStored(WORDS, 0))
    commands += play(call, ready_ms, ModelReady("s", "m")) if ready_ms > 20 else []
    assert [c.instructions for c in of(CreateResponse, commands)] == ["Greet."]


def test_an_agent_without_a_greeting_waits_for_the_caller() -> None:
    call = opened(CallSettings())
    assert play(call, 20, CallerAudioBegan(0)) == []
    assert of(CreateResponse, play(call, 500, ModelReady("s", "m"))) == []


def test_the_model_is_told_of_the_greeting_as_said() -> None:
    call = opened()
    play(call, 20, CallerAudioBegan(0), STORED)
    taken = one(TakeLeg, play(call, 2_000, ModelReady("s", "m")))
    assert [(entry.kind, entry.text) for entry in taken.entries] == [("agent", WORDS)]


def test_a_greeting_that_was_interrupted_is_corrected_in_the_models_memory() -> None:
    call = opened()
    play(call, 20, CallerAudioBegan(0), STORED, MarkEchoed("s0.0", 20, 40))
    play(call, 500, ModelReady("s", "m"))
    until(call, 1_500)
    play(call, 1_500, SpeechStarted("c1", 1_000, 1_500))
    (rewritten,) = of(RewriteItem, play(call, 1_520, MarkEchoed("f0", 1_500, 1_520)))
    assert rewritten.text.startswith("Hello, this")
    assert rewritten.text.endswith("[interrupted]")
    assert len(rewritten.text) < len(WORDS)
