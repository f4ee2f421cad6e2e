"""<Dial>: rings people, connects the first who accepts, and tells the action how it went."""

import asyncio
from collections.abc import Mapping

from app.lab.phone.course import Next
from app.lab.phone.dial_conference import attend
from app.lab.phone.dial_queue import dial_queue
from app.lab.phone.dial_targets import read_targets
from app.lab.phone.following import action, number, tell_of_hang_up
from app.lab.phone.hunt import Hunt
from app.lab.phone.identity import new_sid
from app.lab.phone.leg import Leg
from app.lab.phone.script import DialOutcome
from app.lab.phone.twiml import TwimlError, Verb

CANNOT_DIAL_HERE = 13201
INVALID_TIMEOUT = 13212
INVALID_TIME_LIMIT = 13216


async def dial(leg: Leg, verb: Verb, document_url: str) -> Next:
    """Carries it out. What Twilio refuses of it is an error in the report, and the dial failed."""
    try:
        return await _dialled(leg, verb, document_url)
    except TwimlError as error:
        leg.call.error(error.code, error.detail)
        failed = {"DialCallStatus": "failed", "DialBridged": "false"}
        return action(verb, document_url, failed)


async def _dialled(leg: Leg, verb: Verb, document_url: str) -> Next:
    scripted = leg.call.script.dial
    if scripted is not None:
        return action(verb, document_url, await _scripted(verb, scripted))
    if leg.call.identity.direction == "outbound-dial" and not leg.call.redirected:
        raise TwimlError("a called leg cannot dial before it is connected", CANNOT_DIAL_HERE)
    alone = verb.children[0] if len(verb.children) == 1 else None
    if alone is not None and alone.name == "Conference":
        return action(verb, document_url, await attend(leg, verb, alone, document_url))
    if alone is not None and alone.name == "Queue":
        return action(verb, document_url, await dial_queue(leg, verb, alone, document_url))
    hunt = Hunt(
        leg,
        verb,
        document_url,
        read_targets(verb, leg.account),
        ring_limit_s=number(verb, "timeout", 30, INVALID_TIMEOUT),
        time_limit_s=number(verb, "timeLimit", 14_400, INVALID_TIME_LIMIT),
    )
    try:
        return await hunt.run()
    except asyncio.CancelledError:
        tell_of_hang_up(leg, verb, document_url, hunt.parameters())
        raise


async def _scripted(verb: Verb, outcome: DialOutcome) -> Mapping[str, str]:
    await asyncio.sleep(outcome.ring_ms / 1000)
    bridged = outcome.status in ("completed", "answered")
    talk_ms = outcome.talk_ms if bridged else 0
    await asyncio.sleep(talk_ms / 1000)
    parameters = {"DialCallStatus": outcome.status, "DialBridged": str(bridged).lower()}
    if not any(noun.name == "Conference" for noun in verb.children):
        parameters["DialCallSid"] = new_sid("CA")
        if bridged:
            parameters["DialCallDuration"] = str(round(talk_ms / 1000))
    return parameters
