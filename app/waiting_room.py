"""Callers who wait for a person, of whom one thing comes: the person, or the way back to the agent.

Several requests may tell what came of a caller, on any worker; the first one counts.
"""

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
from app.observe.log import event
from app.onward.happenings import DialEnd, NotPlaced, PutThrough
from app.onward.journey import Journey
from app.onward.plan import read_plan
from app.policy.destinations import Cleared

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


class WaitingRoom:
    """See `app.carriers.twilio.onward.Waiting`."""

    def __init__(
        self,
        rest: Callable[[], Awaitable[TwilioRest | None]],
        ending_of: Callable[[str], Awaitable[Ending | None]],
        outcomes: Outcomes,
    ) -> None:
        """`rest`: None where there is no account to call with. `ending_of`: how a call's stream
        ended."""
        self._rest = rest
        self._ending_of = ending_of
        self._outcomes = outcomes
        self._tasks: set[asyncio.Task[None]] = set()

    async def ring(
        self,
        caller_sid: str,
        step: PutThrough,
        to: Cleared,
        *,
        from_number: str,
        headers: Mapping[str, str] | None = None,
    ) -> Ready | NotPlaced:
        """The person is called, and the caller waits. `from_number`: what shows at the person's.
        `headers`: what a SIP system is told."""
        rest = await self._rest()
        if rest is None:
            return NotPlaced(step.words)
        journey, url = replace(step.journey, hold=token_hex(HOLD_BYTES)), rest.public_url
        try:
            call = await ring_person(
                rest,
                to,
                from_number=from_number,
                whisper_url=whisper_url(url, caller_sid, journey),
                status_url=person_url(url, caller_sid, journey),
                ring_s=step.way.ring_s,
                call_sid=caller_sid,
                headers=headers or {},
            )
        except TwilioError as error:
            fields = {"call": caller_sid, "error": type(error).__name__}
            event(logger, logging.WARNING, "the person could not be called", **fields)
            # Its answer may have been lost: whoever is rung then finds nobody waiting.
            await self._settled(caller_sid, _held(journey), "failed")
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

    async def stop_ringing(self, held: Held) -> None:
        rest = await self._rest()
        if rest is None or not held.person_sid:
            return
        told_url = gone_url(rest.public_url, held.caller_sid, held.journey)
        try:
            await stop_ringing(rest, held.person_sid, told_url)
        except TwilioError as error:
            event(logger, logging.WARNING, "a person rings on", error=type(error).__name__)

    async def close(self) -> None:
        """Wait for what was begun."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

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

    def _beside(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


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
