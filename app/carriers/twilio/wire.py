"""Media Streams on the wire: the shapes that Twilio sends, and what we send back.

Source: Twilio docs, "Media Streams: WebSocket messages". Numbers come as strings and are read as
integers here; a plain JSON number is accepted too. Unknown fields are ignored, since Twilio may
add some. This module knows shapes only; the order of messages is `media.MediaProtocol`'s business.
"""

from binascii import b2a_base64
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from app.carriers import json_events
from app.carriers.json_events import Malformed, NotDecoded

_MOST = 10**15
Number: TypeAlias = Annotated[int, Meta(ge=0, le=_MOST)]
# Ids are pasted into JSON and used as keys elsewhere, so only plain characters may pass.
Id: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
Digit: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9A-D*#]\Z")]


class ConnectedWire(Struct, tag_field="event", tag="connected"):
    protocol: str
    version: str


class FormatWire(Struct, rename="camel"):
    encoding: str
    sample_rate: int
    channels: int


class StartBody(Struct, rename="camel"):
    account_sid: Id
    call_sid: Id
    stream_sid: Id
    tracks: list[str]
    media_format: FormatWire
    custom_parameters: dict[str, str] = field(default_factory=dict)


class StartWire(Struct, tag_field="event", tag="start", rename="camel"):
    sequence_number: Number
    stream_sid: Id
    start: StartBody


# gc=False: these hold only strings and numbers, so they can never be part of a cycle.
class MediaBody(Struct, gc=False):
    track: str
    chunk: Number
    timestamp: Number
    payload: str


class MediaWire(Struct, tag_field="event", tag="media", rename="camel", gc=False):
    sequence_number: Number
    stream_sid: str
    media: MediaBody


class DtmfBody(Struct):
    digit: Digit
    track: str = "inbound_track"


class DtmfWire(Struct, tag_field="event", tag="dtmf", rename="camel"):
    sequence_number: Number
    stream_sid: str
    dtmf: DtmfBody


class MarkBody(Struct):
    name: str


class MarkWire(Struct, tag_field="event", tag="mark", rename="camel"):
    sequence_number: Number
    stream_sid: str
    mark: MarkBody


class StopBody(Struct, rename="camel"):
    call_sid: Id
    account_sid: str = ""


class StopWire(Struct, tag_field="event", tag="stop", rename="camel"):
    sequence_number: Number
    stream_sid: str
    stop: StopBody


Wire: TypeAlias = ConnectedWire | StartWire | MediaWire | DtmfWire | MarkWire | StopWire

_EVENTS = frozenset({"connected", "start", "media", "dtmf", "mark", "stop"})
# strict=False is what lets "5" be read as the number 5, in C.
_decoder: msgspec.json.Decoder[Wire] = msgspec.json.Decoder(Wire, strict=False)


decode = _decoder.decode
"""One text frame to one wire message. Raises `msgspec.DecodeError`; see `malformed`."""


def malformed(text: str, error: NotDecoded) -> tuple[Malformed, str]:
    """See `app.carriers.json_events`."""
    return json_events.malformed(text, error, _EVENTS)


def encode_media(stream_sid: str, pcmu: bytes) -> str:
    """Queue μ-law audio (8 kHz, mono, no file header, any length) for playing."""
    payload = b2a_base64(pcmu, newline=False).decode("ascii")
    return f'{{"event":"media","streamSid":"{stream_sid}","media":{{"payload":"{payload}"}}}}'


def encode_mark(stream_sid: str, name: str) -> str:
    """Ask for an echo when all audio queued so far was played, or was flushed by a clear."""
    quoted = msgspec.json.encode(name).decode()
    return f'{{"event":"mark","streamSid":"{stream_sid}","mark":{{"name":{quoted}}}}}'


def encode_clear(stream_sid: str) -> str:
    """Empty the playout buffer; every pending mark comes back at once."""
    return f'{{"event":"clear","streamSid":"{stream_sid}"}}'
