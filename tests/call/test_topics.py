"""Tools that were asked for are there from the next answer on, in every later session and on every
worker, until another agent speaks."""

from dataclasses import replace

from app.call.call import Call
from app.call.commands import CreateResponse, OfferTools, OpenLeg, SendToolOutput
from app.call.events import (
    CallerAudioBegan,
    Effect,
    ModelClosed,
    ModelReady,
    ResponseCreated,
    ResponseFinished,
    StreamStarted,
    ToolCall,
    ToolFinished,
)
from app.call.phases import CallSettings
from tests.call.handover_play import of, play, talking

LOAD = ToolCall("t1", "i1", "load_tools", '{"topic": "billing"}')


def loaded(call: Call, topic: str, at_ms: int) -> list[object]:
    play(call, at_ms, ResponseCreated(f"r{at_ms}"))
    tool = replace(LOAD, call_id=f"t{at_ms}")
    play(call, at_ms, ResponseFinished(f"r{at_ms}", "completed", tool_calls=(tool,)))
    effect = Effect("topics", topic)
    return list(play(call, at_ms + 10, ToolFinished(tool.call_id, "{}", effect=effect)))


def test_the_session_has_them_before_the_model_is_asked_to_go_on() -> None:
    commands = loaded(talking(), "billing", 1_000)
    assert [type(c) for c in commands] == [OfferTools, SendToolOutput, CreateResponse]
    assert commands[0] == OfferTools(("billing",))


def test_topics_add_up_and_are_told_once() -> None:
    call = talking()
    loaded(call, "billing", 1_000)
    loaded(call, "booking billing", 2_000)
    assert call.snapshot().topics == ("billing", "booking")


def test_the_next_session_has_them() -> None:
    call = talking()
    loaded(call, "billing", 1_000)
    [opened] = of(OpenLeg, play(call, 3_000, ModelClosed("lost")))
    assert opened.topics == ("billing",)


def test_another_worker_has_them() -> None:
    call = talking()
    loaded(call, "billing", 1_000)
    other = Call(CallSettings())
    commands = play(other, 0, StreamStarted("call", "s2", resumed=call.snapshot()))
    assert [c.topics for c in of(OpenLeg, commands)] == [("billing",)]
    play(other, 100, CallerAudioBegan(0), ModelReady("s", "m"))
    assert other.snapshot().topics == ("billing",)
