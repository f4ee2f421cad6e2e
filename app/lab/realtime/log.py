"""The truth about one session, for tests and measurements: what came, what went, what was cut.

Times are `time.monotonic()` seconds.
"""

import time
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app.lab.realtime.conversation import Conversation, turns
from app.lab.realtime.formats import AudioFormat
from app.lab.realtime.ports import Turn


@dataclass(frozen=True, slots=True)
class ClientEvent:
    """Any event but `input_audio_buffer.append`, which is kept as an `Append`."""

    at_s: float
    type: str
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Append:
    at_s: float
    end_byte: int
    """Length of `SessionLog.caller_audio` after this append."""


@dataclass(frozen=True, slots=True)
class ServerFrame:
    """One WebSocket message as it was handed to the socket."""

    at_s: float
    type: str
    """The event's type; "nonsense" for garbage sent on purpose."""
    payload: bytes

    @property
    def event(self) -> dict[str, Any]:
        """Raises msgspec.DecodeError for nonsense."""
        return msgspec.json.decode(self.payload, type=dict[str, Any])


@dataclass(slots=True)
class LoggedItem:
    """A message the model spoke or wrote, whole: cuts do not shorten `audio` or `text`."""

    item_id: str
    response_id: str
    audio_format: AudioFormat
    audio: bytearray = field(default_factory=bytearray)
    """Every byte queued for sending, in wire format."""
    text: str = ""
    """Every transcript (or text) delta so far."""
    truncated_ms: int | None = None
    """The last accepted `audio_end_ms`."""
    deleted: bool = False

    @property
    def audio_ms(self) -> int:
        return len(self.audio) // self.audio_format.bytes_per_ms


@dataclass(frozen=True, slots=True)
class Truncation:
    at_s: float
    item_id: str
    audio_end_ms: int
    accepted: bool


@dataclass(frozen=True, slots=True)
class LoggedError:
    at_s: float
    code: str
    message: str
    event_id: str | None
    """The client event at fault, when it had an id."""


@dataclass(slots=True)
class SessionLog:
    session_id: str
    model: str
    opened_s: float = field(default_factory=time.monotonic)
    instructions: str = ""
    """The session's, as they stand now."""
    conversation: Conversation = field(default_factory=Conversation, repr=False)
    """What the model remembers now."""
    received: list[ClientEvent] = field(default_factory=list)
    appends: list[Append] = field(default_factory=list)
    sent: list[ServerFrame] = field(default_factory=list)
    caller_audio: bytearray = field(default_factory=bytearray)
    """Every caller byte in order, in the session's input format."""
    items: dict[str, LoggedItem] = field(default_factory=dict)
    """Assistant messages by item id, in order of creation."""
    truncations: list[Truncation] = field(default_factory=list)
    errors: list[LoggedError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What a scripted brain did that a model could not do, such as calling an unknown tool."""
    dropped_s: float | None = None
    """When `LabRealtime.drop`, `Behaviour.drop_after_s` or the cap ended it."""
    closed_s: float | None = None

    def events(self, *types: str) -> list[dict[str, Any]]:
        """Sent events of these types (all types when none is given), nonsense left out."""
        return [
            frame.event
            for frame in self.sent
            if frame.type != "nonsense" and (not types or frame.type in types)
        ]

    def context(self) -> str:
        """All that the model can see now, as text: the instructions, then a line for each item.

        Speech stands as the ear heard it, whether or not the client was told. An answer that was
        cut is empty, as its words are forgotten; one that is still being said is left out.
        """
        lines = [f"{t.role}: {f'{t.name} ' if t.name else ''}{t.text}" for t in self.turns()]
        return "\n".join([self.instructions, *lines])

    def turns(self) -> list[Turn]:
        """The conversation as the brain reads it now."""
        return turns(self.conversation.items)

    def received_types(self) -> list[str]:
        """Types of the client events in order, appends left out."""
        return [event.type for event in self.received]
