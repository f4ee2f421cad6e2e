"""Media Streams as a state machine for one socket: frames in, checked messages out. No I/O.

The order that Twilio documents ("Media Streams: WebSocket messages"), and nothing else:

    AWAITING_CONNECTED --connected--> AWAITING_START --start--> STREAMING --stop--> STOPPED
                                                                media, dtmf, mark stay here

A frame that breaks the rules raises `ProtocolViolation` and is counted by kind. Two sorts exist:
- fatal: the order is broken (anything out of turn, a second start), or `start` describes a stream
  that is not ours to serve (wrong format, two stream ids). The socket must be closed.
- recoverable: this frame is dropped and the call goes on. `MOST_IN_A_ROW` of them without a good
  frame between (one second of frames) are fatal too: that peer does not speak this protocol.

The stream id in a message must be the one of `start`. Media must carry the inbound track and a
sequence number above that of the media before it, so a repeated frame is never heard twice.
Timestamps are bounded here; `clock.CarrierClock` judges their progress.
"""

from binascii import a2b_base64
from collections import Counter
from enum import Enum
from typing import Final, NoReturn

from app.carriers.json_events import NOT_DECODED, NotDecoded
from app.carriers.twilio import wire
from app.carriers.twilio.messages import (
    Connected,
    Dtmf,
    Mark,
    Media,
    Message,
    ProtocolViolation,
    Start,
    Stop,
    ViolationKind,
)
from app.carriers.twilio.wire import encode_clear, encode_mark, encode_media

__all__ = [
    "MOST_CHARACTERS",
    "MOST_IN_A_ROW",
    "Connected",
    "Dtmf",
    "Mark",
    "Media",
    "MediaProtocol",
    "Message",
    "ProtocolViolation",
    "Start",
    "Stop",
    "ViolationKind",
    "encode_clear",
    "encode_mark",
    "encode_media",
]

MOST_CHARACTERS: Final = 65_536
"""Longest text frame that is read, in characters."""
MOST_IN_A_ROW: Final = 50
"""Bad frames in a row that end the call: one second of 20 ms frames."""


# Looked up once: fifty frames a second of each call come through here.
_decode = wire.decode
_MediaWire = wire.MediaWire


class _State(Enum):
    AWAITING_CONNECTED = "awaiting connected"
    AWAITING_START = "awaiting start"
    STREAMING = "streaming"
    STOPPED = "stopped"


