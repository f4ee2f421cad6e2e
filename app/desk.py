"""Who decides where calls go that no model carries: the agents' ways, the gate, and the carrier's
API for what TwiML alone cannot do."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from secrets import token_hex
from typing import Final, Protocol

from app.carriers.twilio.door import Ending
from app.carriers.twilio.errors import TwilioError
from app.carriers.twilio.onward import (
    Caller,
    Held,
    Outcome,
    Ready,
    back_url,
    gone_url,
    person_url,
    whisper_url,
)
from app.carriers.twilio.rest import TwilioRest
from app.carriers.twilio.rest_persons import bring_back, ring_person, stop_ringing
from app.gate import Gate, Who
from app.observe.log import event
from app.onward import machine
from app.onward.happenings import (
    DialEnd,
    Dialled,
    Fell,
    Happening,
    NotAllowed,
    NotPlaced,
    PutThrough,
    Referred,
    Step,
    Text,
)
from app.onward.journey import Journey, Stop
from app.onward.plan import read_plan
from app.onward.ways import Way, Ways
from app.policy.destinations import By, Cleared, Purpose
from app.policy.verdicts import Refused, Rule

logger = logging.getLogger(__name__)

HOLD_BYTES: Final = 6
MOST_SETTLED: Final = 10_000
BRING_BACK_TRIES: Final = 4
BRING_BACK_WAIT_S: Final = 0.4
"""Before the second try; then twice as long each time. The caller hears music meanwhile."""
_ENDS: Final[dict[Outcome, DialEnd]] = {
    "declined": "declined",
    "busy": "busy",
    "no_answer": "no_answer",
    "failed": "failed",
}
"""Those of a person who does not come."""
NOT_BY_SIP: Final = Refused(Rule.WRONG_KIND, "Only callers who came by SIP can be referred.")
WHISPER: Final = "There is a caller for you. {brief}Press 1 to take the call, or 2 to decline."


class Outcomes(Protocol):
    """What came of held callers, common to all workers."""

    async def settle(self, call_id: str, what: str, outcome: str) -> bool:
        """True for the first one only. Never raises."""
        ...


class OutcomesHere:
    """`Outcomes` of one process."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, str] = OrderedDict()

    async def settle(self, call_id: str, what: str, outcome: str) -> bool:
        key = f"{call_id}:{what}"
        if key in self._known:
            return False
        self._known[key] = outcome
        while len(self._known) > MOST_SETTLED:
            self._known.popitem(last=False)
        return True


SendText = Callable[[Caller, Who, Cleared, str], Awaitable[bool]]
"""Sends a message; False: it could not."""
Message = Callable[[Caller, Who, Mapping[str, str]], Awaitable[None]]
Tell = Callable[[Who, Way, str, int], None]
"""(whose call, way, outcome, which step of the journey)"""


async def no_text(caller: Caller, who: Who, to: Cleared, text: str) -> bool:
    """A worker that cannot send messages."""
    return False


async def no_message(caller: Caller, who: Who, fields: Mapping[str, str]) -> None:
    """Nobody wants to know of messages that were left."""


def no_word(who: Who, way: Way, outcome: str, number: int) -> None:
    """Nobody wants to know who was put through."""


