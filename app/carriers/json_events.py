"""Texts of a media socket whose messages are JSON objects named by `event`, as those of Twilio and
of Telnyx are."""

from collections.abc import Set
from typing import Final, Literal, TypeAlias

import msgspec

Malformed: TypeAlias = Literal["not_json", "bad_fields", "unknown_event"]
NotDecoded: TypeAlias = msgspec.DecodeError | RecursionError
NOT_DECODED: Final = (msgspec.DecodeError, RecursionError)
"""What a decoder raises. Nesting without end is the second, also in fields that nobody reads."""


class _Named(msgspec.Struct):
    event: str


def malformed(text: str, error: NotDecoded, events: Set[str]) -> tuple[Malformed, str]:
    """What was wrong with a text that a decoder refused, in words that repeat no value of it."""
    if not isinstance(error, msgspec.ValidationError):
        return "not_json", f"expected a JSON object, got something else ({error})"
    try:
        known = msgspec.json.decode(text, type=_Named).event in events
    except NOT_DECODED:
        return "bad_fields", 'expected an object with a text field "event"'
    if not known:
        return "unknown_event", f"expected one of the events {', '.join(sorted(events))}"
    return "bad_fields", str(error)
