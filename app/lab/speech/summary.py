"""What the lab's models write when they are asked for a summary: one JSON object about the call."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from app.lab.realtime.ports import Turn

Summary: TypeAlias = Mapping[str, object]
KEYS = ("who", "agreed", "facts", "open", "tools", "language", "tone")


def summarise(conversation: Sequence[Turn], told: str, unfinished: Iterable[str] = ()) -> str:
    """The call in one JSON object with `KEYS`; values are texts or lists of texts.

    What the caller said stands in `facts` word for word. `told` is what the model was told beside
    the conversation: what a summary in it holds is carried over. `unfinished` goes to `open`.
    """
    earlier = last_summary(told)
    heard = [turn.text for turn in conversation if turn.role == "user" and turn.text]
    waiting = [*_waiting(conversation), *unfinished]
    if all(turn.role == "system" for turn in conversation):
        waiting = [*texts_of(earlier, "open"), *waiting]
    first = f"a caller who began with: {heard[0]}" if heard else "a caller"
    written = {
        "who": earlier.get("who") or first,
        "agreed": _merged(texts_of(earlier, "agreed"), _confirmed(conversation)),
        "facts": _merged(texts_of(earlier, "facts"), heard),
        "open": _merged(waiting),
        "tools": _merged(texts_of(earlier, "tools"), _results(conversation)),
        "language": earlier.get("language") or "English",
        "tone": earlier.get("tone") or "calm",
    }
    return json.dumps(written, ensure_ascii=False)


def last_summary(text: str) -> Summary:
    """The last JSON object in a text that has one of `KEYS`; empty when there is none."""
    found: Summary = {}
    start, decoder = text.find("{"), json.JSONDecoder()
    while start >= 0:
        end = start + 1
        try:
            value, end = decoder.raw_decode(text, start)
        except ValueError:
            value = None
        if isinstance(value, dict) and any(key in value for key in KEYS):
            found = value
        start = text.find("{", end)
    return found


def texts_of(summary: Summary, key: str) -> list[str]:
    """The texts under a key, whether it holds a list, one text or nothing."""
    value = summary.get(key)
    values = value if isinstance(value, list) else [value]
    return [str(text) for text in values if text]


def _merged(*lists: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for texts in lists for text in texts))


def _confirmed(conversation: Sequence[Turn]) -> Iterator[str]:
    """What the agent said with a tool's result in hand."""
    for before, turn in pairwise(conversation):
        if before.role == "function_call_output" and turn.role == "assistant" and turn.text:
            yield turn.text


def _results(conversation: Sequence[Turn]) -> Iterator[str]:
    calls: list[Turn] = []
    for turn in conversation:
        if turn.role == "function_call":
            calls.append(turn)
        elif turn.role == "function_call_output":
            call = calls.pop(0) if calls else None
            yield f"{call.name} {call.text} -> {turn.text}" if call else turn.text


def _waiting(conversation: Sequence[Turn]) -> list[str]:
    """Who waits for what at the end of the conversation."""
    calls: list[str] = []
    said: list[str] = []
    for turn in conversation:
        match turn.role:
            case "function_call":
                calls.append(f"the result of {turn.name} is awaited")
                said.clear()
            case "function_call_output" if calls:
                calls.pop(0)
            case "assistant":
                said = [f"the agent asked: {turn.text}"] if turn.text.endswith("?") else []
            case "user":
                said = [f"not answered yet: {turn.text}"] if turn.text else []
    return [*calls, *said]
