"""The JSON of Media Streams, both ways (Twilio docs: websocket messages).

Every number that Twilio sends is a string, except `mediaFormat.sampleRate` and `.channels`.
"""

import json
from binascii import b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'


class BotMedia(msgspec.Struct, frozen=True, gc=False):
    payload: bytes


class BotMark(msgspec.Struct, frozen=True, gc=False):
    name: str


class BotMessage(msgspec.Struct, frozen=True, gc=False):
    """A message from the bot. Fields that Twilio does not document are let through unread."""

    event: str
    streamSid: str = ""
    media: BotMedia | None = None
    mark: BotMark | None = None


class InvalidMessage(ValueError):
    """The bot's fault: a message that Twilio would report as error 31951."""


_decoder = msgspec.json.Decoder(BotMessage)


def read_bot_message(text: bytes | str, stream_sid: str) -> BotMessage:
    """One text frame from the bot, checked. Raises InvalidMessage."""
    try:
        message = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidMessage(f"expected a media, mark or clear message: {error}") from error
    if message.event not in {"media", "mark", "clear"}:
        raise InvalidMessage(f"expected event media, mark or clear, got {message.event!r}")
    if message.streamSid != stream_sid:
        got = "another one" if message.streamSid else "none"
        raise InvalidMessage(f"expected the streamSid of the start message, got {got}")
    if message.event == "media" and (message.media is None or not message.media.payload):
        raise InvalidMessage("expected media.payload: base64 of at least one byte of μ-law")
    if message.event == "mark" and (message.mark is None or not message.mark.name):
        raise InvalidMessage("expected mark.name: a string that is not empty")
    return message


@dataclass(frozen=True, slots=True)
class StreamIdentity:
    stream_sid: str
    call_sid: str
    account_sid: str


class Writer:
    """Writes the carrier's messages of one stream; keeps `sequenceNumber` and `chunk`."""

    def __init__(self, identity: StreamIdentity) -> None:
        self._identity = identity
        self._sequence = 0
        self._chunk = 0
        self._media_tail = f'","streamSid":"{identity.stream_sid}","media":'

    def start(self, parameters: Mapping[str, str]) -> str:
        who = self._identity
        return self._numbered(
            "start",
            {
                "accountSid": who.account_sid,
                "streamSid": who.stream_sid,
                "callSid": who.call_sid,
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": dict(parameters),
            },
        )

    def media(self, frame: bytes, timestamp_ms: int) -> str:
        """Hot: 50 a second for each call, so put together from text and not from objects."""
        self._sequence += 1
        self._chunk += 1
        payload = b2a_base64(frame, newline=False).decode("ascii")
        return (
            f'{{"event":"media","sequenceNumber":"{self._sequence}{self._media_tail}'
            f'{{"track":"inbound","chunk":"{self._chunk}","timestamp":"{timestamp_ms}",'
            f'"payload":"{payload}"}}}}'
        )

    def dtmf(self, digit: str) -> str:
        return self._numbered("dtmf", {"track": "inbound_track", "digit": digit})

    def mark(self, name: str) -> str:
        return self._numbered("mark", {"name": name})

    def stop(self) -> str:
        who = self._identity
        return self._numbered("stop", {"accountSid": who.account_sid, "callSid": who.call_sid})

    def _numbered(self, event: str, body: Mapping[str, object]) -> str:
        self._sequence += 1
        return json.dumps(
            {
                "event": event,
                "sequenceNumber": str(self._sequence),
                "streamSid": self._identity.stream_sid,
                event: body,
            },
            separators=(",", ":"),
        )
