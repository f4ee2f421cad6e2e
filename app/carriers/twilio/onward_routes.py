"""The answers to what Twilio asks about calls that no model carries (see onward.py)."""

from dataclasses import replace

from app.call.facts import CallFacts
from app.carriers.twilio import onward_twiml, twiml
from app.carriers.twilio.door import OfferedCall, TwilioDoor
from app.carriers.twilio.idempotency import Answer
from app.carriers.twilio.intake import Webhook
from app.carriers.twilio.onward import (
    MOST_ASKED,
    Caller,
    Held,
    Pages,
    Ready,
    caller_sid_of,
    choice_of,
    happened,
    journey_of,
    person_end,
)
from app.carriers.twilio.progress import ENDED_STATES
from app.carriers.twilio.sip_told import answer_headers, refer_target
from app.carriers.twilio.stream_plans import plan_back
from app.onward.happenings import BackToAgent, Happening
from app.onward.journey import MOST_CHARS, Journey

CALLER_GONE = "The caller is no longer waiting. Goodbye."
DECLINED = "Thank you. Goodbye."
NOT_UNDERSTOOD = "Press 1 to take the call, or 2 to decline."


async def sent_on(
    door: TwilioDoor, call: OfferedCall, journey: Journey, happening: Happening
) -> Answer:
    """The first step of a call that no agent carries, or none any more."""
    journey = replace(journey, facts=door.seals.seal(call.facts, call.call_sid))
    caller = Caller(call.call_sid, call.from_number, call.to_number, call.fields, call.facts)
    return _document(door, caller, await door.onward.after(caller, journey, happening))


async def onward(door: TwilioDoor, webhook: Webhook) -> Answer:
    """/twilio/onward"""
    if webhook.fields.get("CallStatus") in ENDED_STATES:
        return twiml.answer(twiml.hangup())
    journey = journey_of(webhook.query)
    journey = _answered(door, journey, webhook, webhook.call_sid)
    caller = _caller_of(door, webhook, journey)
    happening = happened(journey, webhook.query, webhook.fields)
    return _document(door, caller, await door.onward.after(caller, journey, happening))


async def refer(door: TwilioDoor, webhook: Webhook) -> Answer:
    """/twilio/refer"""
    journey = journey_of(webhook.query)
    caller = _caller_of(door, webhook, journey)
    ready = await door.onward.sent_on(caller, journey, refer_target(webhook.fields))
    return _document(door, caller, ready)


async def whisper(door: TwilioDoor, webhook: Webhook) -> Answer:
    """/twilio/whisper"""
    desk, pages = door.onward, _pages(door)
    held = held_of(webhook, webhook.call_sid)
    held = replace(held, journey=_answered(door, held.journey, webhook, held.caller_sid))
    if "gone" in webhook.query:
        return twiml.answer(pages.farewell(CALLER_GONE))
    asked = _asked(webhook)
    if not asked:
        words = await desk.waiting.briefing(held.caller_sid, held.journey)
        return twiml.answer(pages.whisper(held.caller_sid, held.journey, words, 1))
    choice = choice_of(webhook.fields)
    if choice == "accept":
        if await desk.waiting.settle(held, "joined"):
            return twiml.answer(onward_twiml.join(held.caller_sid))
        return twiml.answer(pages.farewell(CALLER_GONE))
    if not choice and webhook.fields.get("SpeechResult") and asked < MOST_ASKED:
        return twiml.answer(pages.whisper(held.caller_sid, held.journey, NOT_UNDERSTOOD, asked + 1))
    await desk.waiting.settle(held, "declined")
    return twiml.answer(pages.farewell(DECLINED))


def held_of(webhook: Webhook, person_sid: str) -> Held:
    """Raises `RefusedError` for a URL that is none of ours."""
    return Held(caller_sid_of(webhook.query), person_sid, journey_of(webhook.query))


async def person(door: TwilioDoor, webhook: Webhook) -> Answer:
    """/twilio/person"""
    outcome = person_end(webhook.fields)
    if outcome is not None:
        await door.onward.waiting.person_over(held_of(webhook, webhook.call_sid), outcome)
    return Answer(204)


async def held(door: TwilioDoor, webhook: Webhook) -> Answer:
    """/twilio/held"""
    fields = webhook.fields
    who = held_of(webhook, webhook.query.get("person", ""))
    match fields.get("StatusCallbackEvent"), fields.get("ParticipantLabel"):
        case "participant-join", "person":
            await door.onward.waiting.met(who)
        case "participant-leave", "caller":
            if await door.onward.waiting.settle(who, "gone"):
                await door.onward.waiting.stop_ringing(who)
    return Answer(204)


async def message(door: TwilioDoor, webhook: Webhook) -> Answer:
    """/twilio/message"""
    journey = journey_of(webhook.query)
    if webhook.fields.get("RecordingStatus", "completed") == "completed":
        await door.onward.message_left(_caller_of(door, webhook, journey), journey, webhook.fields)
    return Answer(204)


def _document(door: TwilioDoor, caller: Caller, ready: Ready) -> Answer:
    """A step as TwiML; the one back to an agent opens a stream again."""
    if isinstance(ready.step, BackToAgent):
        return twiml.answer(twiml.resume(plan_back(door, caller, ready.step)))
    return twiml.answer(_pages(door).of(caller, ready))


def _pages(door: TwilioDoor) -> Pages:
    return Pages(door.checker.public_url, door.speech, door.outgoing)


def _caller_of(door: TwilioDoor, webhook: Webhook, journey: Journey) -> Caller:
    fields = webhook.fields
    facts = door.seals.open(journey.facts, webhook.call_sid) or CallFacts()
    return Caller(webhook.call_sid, fields.get("From", ""), fields.get("To", ""), fields, facts)


def _answered(door: TwilioDoor, journey: Journey, webhook: Webhook, caller_sid: str) -> Journey:
    """With the headers of the person's answer that the agent wants to know."""
    said = answer_headers(webhook.fields)
    facts = door.seals.open(journey.facts, caller_sid) if said else None
    if facts is None:
        return journey
    known = door.onward.answered(journey, facts, said)
    sealed = journey.facts if known is facts else door.seals.seal(known, caller_sid)
    # What does not fit into a URL of ours any more is not worth the whole call.
    return journey if len(sealed) > MOST_CHARS else replace(journey, facts=sealed)


def _asked(webhook: Webhook) -> int:
    text = webhook.query.get("asked", "")
    return int(text) if text in {str(number) for number in range(1, MOST_ASKED + 1)} else 0
