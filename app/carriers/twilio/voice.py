"""/twilio/voice: a call came in, or one that we placed was answered. What becomes of it now?"""

import logging
from dataclasses import replace
from typing import Final

from app.carriers.twilio import twiml
from app.carriers.twilio.door import IN, Admission, OfferedCall, TwilioDoor
from app.carriers.twilio.idempotency import Answer
from app.carriers.twilio.intake import Webhook
from app.carriers.twilio.onward_routes import sent_on
from app.carriers.twilio.stream_plans import first_plan, is_first, offered, read_waited_s, voice_url
from app.onward.journey import Journey

_log = logging.getLogger(__name__)

FULL_QUEUE_S: Final = 120
"""Longest wait for a place, in seconds of pauses; then the caller gets the apology."""
QUEUE_STEP_S: Final = 5
"""Pause between two looks for a place, in seconds."""


async def voice(door: TwilioDoor, webhook: Webhook) -> Answer:
    """In this order: is there such an agent, may the caller come in, is there a place, is it open.

    Who waits for a place comes here again, and was let in before.
    """
    call = _routed(door, webhook)
    if not door.knows_agent(call.agent):
        _log.error("unknown agent in the voice URL", extra={"fields": {"call": call.call_sid}})
        return twiml.answer(twiml.apology(door.speech))
    waited_s = read_waited_s(webhook)
    screening = IN if waited_s else await door.screen(call)
    if screening.answer != "in":
        busy = screening.answer == "busy"
        return twiml.answer(twiml.busy() if busy else twiml.blocked(door.speech))
    admission = await door.admit(call)
    if admission != "open":
        return twiml.answer(_no_place(door, call, admission, waited_s))
    elsewhere = await door.closed(call)
    if elsewhere is not None:
        return await sent_on(door, call, Journey(call.agent, call.direction), elsewhere)
    render = twiml.inbound if call.direction == "inbound" else twiml.outbound
    return twiml.answer(render(first_plan(door, call)))


def _routed(door: TwilioDoor, webhook: Webhook) -> OfferedCall:
    """With the agent that the routes choose, for a call that has just come in."""
    call = offered(door, webhook)
    if call.direction == "outbound" or not is_first(webhook):
        return call
    agent = door.route(call.facts)
    return replace(call, agent=agent) if agent else call


def _no_place(door: TwilioDoor, call: OfferedCall, admission: Admission, waited_s: int) -> str:
    """What a call is told for which there is no room."""
    if admission == "redirect" and door.full_redirect_url:
        return twiml.redirect(door.full_redirect_url)
    # A call that was answered already cannot be rejected any more: Twilio would ignore it.
    if admission == "busy" and call.direction == "inbound" and not waited_s:
        return twiml.busy()
    if admission != "queue" or call.direction != "inbound" or waited_s >= FULL_QUEUE_S:
        return twiml.full(door.speech)
    url = voice_url(door, call, waited_s + QUEUE_STEP_S)
    return twiml.queue(door.speech, url, QUEUE_STEP_S, announce=not waited_s)
