"""Telnyx media streaming as a state machine for one socket: frames in, checked messages out.

    AWAITING_START --start--> STREAMING --stop--> STOPPED       `connected` may come before

A frame that breaks the rules raises `ProtocolViolation` and is counted by kind; those of a wrong
order or a wrong sound are fatal, and so are `MOST_IN_A_ROW` bad ones without a good one between.
"""

from binascii import a2b_base64
from collections import Counter
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from app.carriers.json_events import NOT_DECODED
from app.carriers.line import Frame, Violation
from app.carriers.telnyx import wire

MOST_CHARACTERS: Final = 65_536
MOST_IN_A_ROW: Final = 50
_State: TypeAlias = Literal["awaiting start", "streaming", "stopped"]


class ViolationKind(StrEnum):
    BINARY_FRAME = "binary_frame"
    OVERSIZED = "oversized"
    NOT_JSON = "not_json"
    BAD_FIELDS = "bad_fields"
    UNKNOWN_EVENT = "unknown_event"
    BAD_PAYLOAD = "bad_payload"
    WRONG_TRACK = "wrong_track"
    WRONG_FORMAT = "wrong_format"
    OUT_OF_ORDER = "out_of_order"


class ProtocolViolation(Violation):
    """Telnyx' fault. `text` is safe to log."""


class TelnyxProtocol:
    """One socket's side of the conversation with Telnyx."""

    def __init__(self) -> None:
        self.violations: Counter[ViolationKind] = Counter()
        self._state: _State = "awaiting start"
        self._in_a_row = 0

    def receive(self, frame: Frame) -> wire.Message:
        """Check one WebSocket frame. Raises `ProtocolViolation`; go on after it unless its `fatal`
        is set."""
        try:
            message = self._read(frame)
        except ProtocolViolation as violation:
            assert isinstance(violation.kind, ViolationKind), "none of another carrier comes here"
            self.violations[violation.kind] += 1
            self._in_a_row += 1
            violation.fatal = violation.fatal or self._in_a_row >= MOST_IN_A_ROW
            raise
        self._in_a_row = 0
        return message

    def _read(self, frame: Frame) -> wire.Message:
        if isinstance(frame, bytes):
            raise ProtocolViolation(ViolationKind.BINARY_FRAME, "expected text, got a binary frame")
        if len(frame) > MOST_CHARACTERS:
            text = f"expected at most {MOST_CHARACTERS} characters, got {len(frame)}"
            raise ProtocolViolation(ViolationKind.OVERSIZED, text)
        try:
            message = wire.decode(frame)
        except NOT_DECODED as error:
            kind, text = wire.malformed(frame, error)
            raise ProtocolViolation(ViolationKind(kind), text) from error
        except UnicodeError as error:
            text = "expected valid Unicode text"
            raise ProtocolViolation(ViolationKind.NOT_JSON, text) from error
        self._in_turn(message)
        return message

    def _in_turn(self, message: wire.Message) -> None:
        match message:
            case wire.Connected() | wire.Error():
                return
            case wire.Start() if self._state == "awaiting start":
                _check(message)
                self._state = "streaming"
            case wire.Start():
                self._out_of_order("start")
            case _ if self._state != "streaming":
                self._out_of_order("anything but start")
            case wire.Stop():
                self._state = "stopped"
            case wire.Media() if message.media.track not in ("inbound", "inbound_track"):
                text = "expected media of the inbound track: stream_track=inbound_track"
                raise ProtocolViolation(ViolationKind.WRONG_TRACK, text)

    def _out_of_order(self, what: str) -> None:
        text = f"the socket is {self._state}, got {what}"
        raise ProtocolViolation(ViolationKind.OUT_OF_ORDER, text, fatal=True)


def audio_of(media: wire.Media) -> bytes:
    """Its μ-law. Raises `ProtocolViolation`."""
    try:
        ulaw = a2b_base64(media.media.payload, strict_mode=True)
    except ValueError as error:
        text = f"expected base64 in media.payload: {error}"
        raise ProtocolViolation(ViolationKind.BAD_PAYLOAD, text) from error
    if not ulaw:
        raise ProtocolViolation(ViolationKind.BAD_PAYLOAD, "expected audio in media.payload")
    return ulaw


def _check(start: wire.Start) -> None:
    format_ = start.start.media_format
    if (format_.encoding, format_.sample_rate, format_.channels) != ("PCMU", 8000, 1):
        text = (
            "expected PCMU, 8000 Hz, 1 channel: ask for stream_bidirectional_mode=rtp and "
            "stream_bidirectional_codec=PCMU"
        )
        raise ProtocolViolation(ViolationKind.WRONG_FORMAT, text, fatal=True)
