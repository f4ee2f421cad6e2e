"""A call whose agent has asked for digits, for tests of what the caller does then. In virtual time,
with a model that answers."""

import json
from typing import Any

from app.call.commands import CreateResponse, SendToolOutput
from app.call.events import (
    KeyPressed,
    ToolCall,
)
from app.call.floor import FloorSettings
from app.call.patience import PatienceSettings
from app.call.phases import CallSettings
from tests.call.handover_play import of
from tests.call.virtual_line import VirtualLine
from tests.call.virtual_model import Answer, Say

SETTINGS = CallSettings(
    greeting="Greet.",
    language="en",
    patience=PatienceSettings(hold_ms=60_000, after_ms=8_000),
    floor=FloorSettings(keys=True),
)
QUESTION_MS = 2_000


def wanted(call_id: str = "d1", **arguments: Any) -> ToolCall:
    return ToolCall(call_id, f"item-{call_id}", "collect_digits", json.dumps(arguments))


def asking(*tools: ToolCall, settings: CallSettings = SETTINGS, **arguments: Any) -> VirtualLine:
    """The agent's first words are a question, with the tool called in the same answer."""
    line = VirtualLine(1, settings=settings)
    calls = tools or (wanted(**arguments),)
    line.model.script.append(Answer((Say("question", QUESTION_MS),), calls))
    answers = iter(range(1_000))
    line.model.endless = lambda: Answer((Say(f"a{next(answers)}", 800),))
    line.open()
    return line


def asked_of(line: VirtualLine) -> VirtualLine:
    """The question was heard to its end."""
    while len(line.carrier.played) < QUESTION_MS * 8:
        line.run_for(10)
    line.run_for(200)
    return line


def press(line: VirtualLine, keys: str, every_ms: int = 300) -> None:
    for key in keys:
        line.deliver(KeyPressed(key))
        line.run_for(every_ms)


def outputs(line: VirtualLine) -> dict[str, Any]:
    """By call id what the model was told; a second output of a call is an error."""
    told = of(SendToolOutput, list(line.commands()))
    assert len({output.call_id for output in told}) == len(told)
    return {output.call_id: json.loads(output.output) for output in told}


def wishes(line: VirtualLine) -> list[str]:
    return [command.instructions for command in of(CreateResponse, list(line.commands()))]


def is_over(line: VirtualLine, answers: int) -> None:
    """The call goes on, with as many answers as were due."""
    assert line.shell.ended is None
    assert not line.model.refused
    assert line.model.responses == answers
    assert not line.call.history.open_tools
