"""One contact's way to the carrier: judged, permitted, intended, requested, placed.

    judge     may this person be dialled now?
    permit    may this campaign dial now, and from which number?
    intend    written down, unless something stands against it by now
    request   written down that the carrier is about to be asked
    send      the carrier is asked, once
    place     written down what it said

Whatever breaks off on the way leaves a state that says what may be done: see `watch.py`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar
from uuid import uuid4

from app.campaigns.dialling.claims import Claims
from app.campaigns.dialling.ledger import Hindrance, Ledger, Refusal
from app.campaigns.dialling.rounds import Rounds
from app.campaigns.dialling.words import (
    Attempt,
    Campaign,
    Clock,
    Contact,
    Judge,
    Next,
    Onward,
    Pace,
    Permit,
    Timing,
)
from app.campaigns.dialling.writes import At, nothing
from app.campaigns.on_answer import on_answer
from app.campaigns.outcomes import Outcome
from app.campaigns.ports import Carrier, FateUnknownError, NotPlacedError, Order
from app.policy.dialing.words import Allowed, Never, NotNow
from app.records.database import DatabaseAwayError

logger = logging.getLogger(__name__)
T = TypeVar("T")

PATIENCE_MS: Final = 60_000
"""How long a contact is held while its campaign may not dial."""
NAP_MS: Final = 250
"""The longest sleep before looking again whether the campaign still runs."""
ON_THE_PHONE_MS: Final = 60_000
AWAY_S: Final = 0.5


@dataclass(slots=True)
class Mood:
    """What the whole worker knows. `quiet_until_ms`: the carrier asked for patience (429).
    `running`: campaigns that ran when they were last looked at. `leaving`: no new dials."""

    quiet_until_ms: int = 0
    running: set[str] = field(default_factory=set)
    leaving: bool = False
    _turns: dict[str, asyncio.Lock] = field(default_factory=dict)

    def turn(self, campaign: Campaign) -> asyncio.Lock:
        """Who holds it asks for the campaign's next permit; the others wait in their order."""
        return self._turns.setdefault(campaign.campaign_id, asyncio.Lock())

    def may_dial(self, campaign: Campaign) -> bool:
        return not self.leaving and campaign.campaign_id in self.running


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    claims: Claims
    ledger: Ledger
    rounds: Rounds
    carrier: Carrier
    judge: Judge
    pace: Pace
    timing: Timing
    clock: Clock
    mood: Mood
    at: At = nothing
    new_id: Callable[[], str] = lambda: uuid4().hex

    async def dial(self, campaign: Campaign, contact: Contact, attempt: Attempt | None) -> None:
        """`attempt`: one that is `intended`, from a worker that died; it is gone on with. Raises
        `DatabaseAwayError`; then whoever looks at the contact next goes on."""
        while True:
            judged_at_ms = self.clock()
            answer = await self.judge(campaign, contact, judged_at_ms)
            if not isinstance(answer, Allowed):
                await self._hold_back(contact, attempt, answer)
                return
            patient_until_ms = judged_at_ms + PATIENCE_MS
            until_ms = min(answer.until_ms, patient_until_ms)
            permit = await self._permitted(campaign, contact, until_ms)
            if permit is not None:
                break
            if not self.mood.may_dial(campaign) or until_ms == patient_until_ms:
                await self._return(contact, attempt, "it was not its turn")
                return
        if attempt is None:
            attempt = await self._intended(permit, contact, judged_at_ms)
        if attempt is None or not await self._asked(permit, campaign, contact, attempt):
            await self.pace.over(campaign, contact)

    async def _permitted(
        self, campaign: Campaign, contact: Contact, until_ms: int
    ) -> Permit | None:
        """None: not before `until_ms`, or the campaign runs no more. One after the other asks."""
        async with self.mood.turn(campaign):
            while self.mood.may_dial(campaign):
                now_ms = self.clock()
                wait_ms = self.mood.quiet_until_ms - now_ms
                if wait_ms <= 0:
                    permit = await self.pace.permit(campaign, contact, now_ms)
                    if isinstance(permit, Permit):
                        return permit
                    wait_ms = permit.until_ms - now_ms
                if now_ms >= until_ms:
                    return None
                await asyncio.sleep(min(max(wait_ms, 1), NAP_MS) / 1_000)
        return None

    async def _intended(
        self, permit: Permit, contact: Contact, judged_at_ms: int
    ) -> Attempt | None:
        intent = await self.ledger.intend(
            contact, self.new_id(), permit.from_number, self.clock(), judged_at_ms=judged_at_ms
        )
        if isinstance(intent, Attempt):
            return intent
        await self._hindered(contact, None, intent)
        return None

    async def _asked(
        self, permit: Permit, campaign: Campaign, contact: Contact, attempt: Attempt
    ) -> bool:
        """Whether the carrier was asked."""
        requested_at_ms = self.clock()
        requested = await self.ledger.request(attempt, permit.from_number, requested_at_ms)
        hindrance = await self.ledger.hindrance(attempt.attempt_id)
        if hindrance is not None or not requested:
            await self._hindered(contact, attempt, hindrance)
            return False
        if self.clock() > requested_at_ms + self.timing.send_within_ms:
            # Others may soon ask the carrier for it, and must not be told what comes later.
            await self._return(contact, attempt, "it took too long to be sent")
            return False
        await self._send(campaign, contact, replace(attempt, from_number=permit.from_number))
        return True

    async def _send(self, campaign: Campaign, contact: Contact, attempt: Attempt) -> None:
        order = Order(
            attempt_id=attempt.attempt_id,
            to=attempt.number,
            from_=attempt.from_number,
            agent=campaign.plan.agent,
            ring_s=campaign.plan.pacing.ring_s,
            detect_machine=campaign.plan.machines.detect,
            variables=contact.variables,
            trunk=campaign.plan.caller_ids.trunk,
            on_answer=on_answer(campaign.plan.machines, attempt.ordinal),
        )
        self.at(("before", "send"))
        try:
            async with asyncio.timeout(self.timing.request_limit_ms / 1_000):
                placed = await self.carrier.place(order)
        except (TimeoutError, FateUnknownError):
            # It stays `requested`: the carrier is asked before anything else is done.
            _tell(logging.WARNING, "nobody knows whether a call was placed", attempt)
            return
        except NotPlacedError as error:
            self.at(("after", "send"))
            await self._refused(attempt, error)
            return
        self.at(("after", "send"))
        await surely(lambda: self.ledger.place(attempt.attempt_id, placed.call_id))
        await self.pace.placed(campaign, contact, placed.call_id)

    async def _refused(self, attempt: Attempt, error: NotPlacedError) -> None:
        if error.again_after_ms is not None:
            again_ms = self.clock() + error.again_after_ms
            self.mood.quiet_until_ms = max(self.mood.quiet_until_ms, again_ms)
            refusal = Refusal(None, error.why)
        elif error.number_is_wrong:
            refusal = Refusal(Outcome.INVALID_NUMBER, error.why)
        else:
            refusal = Refusal(Outcome.FAILED, error.why)
        await surely(lambda: self.ledger.refuse(attempt.attempt_id, refusal, self.clock()))

    async def _hindered(
        self, contact: Contact, attempt: Attempt | None, hindrance: Hindrance | None
    ) -> None:
        """Something came between the judgement and the request."""
        match hindrance:
            case "do_not_call":
                why = self._why("do_not_call", "put on the do-not-call list")
                await self._leave(contact, attempt, "never", contact.due_at_ms, why)
            case "on_the_phone":
                why = self._why("on_the_phone", "this number is being dialled already")
                later_ms = self.clock() + ON_THE_PHONE_MS
                await self._leave(contact, attempt, "waiting", later_ms, why)
            case "not_running":
                await self._return(contact, attempt, "the campaign was halted")
            case "not_held" | None:
                return

    async def _hold_back(
        self, contact: Contact, attempt: Attempt | None, answer: NotNow | Never
    ) -> None:
        why = self._why(answer.rule.value, answer.reason)
        if isinstance(answer, NotNow):
            await self._leave(contact, attempt, "waiting", answer.again_ms, why)
        else:
            await self._leave(contact, attempt, "never", contact.due_at_ms, why)

    def _why(self, rule: str, reason: str) -> dict[str, object]:
        return {"why_rule": rule, "why": reason, "why_at_ms": self.clock()}

    async def _return(self, contact: Contact, attempt: Attempt | None, detail: str) -> None:
        await self._leave(contact, attempt, "waiting", contact.due_at_ms, {}, detail)

    async def _leave(
        self,
        contact: Contact,
        attempt: Attempt | None,
        state: Onward,
        due_at_ms: int,
        why: dict[str, object],
        detail: str = "",
    ) -> None:
        """The contact is held no longer, and an intent of it is taken back first."""
        if attempt is None and state == "never":
            await self.claims.close(contact, why)
        elif attempt is None:
            await self.claims.put_back(contact, due_at_ms, why)
        elif await self.ledger.withdraw(attempt, detail or str(why["why"]), self.clock()):
            then = Next(state, due_at_ms, contact.number, contact.step)
            await self.rounds.conclude(contact, attempt, then, now_ms=self.clock(), why=why)


async def surely(write: Callable[[], Awaitable[T]]) -> T:
    """What the carrier has said is written down, however long the database is away."""
    while True:
        try:
            return await write()
        except DatabaseAwayError:
            logger.warning("the database is away; what the carrier said waits for it")
            await asyncio.sleep(AWAY_S)


def _tell(level: int, text: str, attempt: Attempt) -> None:
    logger.log(level, text, extra={"fields": {"attempt": attempt.attempt_id}})
