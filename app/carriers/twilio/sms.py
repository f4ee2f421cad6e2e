"""Text messages that Twilio brings, and what became of ours: two webhooks.

`POST /twilio/sms` is answered with an empty document at once. Replies go by REST when they are
written: a text model may take longer than the 15 s that Twilio waits, and a reply in TwiML would
pass neither the check of its destination nor that of who has opted out.
Source: Twilio docs, "Messaging webhooks", "Advanced Opt-Out" (OptOutType), "Message resource".
"""

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, cast

from starlette.requests import Request
from starlette.routing import Route

from app.carriers.twilio import twiml
from app.carriers.twilio.endpoint import Handle, endpoint
from app.carriers.twilio.idempotency import Answer, Answers, AnswersHere
from app.carriers.twilio.intake import Webhook, receive_message
from app.carriers.twilio.public_url import SMS_PATH, SMS_STATUS_PATH
from app.carriers.twilio.signature import SignatureChecker

SILENCE: Final = '<?xml version="1.0" encoding="UTF-8"?>\n<Response/>\n'
"""Taken, and no reply in this answer."""
MOST_BODY_CHARACTERS: Final = 4_000
"""Of one message; Twilio passes on 1600 (source: Message resource). What is beyond is cut."""

OptOut: TypeAlias = Literal["", "STOP", "START", "HELP"]
Delivery: TypeAlias = Literal["sent", "delivered", "undelivered", "failed"]
_DELIVERIES: Final = ("sent", "delivered", "undelivered", "failed")
_OPT_OUTS: Final = ("STOP", "START", "HELP")
_CODE: Final = re.compile(r"[0-9]{1,6}\Z")


@dataclass(frozen=True, slots=True)
class InboundSms:
    """A message as it came. Numbers and body are personal data."""

    message_sid: str
    from_number: str = field(repr=False)
    to_number: str = field(repr=False)
    body: str = field(repr=False)
    n_media: int = 0
    opt_out: OptOut = ""
    """Twilio took it for one of these, and has answered it itself."""
    service_sid: str = ""
    """The messaging service that `to_number` belongs to, if any."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of a message of ours."""

    message_sid: str
    state: Delivery
    error_code: int = 0
    to_number: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsDoor:
    """All that the two webhooks need."""

    checker: SignatureChecker
    on_message: Callable[[InboundSms], Awaitable[None]]
    """Takes a message in; it returns once the message can no longer be lost, and soon."""
    on_delivery: Callable[[DeliveryReport], Awaitable[None]]
    answers: Answers = field(default_factory=AnswersHere)
    now_s: Callable[[], float] = time.time
    """Unix time in seconds."""


def sms_routes(door: SmsDoor) -> list[Route]:
    """The two webhooks, for a Starlette app."""

    async def message(webhook: Webhook) -> Answer:
        await door.on_message(read_message(webhook))
        return twiml.answer(SILENCE)

    async def status(webhook: Webhook) -> Answer:
        report = read_delivery(webhook)
        if report is not None:
            await door.on_delivery(report)
        return Answer(204)

    return [_route(door, SMS_PATH, message), _route(door, SMS_STATUS_PATH, status)]


def read_message(webhook: Webhook) -> InboundSms:
    fields = webhook.fields
    media, said = fields.get("NumMedia", ""), fields.get("OptOutType", "").upper()
    return InboundSms(
        message_sid=fields["MessageSid"],
        from_number=fields.get("From", ""),
        to_number=fields.get("To", ""),
        body=fields.get("Body", "")[:MOST_BODY_CHARACTERS],
        n_media=int(media) if re.fullmatch(r"[0-9]{1,2}", media) else 0,
        opt_out=cast(OptOut, said) if said in _OPT_OUTS else "",
        service_sid=fields.get("MessagingServiceSid", ""),
    )


def read_delivery(webhook: Webhook) -> DeliveryReport | None:
    """None for a step on the way, such as "queued"."""
    fields = webhook.fields
    state, code = fields.get("MessageStatus", "").lower(), fields.get("ErrorCode", "")
    if state not in _DELIVERIES:
        return None
    number = int(code) if _CODE.match(code) else 0
    to = fields.get("To", "")
    return DeliveryReport(fields["MessageSid"], cast(Delivery, state), number, to)


def _route(door: SmsDoor, path: str, handle: Handle) -> Route:
    async def verify(request: Request) -> Webhook:
        return await receive_message(request, door.checker)

    # Not 200: the operator's fallback URL, if there is one, gets the message.
    return endpoint(door, path, verify, handle, broken=Answer(500))
