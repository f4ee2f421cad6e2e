"""chan_websocket on the wire: what Asterisk tells and what it is told, in both of its formats.

Source: Asterisk docs, "WebSocket channel driver"; `f(json)` on the dial string asks for JSON, else
the same events come as one line of words. Sound is binary, both ways, and is not for this module.
A text of ours that is longer than `MOST_COMMAND_BYTES` would be dropped without an answer. Unknown
fields are ignored, since Asterisk may add some.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from app.carriers.json_events import NOT_DECODED, NotDecoded

MOST_COMMAND_BYTES: Final = 128
"""Longest text that Asterisk reads."""
Format: TypeAlias = Literal["json", "plain"]
Command: TypeAlias = Literal[
    "ANSWER", "HANGUP", "MARK_MEDIA", "FLUSH_MEDIA", "REPORT_QUEUE_DRAINED"
]
# Ids are pasted into commands and used as keys elsewhere, so only plain characters may pass.
Id: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:/-]{1,128}\Z")]
Name: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{0,64}\Z")]
Digit: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9A-D*#]\Z")]


class MediaStart(Struct, tag_field="event", tag="MEDIA_START"):
    channel_id: Id
    format: str
    optimal_frame_size: int
    ptime: int = 20
    channel_variables: dict[str, object] = field(default_factory=dict)
    """Of the WebSocket's own channel; inherited ones keep their underscores. Not in plain text."""


class DtmfEnd(Struct, tag_field="event", tag="DTMF_END"):
    digit: Digit


class MediaXoff(Struct, tag_field="event", tag="MEDIA_XOFF"):
    """Its queue is nearly full."""


class MediaXon(Struct, tag_field="event", tag="MEDIA_XON"):
    """It takes sound again."""


class MarkProcessed(Struct, tag_field="event", tag="MEDIA_MARK_PROCESSED"):
    correlation_id: Name = ""


class QueueDrained(Struct, tag_field="event", tag="QUEUE_DRAINED"):
    """Nothing is queued any more."""


class BufferingCompleted(Struct, tag_field="event", tag="MEDIA_BUFFERING_COMPLETED"):
    """Only after a command that we never give."""


class Status(Struct, tag_field="event", tag="STATUS"):
    """Likewise."""


class CommandError(Struct, tag_field="event", tag="ERROR"):
    error_text: str = ""


Event: TypeAlias = (
    MediaStart
    | DtmfEnd
    | MediaXoff
    | MediaXon
    | MarkProcessed
    | QueueDrained
    | BufferingCompleted
    | Status
    | CommandError
)
Malformed: TypeAlias = Literal["not_an_event", "bad_fields", "unknown_event"]

_KINDS: Final[Mapping[str, type[Event]]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (
        MediaStart,
        DtmfEnd,
        MediaXoff,
        MediaXon,
        MarkProcessed,
        QueueDrained,
        BufferingCompleted,
        Status,
        CommandError,
    )
}
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


class _Named(Struct):
    event: str


def format_of(text: str) -> Format:
    """In which of the two formats a PBX speaks, by its first text."""
    return "json" if text.lstrip().startswith("{") else "plain"


def decode(text: str, format_: Format) -> Event:
    """One text to one event. Raises `msgspec.DecodeError`; see `malformed`."""
    return _decoder.decode(text) if format_ == "json" else _from_words(text)


def malformed(text: str, format_: Format, error: NotDecoded) -> tuple[Malformed, str]:
    """What was wrong with a text that `decode` refused, in words that repeat no value of it."""
    if not isinstance(error, msgspec.ValidationError):
        return "not_an_event", f"expected a JSON object, got something else ({error})"
    name = _name_of(text, format_)
    if name is None:
        return "bad_fields", 'expected an object with a text field "event"'
    if name not in _KINDS:
        return "unknown_event", f"expected one of the events {', '.join(sorted(_KINDS))}"
    return "bad_fields", str(error)


def command(name: Command, format_: Format, correlation_id: str = "") -> str:
    """What Asterisk is to do. Ids are ours, of a few plain characters."""
    if format_ == "plain":
        return f"{name} {correlation_id}".rstrip()
    if not correlation_id:
        return f'{{"command":"{name}"}}'
    return f'{{"command":"{name}","correlation_id":"{correlation_id}"}}'


def _name_of(text: str, format_: Format) -> str | None:
    if format_ == "plain":
        return text.partition(" ")[0]
    try:
        return msgspec.json.decode(text, type=_Named).event
    except NOT_DECODED:
        return None


def _from_words(text: str) -> Event:
    """`EVENT name:value ...`, or `EVENT id` of marks; an error's text runs to the end."""
    name, _, rest = text.strip().partition(" ")
    kind = _KINDS.get(name)
    if kind is None:
        raise msgspec.ValidationError("expected an event of chan_websocket")
    fields: dict[str, str] = {}
    if kind is CommandError:
        fields["error_text"] = rest.partition("error_text:")[2]
    elif kind is MarkProcessed:
        fields["correlation_id"] = rest.strip()
    else:
        for word in rest.split():
            key, _, value = word.partition(":")
            fields[key] = value
    event: Event = msgspec.convert(fields | {"event": name}, type=Event, strict=False)
    return event