class MediaProtocol:
    """One socket's side of the conversation with Twilio."""

    def __init__(self) -> None:
        self.violations: Counter[ViolationKind] = Counter()
        """Frames refused so far, by kind."""
        self._in_a_row = 0
        self._state = _State.AWAITING_CONNECTED
        self._stream_sid: str | None = None
        """None until start and after stop, when no media is due."""
        self._call_sid = ""
        self._media_sequence = -1

    def receive(self, frame: str | bytes) -> Message:
        """Check one WebSocket frame; `bytes` means that it came as a binary frame.

        Raises `ProtocolViolation`; go on after it unless its `fatal` is set.
        """
        try:
            message = self._read(frame)
        except ProtocolViolation as violation:
            self._count(violation)
            raise
        self._in_a_row = 0
        return message

    def _count(self, violation: ProtocolViolation) -> None:
        self.violations[violation.kind] += 1
        self._in_a_row += 1
        if self._in_a_row >= MOST_IN_A_ROW:
            violation.fatal = True

    def _read(self, frame: str | bytes) -> Message:
        if isinstance(frame, bytes):
            raise ProtocolViolation(ViolationKind.BINARY_FRAME, "expected text, got a binary frame")
        if len(frame) > MOST_CHARACTERS:
            text = f"expected at most {MOST_CHARACTERS} characters, got {len(frame)}"
            raise ProtocolViolation(ViolationKind.OVERSIZED, text)
        try:
            message = _decode(frame)
        except (*NOT_DECODED, UnicodeError) as error:
            _refuse_malformed(frame, error)
        if type(message) is _MediaWire and message.stream_sid == self._stream_sid:
            return self._media(message)
        return self._control(message)

    def _media(self, message: wire.MediaWire) -> Media:
        body, sequence = message.media, message.sequence_number
        if body.track != "inbound":
            raise ProtocolViolation(ViolationKind.WRONG_TRACK, "expected media of track inbound")
        if sequence <= self._media_sequence:
            text = f"expected sequenceNumber > {self._media_sequence}, got {sequence}"
            raise ProtocolViolation(ViolationKind.REPEATED, text)
        try:
            audio = a2b_base64(body.payload, strict_mode=True)
        except ValueError as error:
            text = f"expected base64 in media.payload: {error}"
            raise ProtocolViolation(ViolationKind.BAD_PAYLOAD, text) from error
        if not audio:
            raise ProtocolViolation(ViolationKind.EMPTY_PAYLOAD, "expected audio in media.payload")
        self._media_sequence = sequence
        return Media(sequence, body.timestamp, body.payload, audio)

    def _control(self, message: wire.Wire) -> Message:
        if self._state is _State.STOPPED:
            raise ProtocolViolation(ViolationKind.AFTER_STOP, "expected nothing after stop")
        if isinstance(message, wire.ConnectedWire):
            return self._connected(message)
        if isinstance(message, wire.StartWire):
            return self._start(message)
        if self._state is not _State.STREAMING:
            text = f"the socket is {self._state.value}, got {_event(message)}"
            raise ProtocolViolation(ViolationKind.BEFORE_START, text)
        if message.stream_sid != self._stream_sid:
            _refuse_stream(_event(message))
        return self._within(message)

    def _connected(self, message: wire.ConnectedWire) -> Connected:
        if self._state is not _State.AWAITING_CONNECTED:
            raise ProtocolViolation(ViolationKind.SECOND_CONNECTED, "expected one connected")
        if message.protocol != "Call" or message.version.partition(".")[0] != "1":
            text = 'expected protocol "Call", version 1.x.x'
            raise ProtocolViolation(ViolationKind.WRONG_PROTOCOL, text)
        self._state = _State.AWAITING_START
        return Connected()

    def _start(self, message: wire.StartWire) -> Start:
        if self._state is _State.AWAITING_CONNECTED:
            raise ProtocolViolation(ViolationKind.BEFORE_START, "expected connected before start")
        if self._state is _State.STREAMING:
            raise ProtocolViolation(ViolationKind.SECOND_START, "expected one start on a socket")
        body = message.start
        _check_start(message)
        self._state = _State.STREAMING
        self._stream_sid = body.stream_sid
        self._call_sid = body.call_sid
        return Start(body.stream_sid, body.call_sid, body.account_sid, body.custom_parameters)

    def _within(self, message: wire.Wire) -> Message:
        if isinstance(message, wire.MarkWire):
            return Mark(message.mark.name)
        if isinstance(message, wire.DtmfWire):
            return Dtmf(message.dtmf.digit)
        assert isinstance(message, wire.StopWire)  # the only one left of the union
        if message.stop.call_sid != self._call_sid:
            _refuse_stream("stop")
        self._state = _State.STOPPED
        self._stream_sid = None
        return Stop(message.stop.call_sid)


def _event(message: wire.Wire) -> str:
    return str(type(message).__struct_config__.tag)


def _check_start(message: wire.StartWire) -> None:
    body, format_ = message.start, message.start.media_format
    if body.stream_sid != message.stream_sid:
        text = "expected the same streamSid twice in start"
        raise ProtocolViolation(ViolationKind.WRONG_STREAM, text, fatal=True)
    if body.tracks != ["inbound"]:
        text = "expected the track inbound alone; use <Connect><Stream>, not <Start><Stream>"
        raise ProtocolViolation(ViolationKind.WRONG_TRACK, text, fatal=True)
    if (format_.encoding, format_.sample_rate, format_.channels) != ("audio/x-mulaw", 8000, 1):
        text = "expected mediaFormat audio/x-mulaw, 8000 Hz, 1 channel"
        raise ProtocolViolation(ViolationKind.WRONG_FORMAT, text)


def _refuse_malformed(frame: str, error: NotDecoded | UnicodeError) -> NoReturn:
    if isinstance(error, UnicodeError):
        text = "expected valid Unicode text"
        raise ProtocolViolation(ViolationKind.NOT_JSON, text) from error
    kind, text = wire.malformed(frame, error)
    raise ProtocolViolation(ViolationKind(kind), text) from error


def _refuse_stream(event: str) -> NoReturn:
    text = f"{event} does not name the stream and call that start named"
    raise ProtocolViolation(ViolationKind.WRONG_STREAM, text)
