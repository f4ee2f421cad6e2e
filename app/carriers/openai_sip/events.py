"""The webhook events of OpenAI that offer calls, as they stand in the body (openai-python,
`types/webhooks`), reduced to the fields that are read."""

from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

INCOMING: Final = "realtime.call.incoming"
LIVE: Final = ("live.transport.incoming", "live.call.incoming")
"""The same call, offered to GPT-Live, which is not served here."""
MOST_ID_CHARS: Final = 128


class SipHeader(Struct, frozen=True):
    name: str = ""
    value: str = ""


class _Data(Struct, frozen=True):
    call_id: str
    sip_headers: list[SipHeader] = []
    sip_media_security: str | None = None


class _Incoming(Struct, frozen=True):
    data: _Data
    created_at: float | None = None


class _Envelope(Struct, frozen=True):
    type: str


class Offer(Struct, frozen=True):
    """A call that waits to be taken."""

    call_id: str
    headers: tuple[tuple[str, str], ...] = ()
    """Personal data, and untrusted."""
    media: str = ""
    """How the sound is protected, such as "srtp"; "": not said."""
    created_s: float | None = None
    """When the call came, in Unix seconds of OpenAI's clock; None: not said."""

    def __repr__(self) -> str:
        return f"Offer(call_id={self.call_id!r}, ...)"


Read: TypeAlias = Offer | Literal["live", "other"]

_ENVELOPE = msgspec.json.Decoder(_Envelope)
_INCOMING = msgspec.json.Decoder(_Incoming)


def read_event(body: bytes) -> Read:
    """What a verified body says. Raises `ValueError` with what was expected."""
    try:
        kind = _ENVELOPE.decode(body).type
        if kind in LIVE:
            return "live"
        if kind != INCOMING:
            return "other"
        incoming = _INCOMING.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"expected an event that offers a call, got none: {_why(error)}") from None
    data = incoming.data
    if not _is_id(data.call_id):
        raise ValueError("expected a call_id of letters, digits, - and _, got something else")
    headers = tuple((header.name, header.value) for header in data.sip_headers)
    return Offer(data.call_id, headers, data.sip_media_security or "", incoming.created_at)


def _why(error: Exception) -> str:
    """The decoder's words name fields and types, and quote nothing of the body."""
    return str(error) if isinstance(error, msgspec.ValidationError) else type(error).__name__


def _is_id(text: str) -> bool:
    """It names a folder, too. Its form is not documented."""
    plain = text.replace("_", "").replace("-", "")
    return len(text) <= MOST_ID_CHARS and plain.isascii() and plain.isalnum()
