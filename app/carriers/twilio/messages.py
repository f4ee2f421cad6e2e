"""What a media socket delivers once it is checked, and what it refuses."""

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from app.carriers.line import Violation


class ViolationKind(StrEnum):
    BINARY_FRAME = "binary_frame"
    OVERSIZED = "oversized"
    NOT_JSON = "not_json"
    BAD_FIELDS = "bad_fields"
    UNKNOWN_EVENT = "unknown_event"
    WRONG_STREAM = "wrong_stream"
    WRONG_TRACK = "wrong_track"
    REPEATED = "repeated"
    EMPTY_PAYLOAD = "empty_payload"
    BAD_PAYLOAD = "bad_payload"
    WRONG_PROTOCOL = "wrong_protocol"
    WRONG_FORMAT = "wrong_format"
    BEFORE_START = "before_start"
    SECOND_CONNECTED = "second_connected"
    SECOND_START = "second_start"
    AFTER_STOP = "after_stop"


_FATAL = frozenset(
    {
        ViolationKind.WRONG_PROTOCOL,
        ViolationKind.WRONG_FORMAT,
        ViolationKind.BEFORE_START,
        ViolationKind.SECOND_CONNECTED,
        ViolationKind.SECOND_START,
    }
)


class ProtocolViolation(Violation):
    """Twilio's messages in a wrong order, or malformed."""

    kind: ViolationKind

    def __init__(self, kind: ViolationKind, text: str, *, fatal: bool = False) -> None:
        super().__init__(kind, text, fatal=fatal or kind in _FATAL)


class Connected(Struct, frozen=True):
    """The socket speaks Media Streams; no stream yet."""


class Start(Struct, frozen=True):
    """The stream begins; nothing about it is trusted until its token is checked."""

    stream_sid: str
    call_sid: str
    account_sid: str
    parameters: dict[str, str]


class Media(Struct, frozen=True, gc=False):
    """One frame of the caller's audio: μ-law, 8 kHz, mono, of any length."""

    sequence: int
    timestamp_ms: int
    """Presentation time of the first byte, since the start of the stream."""
    payload: str
    """The audio in base64, as it came, so that it can be passed on without encoding it again."""
    audio: bytes

    @property
    def n_bytes(self) -> int:
        return len(self.audio)


class Dtmf(Struct, frozen=True):
    digit: str


class Mark(Struct, frozen=True):
    name: str


class Stop(Struct, frozen=True):
    """The caller hung up, or the stream was ended from Twilio's side."""

    call_sid: str


Message: TypeAlias = Connected | Start | Media | Dtmf | Mark | Stop
