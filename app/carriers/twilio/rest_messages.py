"""Sending text messages by Twilio's REST API.

A message goes only to a destination that policy has cleared, never to a plain string. It is sent
once: creating a message is not idempotent, so after an unknown outcome the status callback is
waited for. Source: Twilio docs, "Message resource".
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, runtime_checkable

from app.carriers.twilio.errors import CallInputError, VendorError
from app.carriers.twilio.public_url import SMS_STATUS_PATH
from app.carriers.twilio.rest import TwilioRest, answered
from app.carriers.twilio.segments import MOST_CHARACTERS, length

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_SERVICE: Final = re.compile(r"MG[0-9a-fA-F]{32}\Z")


@runtime_checkable
class ClearedLike(Protocol):
    """A destination that policy lets us text; what policy makes fits it."""

    @property
    def address(self) -> str:
        """E.164."""
        ...


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a message comes from: a number of ours or a messaging service, one of the two."""

    number: str = field(default="", repr=False)
    service_sid: str = ""


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that Twilio took."""

    message_sid: str
    status: str
    segments: int = 0
    """As Twilio counts them; 0 while it does not say."""


async def send_message(rest: TwilioRest, to: ClearedLike, sender: Sender, body: str) -> SentMessage:
    """Send `body`, 1 to 1600 characters, to a destination that policy has cleared.

    Raises `TypeError` for a destination that nobody cleared, `errors.TwilioError` for what Twilio
    or the network did; with `outcome_unknown` it must not be sent again.
    """
    if isinstance(to, str) or not isinstance(to, ClearedLike):
        kind = type(to).__name__
        raise TypeError(f"expected a destination that policy has cleared, got {kind}")
    _check(to.address, sender, body)
    creating = rest.client.messages.create_async(
        to=to.address,
        body=body,
        status_callback=rest.public_url.webhook(SMS_STATUS_PATH),
        **_from(sender),
    )
    message = await answered(creating, creating=True)
    if not message.sid or not message.status:
        text = "expected a message with sid and status from Twilio"
        raise VendorError(text, outcome_unknown=True)
    segments = str(message.num_segments or "")
    counted = int(segments) if segments.isascii() and segments.isdigit() else 0
    return SentMessage(str(message.sid), str(message.status), counted)


def _from(sender: Sender) -> dict[str, Any]:
    if sender.service_sid:
        return {"messaging_service_sid": sender.service_sid}
    return {"from_": sender.number}


def _check(to: str, sender: Sender, body: str) -> None:
    """The messages do not repeat the numbers: they end up in logs."""
    if not _E164.match(to):
        raise CallInputError("expected the number to text as E.164, like +14155550100")
    if bool(sender.number) == bool(sender.service_sid):
        raise CallInputError("expected either a number or a messaging service as sender")
    if sender.service_sid and not _SERVICE.match(sender.service_sid):
        raise CallInputError("expected a messaging service: MG and 32 hexadecimal digits")
    if sender.number and not _E164.match(sender.number):
        raise CallInputError("expected the sending number as E.164, like +14155550100")
    if not body.strip():
        raise CallInputError("expected a message that is not empty")
    if length(body) > MOST_CHARACTERS:
        raise CallInputError(f"expected at most {MOST_CHARACTERS} characters; split the message")
