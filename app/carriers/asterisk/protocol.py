"""chan_websocket as a state machine for one socket: frames in, checked messages out. No I/O.

    AWAITING_START --MEDIA_START--> STREAMING       sound and events stay here; there is no stop:
                                                    the PBX closes the socket

A frame that breaks the rules raises `ProtocolViolation` and is counted by kind. Two sorts exist:
- fatal: anything before MEDIA_START, a second one, or one that describes sound which is not ours to
  carry. The socket must be closed.
- recoverable: this frame is dropped and the call goes on. `MOST_IN_A_ROW` of them without a good
  frame between are fatal too: that peer does not speak this protocol.
"""

from collections import Counter
from enum import StrEnum
from typing import Final, TypeAlias

from app.carriers.asterisk import wire
from app.carriers.json_events import NOT_DECODED, NotDecoded
from app.carriers.line import Frame, Violation

MOST_CHARACTERS: Final = 65_536
"""Longest text that is read."""
MOST_AUDIO_BYTES: Final = 8_000
"""Longest piece of sound that is read: one second. Asterisk sends 20 ms."""
MOST_IN_A_ROW: Final = 50
"""Bad frames in a row that end the call."""
FORMAT: Final = "ulaw"

Message: TypeAlias = bytes | wire.Event
"""The caller's μ-law, or an event."""


class ViolationKind(StrEnum):
    NOT_AN_EVENT = "not_an_event"
    BAD_FIELDS = "bad_fields"
    UNKNOWN_EVENT = "unknown_event"
    OVERSIZED = "oversized"
    EMPTY_AUDIO = "empty_audio"
    BEFORE_START = "before_start"
    SECOND_START = "second_start"
    WRONG_FORMAT = "wrong_format"


class ProtocolViolation(Violation):
    """The PBX's fault. `text` is safe to log."""


class PbxProtocol:
    """One socket's side of the conversation with Asterisk."""

    def __init__(self) -> None:
        self.violations: Counter[ViolationKind] = Counter()
        """Frames refused so far, by kind."""
        self.format: wire.Format = "json"
        """What the PBX speaks, once it has spoken."""
        self._started = False
        self._in_a_row = 0

    def receive(self, frame: Frame) -> Message:
        """Check one WebSocket frame. Raises `ProtocolViolation`; go on after it unless its `fatal`
        is set."""
        try:
            message = self._sound(frame) if isinstance(frame, bytes) else self._event(frame)
        except ProtocolViolation as violation:
            self._count(violation)
            raise
        self._in_a_row = 0
        return message

    def _count(self, violation: ProtocolViolation) -> None:
        assert isinstance(violation.kind, ViolationKind), "none of another carrier comes here"
        self.violations[violation.kind] += 1
        self._in_a_row += 1
        if self._in_a_row >= MOST_IN_A_ROW:
            violation.fatal = True

    def _sound(self, ulaw: bytes) -> bytes:
        if not self._started:
            text = "expected MEDIA_START before any sound"
            raise ProtocolViolation(ViolationKind.BEFORE_START, text, fatal=True)
        if not ulaw:
            raise ProtocolViolation(ViolationKind.EMPTY_AUDIO, "expected sound, got an empty frame")
        if len(ulaw) > MOST_AUDIO_BYTES:
            text = f"expected at most {MOST_AUDIO_BYTES} bytes of sound, got {len(ulaw)}"
            raise ProtocolViolation(ViolationKind.OVERSIZED, text)
        return ulaw

    def _event(self, text: str) -> wire.Event:
        if len(text) > MOST_CHARACTERS:
            wrong = f"expected at most {MOST_CHARACTERS} characters, got {len(text)}"
            raise ProtocolViolation(ViolationKind.OVERSIZED, wrong)
        format_ = self.format if self._started else wire.format_of(text)
        try:
            event = wire.decode(text, format_)
        except (*NOT_DECODED, UnicodeError) as error:
            raise _refusal(text, format_, error) from error
        if isinstance(event, wire.MediaStart):
            self._start(event, format_)
        elif not self._started:
            wrong = "expected MEDIA_START before any other event"
            raise ProtocolViolation(ViolationKind.BEFORE_START, wrong, fatal=True)
        return event

    def _start(self, start: wire.MediaStart, format_: wire.Format) -> None:
        if self._started:
            text = "expected one MEDIA_START on a socket"
            raise ProtocolViolation(ViolationKind.SECOND_START, text, fatal=True)
        if start.format != FORMAT or start.optimal_frame_size * 50 != 8_000:
            text = "expected 8 kHz μ-law in frames of 20 ms: dial WebSocket/.../c(ulaw)"
            raise ProtocolViolation(ViolationKind.WRONG_FORMAT, text, fatal=True)
        self._started, self.format = True, format_


def _refusal(
    text: str, format_: wire.Format, error: NotDecoded | UnicodeError
) -> ProtocolViolation:
    if isinstance(error, UnicodeError):
        return ProtocolViolation(ViolationKind.NOT_AN_EVENT, "expected valid Unicode text")
    kind, wrong = wire.malformed(text, format_, error)
    return ProtocolViolation(ViolationKind(kind), wrong)
