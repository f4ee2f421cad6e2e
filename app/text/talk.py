"""A conversation by text as it is kept: whose it is, what was said, the turn that is under way.

All of it is in one value, so that one write moves it on: a message that a turn has taken is out of
the inbox and in the state, or the other way round, never in both and never in none.
"""

from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, TypeVar

import msgspec

from app.call.events import Entry

T = TypeVar("T")
LineKind: TypeAlias = Literal["caller", "agent", "tool", "note"]
Canned: TypeAlias = Literal["text", "first", "help"]
MOST_TAKEN = 200
"""Ids of messages that are remembered to know their copies."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was said, written or done. `note`: ours, for the model."""

    kind: LineKind
    text: str = ""
    call_id: str = ""
    name: str = ""
    arguments: str = ""
    output: str | None = None
    """Of a tool. None: it has not come back."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that no turn has taken. `first` and `help` are ours to answer without a model."""

    message_id: str
    text: str
    at_s: float
    """Unix seconds."""
    kind: Canned = "text"
    ours: str = ""
    """The number of ours, or the messaging service, that it came to or is to come from."""
    theirs: str = ""
    agent: str = ""
    """Who should answer, where the conversation is new."""
    own: str = ""
    """Our number in it, also where a messaging service sends."""


@dataclass(slots=True)
class Turn:
    """What is done about some messages. Kept at every step, so that another worker can go on."""

    number: int
    kind: Canned
    lines: list[Line] = field(default_factory=list)
    """The messages, then the tools that ran for them."""
    rounds: int = 0
    """Answers of the model so far."""
    aside: str = ""
    """What the model wrote beside its newest tool calls; nobody was sent it."""
    reply: list[str] | None = None
    """The messages to send. None: not known yet."""
    sent: int = 0
    """How many of them are dealt with."""
    sending: bool = False
    """The next one may have been sent already."""
    failed: bool = False
    """The reply is an apology."""


@dataclass(slots=True)
class Pace:
    """How fast and how much is written, to know machines and to keep limits. Unix seconds."""

    sent_s: list[float] = field(default_factory=list)
    spent: list[tuple[float, float]] = field(default_factory=list)
    """When, and US dollars."""
    last_text: str = ""
    repeats: int = 0
    """How often in a row the same text came again."""
    quick: int = 0
    """Turns in a row whose message came faster than a person writes."""
    resting_until_s: float = 0.0


@dataclass(slots=True)
class Talk:
    """One conversation."""

    agent: str
    ours: str
    """The number they write to, or its messaging service."""
    theirs: str
    own: str = ""
    """Our number in it, also where a messaging service sends."""
    version: int = 0
    """Counts the writes; of two states the higher counts."""
    lines: list[Line] = field(default_factory=list)
    summary: str = ""
    """Stands for what was said before `lines`."""
    call_id: str = ""
    """The newest call whose memory it holds."""
    turn: Turn | None = None
    turns: int = 0
    taken: list[str] = field(default_factory=list)
    pace: Pace = field(default_factory=Pace)
    last_s: float = 0.0
    """When it was written in last."""
    apologised: bool = False
    """And no answer has gone out since."""

    def begin(self, messages: list[Waiting]) -> Turn:
        """A turn that takes these messages, all of one kind."""
        self.turns += 1
        lines = [Line("caller", m.text) for m in messages if m.kind == "text"]
        self.turn = Turn(self.turns, messages[0].kind, lines)
        self.taken = [*self.taken, *(m.message_id for m in messages)][-MOST_TAKEN:]
        return self.turn

    def finish(self) -> None:
        """The turn is over: what it did and what was sent of its reply is part of the lines."""
        turn = self.turn
        if turn is None:
            return
        self.lines += turn.lines
        self.lines += [Line("agent", text) for text in (turn.reply or [])[: turn.sent]]
        self.turn = None


@dataclass(frozen=True, slots=True)
class CallMemory:
    """What was said in a call, for the messages after it."""

    call_id: str
    agent: str
    at_s: float
    summary: str = ""
    lines: tuple[Line, ...] = ()


def line_of(entry: Entry) -> Line | None:
    """None for an entry whose words nobody knows."""
    if entry.kind == "tool":
        return Line(
            "tool",
            call_id=entry.call_id,
            name=entry.name,
            arguments=entry.arguments,
            output=entry.output,
        )
    text = f"[pressed keys] {entry.text}" if entry.kind == "keys" else entry.text
    kind: LineKind = "agent" if entry.kind == "agent" else "caller"
    return Line(kind, text) if entry.text else None


def with_output(lines: list[Line], call_id: str, output: str) -> list[Line]:
    """The same lines, with what came of a tool."""
    return [
        replace(line, output=output)
        if line.kind == "tool" and line.call_id == call_id and line.output is None
        else line
        for line in lines
    ]


def as_text(lines: list[Line]) -> str:
    """The conversation as plain text, as `app.call.history.as_text` writes a call."""
    names = {"caller": "Caller", "agent": "Agent", "tool": "Tool", "note": "System"}
    texts = []
    for line in lines:
        said = line.text
        if line.kind == "tool":
            said = f"{line.name} {line.arguments} -> {line.output or 'still running'}"
        texts.append(f"{names[line.kind]}: {said}")
    return "\n".join(texts)


encode = msgspec.json.encode


def read_talk(state: bytes | None) -> Talk | None:
    """None when there is none, or one that this version cannot read."""
    return _read(state, Talk)


def read_waiting(message: bytes) -> Waiting | None:
    return _read(message, Waiting)


def read_call(call: bytes | None) -> CallMemory | None:
    return _read(call, CallMemory)


def _read(value: bytes | None, kind: type[T]) -> T | None:
    try:
        return None if value is None else msgspec.json.decode(value, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