class Desk:
    """See `app.carriers.twilio.onward.OnwardDesk`."""

    def __init__(
        self,
        ways: Callable[[str], Ways],
        gate: Gate,
        rest: Callable[[], Awaitable[TwilioRest | None]],
        ending_of: Callable[[str], Awaitable[Ending | None]],
        outcomes: Outcomes | None = None,
        send_text: SendText = no_text,
        message: Message = no_message,
        tell: Tell = no_word,
        from_number: str = "",
    ) -> None:
        """`rest`: None where there is no account to call with."""
        self._ways = ways
        self._gate = gate
        self._rest = rest
        self._ending_of = ending_of
        self._outcomes = outcomes or OutcomesHere()
        self._send_text = send_text
        self._message = message
        self._tell = tell
        self._from_number = from_number
        self._tasks: set[asyncio.Task[None]] = set()

    async def after(self, caller: Caller, journey: Journey, happening: Happening) -> Ready:
        ways = self._ways(journey.agent)
        way = ways.transfers.get(journey.to)
        if way is not None and isinstance(happening, Dialled | Referred):
            outcome = happening.end if isinstance(happening, Dialled) else "referred"
            self._tell(_who(caller, journey), way, outcome, journey.steps)
        while True:
            step = machine.after(ways, journey, happening)
            ready = await self._ready(caller, step)
            if isinstance(ready, Ready):
                _tell(caller, journey, step)
                return ready
            journey, happening = step.journey, ready

    async def _ready(self, caller: Caller, step: Step) -> Ready | Happening:
        """The step, if it may and can be taken; else what happens instead."""
        if isinstance(step, PutThrough):
            return await self._put_through(caller, step)
        if isinstance(step, Text):
            return await self._text(caller, step)
        return Ready(step)

    async def _put_through(self, caller: Caller, step: PutThrough) -> Ready | Happening:
        who, refer = _who(caller, step.journey), step.way.how == "refer"
        purpose = Purpose.REFER if refer else Purpose.TRANSFER
        if refer and not _came_by_sip(caller):
            self._gate.decided(who.call_sid, "refer", step.way.key, NOT_BY_SIP, By.OPERATOR.value)
            return _not_allowed(NOT_BY_SIP, step)
        verdict = await self._gate.clear(who, step.way.key, purpose, By.OPERATOR)
        if not isinstance(verdict, Cleared):
            return _not_allowed(verdict, step)
        if step.way.how == "warm":
            return await self._ring(caller, step, verdict)
        return Ready(step, verdict, self._shown(who.own) if step.way.caller_id == "called" else "")

    async def _text(self, caller: Caller, step: Text) -> Ready | Happening:
        who = _who(caller, step.journey)
        verdict = await self._gate.clear(who, who.caller, Purpose.SMS, By.CARRIER)
        sent = isinstance(verdict, Cleared) and await self._send_text(
            caller, who, verdict, step.text
        )
        if sent:
            return Ready(step)
        return Fell() if step.journey.fell else NotPlaced()

    def _shown(self, own: str) -> str:
        """The number of ours that shows: of a call that came by SIP there is none, then the
        operator's own."""
        return own if own.startswith("+") else self._from_number or own

    # A warm transfer

    async def _ring(self, caller: Caller, step: PutThrough, to: Cleared) -> Ready | Happening:
        rest = await self._rest()
        if rest is None:
            return NotPlaced(step.words)
        journey, url = replace(step.journey, hold=token_hex(HOLD_BYTES)), rest.public_url
        try:
            call = await ring_person(
                rest,
                to,
                from_number=self._shown(_who(caller, journey).own),
                whisper_url=whisper_url(url, caller.call_sid, journey),
                status_url=person_url(url, caller.call_sid, journey),
                ring_s=step.way.ring_s,
                call_sid=caller.call_sid,
            )
        except TwilioError as error:
            fields = {"call": caller.call_sid, "error": type(error).__name__}
            event(logger, logging.WARNING, "the person could not be called", **fields)
            # Its answer may have been lost: whoever is rung then finds nobody waiting.
            await self._settled(caller.call_sid, _held(journey), "failed")
            return NotPlaced(step.words)
        return Ready(replace(step, journey=journey), to, person_sid=call.call_sid)

    async def briefing(self, caller_sid: str, journey: Journey) -> str:
        ending = await self._ending_of(caller_sid)
        plan = None if ending is None else read_plan(ending.detail)
        return WHISPER.format(brief=_as_sentence(plan.brief) if plan is not None else "")

    async def settle(self, held: Held, outcome: Outcome) -> bool:
        if outcome != "joined":
            # Before the end of the person's call can be told, which asks for it.
            await self._settled(held.caller_sid, _met(held.journey), outcome)
        if not await self._settled(held.caller_sid, _held(held.journey), outcome):
            return False
        end = _ENDS.get(outcome)
        if end is not None:
            self._beside(self._bring_back(held.caller_sid, held.journey, end))
        return True

    async def met(self, held: Held) -> None:
        await self._settled(held.caller_sid, _met(held.journey), "met")

    async def person_over(self, held: Held, outcome: Outcome) -> None:
        caller_sid, journey = held.caller_sid, held.journey
        first = await self._settled(caller_sid, _held(journey), outcome)
        never_came = await self._settled(caller_sid, _met(journey), outcome)
        if first or never_came:
            self._beside(self._bring_back(caller_sid, journey, _ENDS.get(outcome, "failed")))

    async def _settled(self, caller_sid: str, what: str, outcome: str) -> bool:
        return await self._outcomes.settle(caller_sid, what, outcome)

    async def _bring_back(self, caller_sid: str, journey: Journey, end: DialEnd) -> None:
        """A caller must not be left with the music: tried again and again."""
        rest, wait_s = await self._rest(), BRING_BACK_WAIT_S
        if rest is None:
            return
        url = back_url(rest.public_url, journey, end)
        for _ in range(BRING_BACK_TRIES):
            try:
                await bring_back(rest, caller_sid, url)
                return
            except TwilioError as error:
                fields = {"call": caller_sid, "error": type(error).__name__}
                event(logger, logging.ERROR, "a held caller could not be brought back", **fields)
            await asyncio.sleep(wait_s)
            wait_s *= 2

    async def stop_ringing(self, held: Held) -> None:
        rest = await self._rest()
        if rest is None or not held.person_sid:
            return
        told_url = gone_url(rest.public_url, held.caller_sid, held.journey)
        try:
            await stop_ringing(rest, held.person_sid, told_url)
        except TwilioError as error:
            event(logger, logging.WARNING, "a person rings on", error=type(error).__name__)

    async def message_left(
        self, caller: Caller, journey: Journey, fields: Mapping[str, str]
    ) -> None:
        await self._message(caller, _who(caller, journey), fields)

    def _beside(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait for what was begun."""
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _who(caller: Caller, journey: Journey) -> Who:
    """Whose number is ours: the one that was called, or the one that we called from."""
    inbound = journey.direction == "inbound"
    theirs = caller.from_number if inbound else caller.to_number
    ours = caller.to_number if inbound else caller.from_number
    return Who(caller.call_sid, journey.agent, theirs, ours)


def _not_allowed(refused: Refused, step: PutThrough) -> NotAllowed:
    return NotAllowed(refused.rule.value, refused.reason, step.words)


def _held(journey: Journey) -> str:
    """What became of the caller who waits."""
    return f"held-{journey.hold}"


def _met(journey: Journey) -> str:
    """Whether the person ever came."""
    return f"met-{journey.hold}"


def _as_sentence(brief: str) -> str:
    """As a voice can read it, from whatever a model wrote; with a blank after it."""
    text = "".join(letter if letter.isprintable() else " " for letter in brief).strip()
    if not text:
        return ""
    return f"{text} " if text[-1] in ".!?" else f"{text}. "


def _came_by_sip(caller: Caller) -> bool:
    return caller.from_number.startswith(("sip:", "sips:"))


def _tell(caller: Caller, journey: Journey, step: Step) -> None:
    event(
        logger,
        logging.INFO,
        "the call goes on",
        call=caller.call_sid,
        stop=step.journey.stop.value,
        step=type(step).__name__,
        to=step.journey.to if step.journey.stop is not Stop.OVER else "",
        fell=journey.fell or step.journey.fell,
    )
