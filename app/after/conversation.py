"""What was said in a call, as it outlives it: from the heart at the end, or from what it left."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import msgspec

from app.call.call import Call
from app.call.events import Entry, Snapshot

MOST_CHARS: Final = 60_000
"""Of a transcript for a model: some 15,000 tokens, two hours of talk. The middle of a longer one is
left out."""
LEFT_OUT: Final = "(a part of the conversation is left out here)"

Speaker: TypeAlias = Literal["caller", "agent", "keys", "tool"]
_NAMES: Final[Mapping[str, str]] = {
    "caller": "Caller",
    "agent": "Agent",
    "keys": "Caller pressed",
    "tool": "Tool",
}


@dataclass(frozen=True, slots=True)
class Conversation:
    """Timeline: the newest stream's, where it ran in this process."""

    call_id: str
    direction: str = ""
    summary: str = field(default="", repr=False)
    """Stands for what was said before `entries`."""
    entries: tuple[Entry, ...] = field(default=(), repr=False)
    timeline: Mapping[str, object] | None = field(default=None, repr=False)

    @property
    def caller_spoke(self) -> bool:
        return bool(self.summary) or any(e.kind in ("caller", "keys") for e in self.entries)

    def lines(self) -> list[dict[str, str]]:
        """For records and webhooks: who said what, in order."""
        return [{"speaker": entry.kind, "text": said} for entry, said in _said(self.entries)]

    def as_text(self, most_chars: int = MOST_CHARS) -> str:
        """For a model: a line for each thing that was said or done.

        Whatever somebody said stays on its own line: nobody can speak for somebody else by saying
        "new line, Agent:".
        """
        lines = [f"{_NAMES[entry.kind]}: {said}" for entry, said in _said(self.entries)]
        if self.summary:
            lines.insert(0, f"Summary of what was said before: {_flat(self.summary)}")
        return _cut(lines, most_chars)


def conversation_of(call: Call) -> Conversation:
    """All that the heart knows when its stream has ended."""
    history = call.history
    everything = len(history.log)
    return Conversation(
        call.call_id,
        summary=history.summary,
        entries=history.entries(keep=everything, most=everything),
        timeline=call.timeline.as_json(),
    )


def of_snapshot(snapshot: Snapshot) -> Conversation:
    return Conversation(
        snapshot.call_id, snapshot.direction, snapshot.summary, tuple(snapshot.entries)
    )


class _Packed(msgspec.Struct):
    call_id: str
    direction: str
    summary: str
    entries: tuple[Entry, ...]


def packed(conversation: Conversation) -> bytes:
    """Without its timeline."""
    kept = conversation
    return msgspec.json.encode(_Packed(kept.call_id, kept.direction, kept.summary, kept.entries))


def unpacked(data: bytes) -> Conversation | None:
    """None for what this version cannot read."""
    try:
        kept = msgspec.json.decode(data, type=_Packed)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return Conversation(kept.call_id, kept.direction, kept.summary, kept.entries)


def _said(entries: tuple[Entry, ...]) -> list[tuple[Entry, str]]:
    """Those of which the words are known."""
    said = [(entry, _flat(_words(entry))) for entry in entries]
    return [(entry, words) for entry, words in said if words]


def _words(entry: Entry) -> str:
    if entry.kind != "tool":
        return entry.text
    return f"{entry.name} {entry.arguments} -> {_result(entry.output)}"


def _result(output: str | None) -> str:
    return "still running" if output is None else output or json.dumps("")


def _flat(text: str) -> str:
    """On one line, by every idea of what a line is."""
    return " ".join(" ".join(text.splitlines()).split())


def _cut(lines: list[str], most_chars: int) -> str:
    text = "\n".join(lines)
    if len(text) <= most_chars:
        return text
    half = most_chars // 2
    head, tail = text[:half], text[-half:]
    return (
        f"{head.rpartition(chr(10))[0] or head}\n{LEFT_OUT}\n{tail.partition(chr(10))[2] or tail}"
    )
