"""The answers to what Twilio asks about calls that no model carries (see onward.py)."""

from collections.abc import Awaitable, Callable

from app.carriers.twilio import onward_twiml, twiml
from app.carriers.twilio.idempotency import Answer
from app.carriers.twilio.intake import Webhook
from app.carriers.twilio.onward import (
    MOST_ASKED,
    Caller,
    Held,
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

CALLER_GONE = "The caller is no longer waiting. Goodbye."
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
    held = held_of(webhook, webhook.call_sid)
    if "gone" in webhook.query:
        return _twiml(pages.farewell(CALLER_GONE))
    asked = _asked(webhook)
    if not asked:
        words = await desk.briefing(held.caller_sid, held.journey)
        return _twiml(pages.whisper(held.caller_sid, held.journey, words, 1))
    choice = choice_of(webhook.fields)
    if choice == "accept":
        if await desk.settle(held, "joined"):
            return _twiml(onward_twiml.join(held.caller_sid))
        return _twiml(pages.farewell(CALLER_GONE))
    if not choice and webhook.fields.get("SpeechResult") and asked < MOST_ASKED:
        return _twiml(pages.whisper(held.caller_sid, held.journey, NOT_UNDERSTOOD, asked + 1))
    await desk.settle(held, "declined")
    return _twiml(pages.farewell(DECLINED))


def held_of(webhook: Webhook, person_sid: str) -> Held:
    """Raises `RefusedError` for a URL that is none of ours."""
    return Held(caller_sid_of(webhook.query), person_sid, journey_of(webhook.query))


def _asked(webhook: Webhook) -> int:
    text = webhook.query.get("asked", "")
    return int(text) if text in {str(number) for number in range(1, MOST_ASKED + 1)} else 0


async def person(desk: OnwardDesk, webhook: Webhook) -> Answer:
    """/twilio/person"""
    outcome = person_end(webhook.fields)
    if outcome is not None:
        await desk.person_over(held_of(webhook, webhook.call_sid), outcome)
    return Answer(204)


async def held(desk: OnwardDesk, webhook: Webhook) -> Answer:
    """/twilio/held"""
    fields = webhook.fields
    who = held_of(webhook, webhook.query.get("person", ""))
    match fields.get("StatusCallbackEvent"), fields.get("ParticipantLabel"):
        case "participant-join", "person":
            await desk.met(who)
        case "participant-leave", "caller":
            if await desk.settle(who, "gone"):
                await desk.stop_ringing(who)
    return Answer(204)


async def message(desk: OnwardDesk, webhook: Webhook) -> Answer:
    """/twilio/message"""
    journey = journey_of(webhook.query)
    if webhook.fields.get("RecordingStatus", "completed") == "completed":
        await desk.message_left(caller_of(webhook), journey, webhook.fields)
    return Answer(204)


def _twiml(text: str) -> Answer:
    return Answer(200, text, twiml.TWIML_TYPE)
