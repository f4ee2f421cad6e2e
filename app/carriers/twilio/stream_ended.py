"""/twilio/stream-ended: the `<Connect action>`. How does a call go on whose stream has ended?"""

from typing import Final, Literal, TypeAlias

from app.call.endings import EndReason
from app.carriers.twilio import twiml
from app.carriers.twilio.door import Ending, OfferedCall, TwilioDoor
from app.carriers.twilio.idempotency import Answer
from app.carriers.twilio.intake import Webhook
from app.carriers.twilio.onward import begun, carried_out
from app.carriers.twilio.onward_routes import sent_on
from app.carriers.twilio.progress import ENDED_STATES
from app.carriers.twilio.stream_plans import (
    MOST_RESUMES,
    ended_url,
    offered,
    plan_again,
    read_done,
    read_resumed,
)

RESTART_S: Final = 5
"""How long a call waits in silence for the server to be back, in seconds."""

AfterStream: TypeAlias = Literal["hang_up", "apologise", "resume", "onward"]


def after_stream(reason: EndReason | None) -> AfterStream:
    """How a call goes on when its stream has ended for `reason`.

    None means that its worker died without a word: any worker may take the call again. A carrier
    that lost the socket or stalled gets a new one too; if the caller is gone, Twilio never asks.
    """
    if reason is EndReason.HANDED_ON:
        return "onward"
    if reason is not None and reason.deliberate:
        return "hang_up"
    lost = (None, EndReason.DRAINED, EndReason.CARRIER_LOST, EndReason.CARRIER_STALLED)
    return "resume" if reason in lost else "apologise"


async def stream_ended(door: TwilioDoor, webhook: Webhook) -> Answer:
    """A call whose agent cannot go on with it goes on without: as the agent has sent it, or down
    the ladder."""
    call = offered(door, webhook)
    if webhook.fields.get("CallStatus") in ENDED_STATES:
        return twiml.answer(twiml.hangup())
    ending = await _own_ending(door, webhook)
    reason = None if ending is None else ending.reason
    step = after_stream(reason)
    if step == "hang_up":
        return twiml.answer(twiml.hangup())
    if not door.knows_agent(call.agent):
        return twiml.answer(twiml.apology(door.speech))
    resumes = read_resumed(webhook) + (reason is not EndReason.DRAINED)
    if step != "resume" or resumes > MOST_RESUMES:
        return await _without_agent(door, call, ending if step == "onward" else None)
    return twiml.answer(_resumed(door, call, resumes, read_done(webhook)))


async def _own_ending(door: TwilioDoor, webhook: Webhook) -> Ending | None:
    """The ending of the very stream that is asked about, not of the one before it."""
    ending = await door.ending_of(webhook.call_sid)
    if ending is not None and carried_out(ending.reason, ending.detail, read_done(webhook)):
        return None
    return ending


async def _without_agent(door: TwilioDoor, call: OfferedCall, ending: Ending | None) -> Answer:
    """Where the agent has sent the call; `ending` None: down the ladder."""
    reason, detail = (None, "") if ending is None else (ending.reason, ending.detail)
    journey, happening = begun(call.agent, call.direction, reason, detail)
    return await sent_on(door, call, journey, happening)


def _resumed(door: TwilioDoor, call: OfferedCall, resumes: int, done: str) -> str:
    """The stream opened again, as soon as somebody is there to take it."""
    if door.alone_and_leaving():
        return twiml.wait(ended_url(door, call, resumes), RESTART_S)
    return twiml.resume(plan_again(door, call, resumes, done))
