"""The answers to what Twilio asks about calls that no model carries (see onward.py)."""

from collections.abc import Awaitable, Callable

from app.carriers.twilio import onward_twiml, twiml
from app.carriers.twilio.idempotency import Answer
from app.carriers.twilio.intake import Webhook
from app.carriers.twilio.onward import (
    Caller,
    OnwardDesk,
    Pages,
    Ready,
    caller_sid_of,
    choice_of,
    happened,
    journey_of,
    person_end,
)
from app.onward.happenings import BackToAgent
from app.onward.journey import Journey

ACCEPTED = "The caller has hung up in the meantime. Goodbye."
DECLINED = "Thank you. Goodbye."
NOT_UNDERSTOOD = "Press 1 to take the call, or 2 to decline."
_ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})

BackTo = Callable[[Caller, BackToAgent], Awaitable[str]]
"""The document that opens a stream again."""


def caller_of(webhook: Webhook) -> Caller:
    fields = webhook.fields
    return Caller(webhook.call_sid, fields.get("From", ""), fields.get("To", ""), fields)


async def document(pages: Pages, caller: Caller, ready: Ready, back_to: BackTo) -> Answer:
    """A step as TwiML."""
    if isinstance(ready.step, BackToAgent):
        return _twiml(await back_to(caller, ready.step))
    return _twiml(pages.of(caller, ready))


async def onward(desk: OnwardDesk, pages: Pages, webhook: Webhook, back_to: BackTo) -> Answer:
    """/twilio/onward"""
    if webhook.fields.get("CallStatus") in _ENDED:
        return _twiml(twiml.hangup())
    journey, caller = journey_of(webhook.query), caller_of(webhook)
    ready = await desk.after(caller, journey, happened(journey, webhook.query, webhook.fields))
    return await document(pages, caller, ready, back_to)


async def whisper(desk: OnwardDesk, pages: Pages, webhook: Webhook) -> Answer:
    """/twilio/whisper"""
    journey, caller_sid = journey_of(webhook.query), caller_sid_of(webhook.query)
    if "asked" not in webhook.query:
        words = await desk.briefing(caller_sid, journey)
        return _twiml(pages.whisper(caller_sid, journey, words))
    choice = choice_of(webhook.fields)
    if choice == "accept":
        return await _accepted(desk, pages, caller_sid, journey)
    if not choice and webhook.fields.get("SpeechResult"):
        return _twiml(pages.whisper(caller_sid, journey, NOT_UNDERSTOOD))
    await desk.settle(caller_sid, journey, "declined")
    return _twiml(pages.farewell(DECLINED))


async def _accepted(desk: OnwardDesk, pages: Pages, caller_sid: str, journey: Journey) -> Answer:
    if await desk.settle(caller_sid, journey, "joined"):
        return _twiml(onward_twiml.join(caller_sid))
    return _twiml(pages.farewell(ACCEPTED))


async def person(desk: OnwardDesk, webhook: Webhook) -> Answer:
    """/twilio/person"""
    outcome = person_end(webhook.fields)
    if outcome is not None:
        await desk.settle(caller_sid_of(webhook.query), journey_of(webhook.query), outcome)
    return Answer(204)


async def held(desk: OnwardDesk, webhook: Webhook) -> Answer:
    """/twilio/held"""
    fields = webhook.fields
    left = fields.get("StatusCallbackEvent") == "participant-leave"
    if left and fields.get("ParticipantLabel") == "caller":
        journey = journey_of(webhook.query)
        if await desk.settle(fields.get("CallSid", ""), journey, "gone"):
            await desk.stop_ringing(webhook.query.get("person", ""))
    return Answer(204)


async def message(desk: OnwardDesk, webhook: Webhook) -> Answer:
    """/twilio/message"""
    journey = journey_of(webhook.query)
    await desk.message_left(caller_of(webhook), journey, webhook.fields)
    return Answer(204)


def _twiml(text: str) -> Answer:
    return Answer(200, text, twiml.TWIML_TYPE)
