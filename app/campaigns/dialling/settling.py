"""What became of a request that nobody can tell of: its worker died, or the answer was lost.

The carrier is asked for calls between the two numbers since then. One that names the attempt is
its call, and so is one that names none and that no other attempt has: as no two attempts on one
number are ever open at once (`uq_attempts_open`), nobody else can have asked for it. Only a carrier
that was asked after it had to know, and has none, makes the attempt given up. One that forgets its
calls when they end cannot say so: there the attempt stays in doubt for as long as news of it may
come, and then has failed. Its number may have rung, so nobody dials it for this attempt again.
"""

import logging
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from app.campaigns.dialling.hearing import Hearing
from app.campaigns.dialling.ledger import Ledger
from app.campaigns.dialling.words import Attempt, AttemptState, Clock, Timing
from app.campaigns.dialling.writes import At, nothing
from app.campaigns.outcomes import Outcome
from app.campaigns.ports import Carrier, FateUnknownError, Heard, LiveCalls, Seen

logger = logging.getLogger(__name__)

Settled: TypeAlias = Literal["found", "given_up", "lost", "not_yet"]
ASKED: Final = 0
"""The `sequence` of what was found by asking: the state goes before it."""


class Settling:
    def __init__(
        self,
        carrier: Carrier,
        ledger: Ledger,
        hearing: Hearing,
        timing: Timing,
        clock: Clock,
        at: At = nothing,
    ) -> None:
        self._carrier = carrier
        self._ledger = ledger
        self._hearing = hearing
        self._timing = timing
        self._clock = clock
        self._at = at

    async def question(self, attempt: Attempt) -> None:
        """Ask for an attempt that is `requested` or `placed`. Raises `DatabaseAwayError`."""
        if attempt.state is AttemptState.REQUESTED:
            await self.settle(attempt)
        else:
            await self.ask(attempt)

    async def settle(self, attempt: Attempt) -> Settled:
        """One question about an attempt that is `requested`. Raises `DatabaseAwayError`."""
        assert attempt.requested_at_ms is not None, "it was requested"
        asked_at_ms = self._clock()
        since_ms = attempt.requested_at_ms - self._timing.skew_ms
        try:
            seen = await self._carrier.calls(attempt.number, attempt.from_number, since_ms)
        except FateUnknownError as error:
            _tell(logging.WARNING, "the carrier cannot be asked for a call", attempt, str(error))
            return "not_yet"
        self._at(("after", "ask"))
        if found := await self._its(attempt, seen):
            await self._ledger.adopt(attempt.attempt_id, found.call_id)
            await self._hearing.hear(heard_of(attempt, found, self._clock()))
            return "found"
        if asked_at_ms < attempt.requested_at_ms + self._timing.in_doubt_ms:
            return "not_yet"
        if isinstance(seen, LiveCalls):
            return await self._in_doubt(attempt, asked_at_ms)
        if await self._ledger.give_up(attempt.attempt_id, self._clock()):
            _tell(logging.INFO, "a request never reached the carrier", attempt, "")
        return "given_up"

    async def _in_doubt(self, attempt: Attempt, now_ms: int) -> Settled:
        assert attempt.requested_at_ms is not None, "it was requested"
        if now_ms < attempt.requested_at_ms + self._timing.in_doubt_ms + self._timing.news_ms:
            return "not_yet"
        if await self._ledger.lose(attempt.attempt_id, now_ms):
            _tell(logging.WARNING, "nobody will know whether a call was placed", attempt, "")
        return "lost"

    async def _its(self, attempt: Attempt, seen: Sequence[Seen]) -> Seen | None:
        for call in seen:
            if call.attempt_id == attempt.attempt_id:
                return call
        since_ms = (attempt.requested_at_ms or 0) - self._timing.skew_ms
        nameless = [s for s in seen if not s.attempt_id and s.created_at_ms >= since_ms]
        theirs = await self._ledger.owned([call.call_id for call in nameless])
        free = [call for call in nameless if call.call_id not in theirs]
        if len(free) > 1:
            _tell(logging.ERROR, "the carrier has two calls for one attempt", attempt, "")
        return min(free, key=lambda call: call.created_at_ms, default=None)

    async def ask(self, attempt: Attempt) -> None:
        """Of an attempt that is `placed`, and of which nothing was heard for long."""
        assert attempt.call_id is not None, "it was placed"
        try:
            seen = await self._carrier.call(attempt.call_id)
        except FateUnknownError as error:
            _tell(logging.WARNING, "the carrier cannot be asked for a call", attempt, str(error))
            return
        self._at(("after", "ask"))
        if seen is None:
            _tell(logging.ERROR, "the carrier has forgotten a call", attempt, "")
            await self._ledger.forget(attempt.attempt_id, Outcome.FAILED, self._clock())
            return
        await self._hearing.hear(heard_of(attempt, seen, self._clock()))


def heard_of(attempt: Attempt, seen: Seen, now_ms: int) -> Heard:
    return Heard(
        attempt_id=attempt.attempt_id,
        call_id=seen.call_id,
        fate=seen.fate,
        sequence=ASKED,
        at_ms=now_ms,
    )


def _tell(level: int, text: str, attempt: Attempt, why: str) -> None:
    fields = {"attempt": attempt.attempt_id, "call": attempt.call_id, "why": why}
    logger.log(level, text, extra={"fields": fields})
