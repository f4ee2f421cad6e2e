"""The contacts that a worker holds, from the request to their next state.

What is found of a contact says what is done, whoever began it:

    no attempt     it is dialled, or put back where its campaign does not run
    intended       the same attempt is gone on with: the carrier was never asked for it
    requested      the carrier is asked what became of it
    placed         its end is waited for; asked for where nothing is heard for long
    ended          what is next is written down
    given_up       it waits to be dialled anew
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, TypeAlias

from app.campaigns.dialling.claims import Claims, Held
from app.campaigns.dialling.rounds import NumberTakenError, Rounds
from app.campaigns.dialling.settling import Settling
from app.campaigns.dialling.words import (
    Attempt,
    AttemptState,
    Campaign,
    Clock,
    Contact,
    Follow,
    Next,
    Pace,
    Timing,
)
from app.records.database import DatabaseAwayError

logger = logging.getLogger(__name__)

QUESTIONS: Final = 8
"""Asked of the carrier at once."""
Begin: TypeAlias = Callable[[Campaign, Contact, Attempt | None], None]
"""Starts to dial."""
_S = AttemptState


@dataclass(slots=True, kw_only=True)
class Watch:
    """`begin`: dials a contact in the background. `wake`: it is worth looking again."""

    claims: Claims
    rounds: Rounds
    settling: Settling
    follow: Follow
    pace: Pace
    timing: Timing
    clock: Clock
    begin: Begin
    wake: Callable[[], None]
    _asked_ms: dict[str, int] = field(default_factory=dict)
    """When an attempt was last asked for."""
    _unknown_ms: dict[str, int] = field(default_factory=dict)
    """When it was last asked in vain what follows an attempt."""
    _asking: "dict[str, asyncio.Task[None]]" = field(default_factory=dict)

    async def look(
        self, campaigns: dict[str, Campaign], busy: Collection[int], *, leaving: bool
    ) -> int:
        """One look at all that is held; contacts that are being dialled (`busy`) are left alone.
        Returns how many are held. Raises `DatabaseAwayError`."""
        held = await self.claims.held()
        mine = [h for h in held if h.contact.contact_id not in busy]
        steps = [self._step(h, campaigns, leaving) for h in mine]
        await asyncio.gather(*steps)
        self._forget({h.attempt.attempt_id for h in mine if h.attempt is not None})
        return len(held)

    async def _step(self, held: Held, campaigns: dict[str, Campaign], leaving: bool) -> None:
        """What is wrong with one contact, or its campaign, holds up no other."""
        try:
            await self._go_on(held, campaigns[held.contact.campaign_id], leaving)
        except DatabaseAwayError:
            raise
        except Exception:
            fields = {"contact": held.contact.contact_id, "campaign": held.contact.campaign_id}
            logger.exception("a contact cannot be gone on with", extra={"fields": fields})

    async def _go_on(self, held: Held, campaign: Campaign, leaving: bool) -> None:
        contact, attempt = held.contact, held.attempt
        state = None if attempt is None else attempt.state
        match state:
            case None if leaving or not campaign.running:
                await self.claims.put_back(contact, contact.due_at_ms)
            case None | _S.INTENDED:
                if not leaving:
                    self.begin(campaign, contact, attempt)
            case _S.REQUESTED | _S.PLACED:
                assert attempt is not None, "its state was read from it"
                if not leaving:
                    self._ask(attempt)
            case _:
                assert attempt is not None, "its state was read from it"
                await self._conclude(campaign, contact, attempt)

    def _ask(self, attempt: Attempt) -> None:
        """In the background: a carrier that does not answer holds up nobody."""
        now_ms, attempt_id = self.clock(), attempt.attempt_id
        if attempt_id in self._asking or len(self._asking) >= QUESTIONS:
            return
        if now_ms < self._next_question_ms(attempt):
            return
        self._asked_ms[attempt_id] = now_ms
        question = self.settling.question(attempt)
        task = asyncio.create_task(question, name="what became of a call")
        self._asking[attempt_id] = task
        task.add_done_callback(partial(self._answered, attempt_id))

    def _answered(self, attempt_id: str, task: "asyncio.Task[None]") -> None:
        del self._asking[attempt_id]
        self.wake()
        if task.cancelled() or (error := task.exception()) is None:
            return
        if not isinstance(error, DatabaseAwayError):
            logger.error("a question to the carrier failed inside the bot", exc_info=error)

    async def close(self) -> None:
        """What was asked is asked again by others."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _next_question_ms(self, attempt: Attempt) -> int:
        asked_ms = self._asked_ms.get(attempt.attempt_id)
        if attempt.state is _S.REQUESTED:
            return 0 if asked_ms is None else asked_ms + self.timing.ask_every_ms
        talks = attempt.answered_at_ms is not None
        quiet_ms = self.timing.quiet_talking_ms if talks else self.timing.quiet_ringing_ms
        newest_ms = max(attempt.requested_at_ms or 0, attempt.answered_at_ms or 0, asked_ms or 0)
        return newest_ms + quiet_ms

    def _forget(self, known: Collection[str]) -> None:
        for kept in (self._asked_ms, self._unknown_ms):
            for attempt_id in [a for a in kept if a not in known]:
                del kept[attempt_id]

    async def _conclude(self, campaign: Campaign, contact: Contact, attempt: Attempt) -> None:
        now_ms, attempt_id = self.clock(), attempt.attempt_id
        if now_ms < self._unknown_ms.get(attempt_id, 0) + self.timing.follow_every_ms:
            return
        if attempt.requested_at_ms is not None:
            await self.pace.over(campaign, contact)
        then: Next | None
        if attempt.state is _S.GIVEN_UP:
            again_ms = now_ms + self.timing.again_ms
            then = Next("waiting", again_ms, contact.number, contact.step)
        else:
            then = await self.follow(campaign, contact, attempt, now_ms)
        if then is None:
            self._unknown_ms[attempt_id] = now_ms
            return
        try:
            await self.rounds.conclude(contact, attempt, then, now_ms=now_ms)
        except NumberTakenError:
            then = replace(then, state="done", number=contact.number)
            await self.rounds.conclude(contact, attempt, then, now_ms=now_ms)
