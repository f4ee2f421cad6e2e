"""A call of collect_digits has one output and one answer on another session and another worker too,
and holds up no end. In virtual time, with a model that answers."""

import json
from dataclasses import replace

import pytest

from app.call.call import Call
from app.call.collect_tool import BEGIN_ANEW
from app.call.commands import Command, CreateResponse, RunTool, SendToolOutput
from app.call.events import (
    HangUpRequested,
    KeyPressed,
    ModelReady,
    ResponseCreated,
    ResponseFinished,
    RolloverRequested,
    StreamStarted,
)
from app.call.floor import FloorSettings
from tests.call.collecting_play import (
    SETTINGS,
    asked_of,
    asking,
    outputs,
    press,
    wishes,
)
from tests.call.handover_play import of, play, until
from tests.call.virtual_model import Answer, Say


def test_another_session_goes_on_with_the_keys() -> None:
    line = asked_of(asking(max_digits=4))
    line.on_open = lambda model, leg: setattr(
        model, "endless", lambda: Answer((Say(f"b{model.responses}", 500),))
    )
    press(line, "47", 100)
    line.drop()
    line.run_for(100)
    press(line, "11", 100)
    line.run_for(4_000)

    assert line.call.handover.relay.leg == 2
    told = [entry for entry in line.shell.taken[-1].entries if entry.kind == "tool"]
    assert told[0].output is None or "4711" in told[0].output
    assert "4711" in str([use for use in line.call.history.log if hasattr(use, "output")])
    assert not line.call.history.open_tools
    assert not line.model.refused


def test_a_planned_change_waits_for_the_keys() -> None:
    line = asked_of(asking(max_digits=4, inter_digit_s=20))
    line.on_open = lambda model, leg: setattr(
        model, "endless", lambda: Answer((Say(f"b{model.responses}", 500),))
    )
    line.deliver(RolloverRequested())
    press(line, "47", 1_000)
    assert line.call.handover.relay.leg == 1
    press(line, "11", 1_000)
    line.run_for(5_000)

    assert line.call.handover.relay.leg == 2
    assert outputs(line)["d1"]["digits"] == "4711"


def elsewhere(call: Call, *, moved: bool = False) -> tuple[Call, list[Command]]:
    """The call on another worker, its session ready."""
    later = Call(call.settings)
    started = StreamStarted("call", "another", resumed=call.snapshot(moved=moved))
    play(later, 0, started)
    return later, play(later, 300, ModelReady("s", "m"))


@pytest.mark.parametrize("moved", [True, False])
def test_another_worker_has_the_caller_asked_again(moved: bool) -> None:
    line = asked_of(asking(max_digits=4, first_digit_s=5, retries=0))
    press(line, "47", 100)
    later, commands = elsewhere(line.call, moved=moved)
    assert [c.instructions for c in of(CreateResponse, commands)] == [BEGIN_ANEW]
    assert of(RunTool, commands) == []

    told = [c for key in "4711" for c in play(later, 400, KeyPressed(key))]
    (output,) = of(SendToolOutput, told)
    assert (output.call_id, json.loads(output.output)["digits"]) == ("d1", "4711")


def test_on_another_worker_it_does_not_hang() -> None:
    line = asked_of(asking(first_digit_s=5, retries=0))
    later, _ = elsewhere(line.call)
    play(later, 400, ResponseCreated("r1", "create-1"), ResponseFinished("r1", "completed"))
    told = of(SendToolOutput, until(later, 60_000))

    assert [json.loads(output.output)["reason"] for output in told] == ["no_input"]


def test_a_call_that_ends_meanwhile_ends() -> None:
    line = asked_of(asking(first_digit_s=60))
    press(line, "4")
    line.deliver(HangUpRequested("operator"))
    line.run_for(10_000)

    assert line.shell.ended is not None
    assert not outputs(line)
    assert line.call.timeline.turns[0].tools[0].finished_ms is None


def test_nobody_is_asked_again_while_the_call_is_being_ended() -> None:
    settings = replace(SETTINGS, floor=FloorSettings())
    line = asked_of(asking(settings=settings, min_digits=4))
    line.model.script.append(Answer((Say("bye", 3_000),)))
    line.model.respond("")
    line.run_for(600)
    line.deliver(HangUpRequested("operator"))
    press(line, "4#", 10)
    line.run_for(10_000)

    assert wishes(line) == ["Greet."]
    assert line.shell.ended is not None


def test_digits_that_come_while_the_call_is_being_ended_are_answered_by_nobody() -> None:
    settings = replace(SETTINGS, floor=FloorSettings())
    line = asked_of(asking(settings=settings, max_digits=2))
    line.model.script.append(Answer((Say("bye", 3_000),)))
    line.model.respond("")
    line.run_for(600)
    line.deliver(HangUpRequested("operator"))
    press(line, "47", 10)
    line.run_for(10_000)

    assert outputs(line)["d1"]["digits"] == "47"
    assert wishes(line) == ["Greet."]
    assert [turn.cause for turn in line.call.timeline.turns] == ["greeting"]
