"""Telnyx media streaming on the wire: Twilio's messages with other names.

Source: Telnyx docs, "Stream call media over WebSocket". Numbers come as strings and are read as
integers. Unknown fields are ignored, as Telnyx may add some.
"""

from binascii import b2a_base64
from collections.abc import Mapping
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from app.carriers import json_events
from app.carriers.json_events import Malformed, NotDecoded

Number: TypeAlias = Annotated[int, Meta(ge=0, le=10**15)]
Id: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:~+/=-]{1,256}\Z")]
Digit: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9A-D*#]\Z")]


class Connected(Struct, tag_field="event", tag="connected"):
    """The socket speaks; no stream yet."""


class MediaFormat(Struct):
    encoding: str
    sample_rate: int
    channels: int = 1


class StartBody(Struct):
    call_control_id: Id
    media_format: MediaFormat
    from_: str = field(default="", name="from")
    to: str = ""
    custom_parameters: Mapping[str, str] = field(default_factory=dict)


class Start(Struct, tag_field="event", tag="start"):
    stream_id: Id
    start: StartBody


class MediaBody(Struct, gc=False):
    chunk: Number
    timestamp: Number
    payload: str
    track: str = "inbound"


class Media(Struct, tag_field="event", tag="media", gc=False):
    media: MediaBody


class DtmfBody(Struct):
    digit: Digit


class Dtmf(Struct, tag_field="event", tag="dtmf"):
    dtmf: DtmfBody


class MarkBody(Struct):
    name: str


class Mark(Struct, tag_field="event", tag="mark"):
    mark: MarkBody


class Stop(Struct, tag_field="event", tag="stop"):
    """The caller hung up, or the stream was ended from Telnyx' side."""


class Error(Struct, tag_field="event", tag="error"):
    """Telnyx could not do what it was told."""


Message: TypeAlias = Connected | Start | Media | Dtmf | Mark | Stop | Error
_EVENTS: Final = frozenset({"connected", "start", "media", "dtmf", "mark", "stop", "error"})
_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message, strict=False)

decode = _decoder.decode
"""One text to one message. Raises `msgspec.DecodeError`; see `malformed`."""


def malformed(text: str, error: NotDecoded) -> tuple[Malformed, str]:
    """See `app.carriers.json_events`."""
    return json_events.malformed(text, error, _EVENTS)


CLEAR: Final = '{"event":"clear"}'
"""What was sent and not played yet is not to be played."""


def encode_media(ulaw: bytes) -> str:
    payload = b2a_base64(ulaw, newline=False).decode("ascii")
    return f'{{"event":"media","media":{{"payload":"{payload}"}}}}'


def encode_mark(name: str) -> str:
    """Names are ours, of a few plain characters."""
    return f'{{"event":"mark","mark":{{"name":"{name}"}}}}'
