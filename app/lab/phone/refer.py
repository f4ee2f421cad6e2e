"""<Refer>: the SIP system at the other end is asked to call somebody else in Twilio's place."""

import asyncio
from typing import Final

from app.lab.phone.course import Next
from app.lab.phone.following import action
from app.lab.phone.leg import Leg
from app.lab.phone.sip import is_sip_leg, read_target
from app.lab.phone.twiml import TwimlError, Verb

NOT_A_SIP_LEG = 13801
ACCEPTED: Final = 202
OK: Final = 200
BUSY: Final = frozenset({486, 600})
CANCELLED: Final = 487
BYE_AFTER_S: Final = 0.2
"""The other system gives up the leg so long after its NOTIFY, while the action is being asked."""


async def refer(leg: Leg, verb: Verb, document_url: str) -> Next:
    """Carries it out as the person's script says. Raises TwimlError on a leg that is not SIP."""
    if not is_sip_leg(leg.call.identity):
        raise TwimlError("<Refer> works on SIP legs only", NOT_A_SIP_LEG)
    if [noun.name for noun in verb.children] not in (["Sip"], ["ReferSip"]):
        raise TwimlError("<Refer> takes one <Sip>")
    read_target(verb.children[0].text)
    outcome = leg.call.script.refer
    await asyncio.sleep(outcome.delay_ms / 1000)
    told = {"ReferSipResponseCode": str(outcome.response)}
    if outcome.response == ACCEPTED and outcome.notify is not None:
        told |= {
            "NotifySipResponseCode": str(outcome.notify),
            "ReferCallStatus": _status(outcome.notify),
        }
    elif outcome.response != ACCEPTED:
        told["ReferCallStatus"] = "failed"
    if told.get("NotifySipResponseCode") == str(OK) and outcome.hangs_up:
        call = leg.call
        call.clock.at(call.clock.now_s() + BYE_AFTER_S, lambda: call.hang_up("caller"))
    return action(verb, document_url, told)


def _status(notify: int) -> str:
    if notify == OK:
        return "in-progress"
    if notify in BUSY:
        return "busy"
    return "canceled" if notify == CANCELLED else "failed"
