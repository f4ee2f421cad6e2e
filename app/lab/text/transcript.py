"""A conversation that was handed over as plain text, one line for each turn."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from app.lab.realtime.ports import Say, Turn
from app.lab.speech.dialog import ScriptedBrain
from app.lab.text.wire import text_of

_Speaker: TypeAlias = Literal["user", "assistant", "system", "function_call"]
_LINE: Final = re.compile(r"([A-Za-z]+)[a-z ]{0,12}: ?(.*)")
_SPEAKERS: Final[dict[str, _Speaker]] = {
    **dict.fromkeys(("caller", "user", "customer"), "user"),
    **dict.fromkeys(("agent", "assistant", "bot"), "assistant"),
    "system": "system",
    "tool": "function_call",
}
_RUNS: Final = "still running"


def summary_of(instructions: str, text: str) -> str:
    """What the lab's dialog writes when it is asked for a summary of this conversation."""
    (said,) = ScriptedBrain().aside(turns_of(text), instructions)
    assert isinstance(said, Say)
    return said.text


def turns_of(text: str) -> list[Turn]:
    """From lines such as `Caller: ...`, `Agent: ...` and `Tool: name arguments -> output`.

    A line that begins with no speaker goes on with the line before it.
    """
    lines: list[tuple[_Speaker, str]] = []
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        speaker = _SPEAKERS.get(found[1].lower()) if found else None
        if found and speaker:
            lines.append((speaker, found[2]))
        elif lines:
            lines[-1] = (lines[-1][0], f"{lines[-1][1]}\n{line}")
    return [turn for speaker, said in lines for turn in _turns(speaker, said)]


def turns_in(items: Sequence[Mapping[str, Any]]) -> list[Turn]:
    """From the input items of a conversation."""
    return [_turn(item) for item in items]


def _turn(item: Mapping[str, Any]) -> Turn:
    said = text_of(item)
    match item.get("type", "message"):
        case "function_call":
            return Turn("function_call", said, item["name"])
        case "function_call_output":
            return Turn("function_call_output", said)
    role = item["role"]
    return Turn("system" if role == "developer" else role, said)


def _turns(speaker: _Speaker, said: str) -> Iterator[Turn]:
    if speaker != "function_call":
        yield Turn(speaker, said)
        return
    call, _, output = said.partition(" -> ")
    name, _, arguments = call.partition(" ")
    yield Turn("function_call", arguments, name)
    if output and output != _RUNS:
        yield Turn("function_call_output", output)
