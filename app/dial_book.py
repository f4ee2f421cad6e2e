"""What becomes of campaigns' calls: the carrier's news of them, and how each went by its own
record, written into the ledger of attempts."""

import asyncio
import logging
import time
from typing import Final

from sqlalchemy import select, update

from app.call.call import Call
from app.campaign_carrier import TwilioNews
from app.campaigns.asked_times import Asked
from app.campaigns.dialling.hearing import Hearing
from app.campaigns.dialling.writes import Writes
from app.campaigns.meter import Meter, UnknownAttemptError
from app.campaigns.outcome_of import Went, outcome_of
from app.campaigns.outcomes import LIVE, Outcome
from app.campaigns.ports import Heard
from app.records.database import Database, DatabaseAwayError
from app.records.tables import attempts

logger = logging.getLogger(__name__)

LIMIT_S: Final = 2.0
"""A call that is over waits no longer for the ledger."""


class DialBook:
    """One per process. `news` is what the carrier's webhooks tell."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hearing = Hearing(Writes(database))
        self._meter = Meter(database)
        self.news = TwilioNews(self._hear)

    async def over(self, attempt_id: str, call: Call) -> None:
        """A stream of this attempt's call is over. Before the carrier learns of it, so that its
        last word finds the outcome written. Never raises."""
        answer = call.timeline.answer
        if not attempt_id or answer is None:
            return
        outcome = outcome_of("completed", Went.of({"answer": answer.as_json()}))
        try:
            async with asyncio.timeout(LIMIT_S):
                await self._write(attempt_id, outcome, answer.first_audio_ms)
        except (TimeoutError, DatabaseAwayError) as error:
            fields = {"call": call.call_id, "error": type(error).__name__}
            logger.error("how a dial went is not in the ledger", extra={"fields": fields})

    async def unserved(self, attempt_id: str) -> None:
        """Somebody answered, and there was no place or no agent for them. Never raises."""
        try:
            async with asyncio.timeout(LIMIT_S):
                await self._write(attempt_id, Outcome.ABANDONED, None)
        except (TimeoutError, DatabaseAwayError) as error:
            fields = {"attempt": attempt_id, "error": type(error).__name__}
            logger.error("an abandoned call is not in the ledger", extra={"fields": fields})

    async def asked_back(self, attempt_id: str, asked: Asked) -> bool:
        """The person asked to be called back then. False: it could not be written down."""
        try:
            async with asyncio.timeout(LIMIT_S), self._database.writing() as connection:
                this = attempts.c.attempt_id == attempt_id
                await connection.execute(
                    update(attempts).where(this).values(callback=asked.as_json())
                )
        except (TimeoutError, DatabaseAwayError) as error:
            fields = {"attempt": attempt_id, "error": type(error).__name__}
            logger.error(
                "the time to call somebody back is not in the ledger", extra={"fields": fields}
            )
            return False
        return True

    async def _hear(self, heard: Heard) -> None:
        await self._hearing.hear(heard)

    async def _write(self, attempt_id: str, outcome: Outcome, first_audio_ms: int | None) -> None:
        """`first_audio_ms`: from the answer to our first sound; None: there was none."""
        column = attempts.c
        heard = {}
        if first_audio_ms is not None:
            heard = {"first_audio_at_ms": column.answered_at_ms + first_audio_ms}
        async with self._database.writing() as connection:
            await connection.execute(
                update(attempts)
                .where(column.attempt_id == attempt_id)
                .values(outcome=outcome.value, **heard)
            )
            query = select(column.answered_at_ms).where(column.attempt_id == attempt_id)
            answered_at_ms = (await connection.execute(query)).scalar_one_or_none()
        abandoned = outcome is Outcome.ABANDONED if outcome in LIVE else None
        at_ms = answered_at_ms or time.time_ns() // 1_000_000
        try:
            await self._meter.note(attempt_id, at_ms, abandoned)
        except UnknownAttemptError:
            fields = {"attempt": attempt_id}
            logger.warning("a call names an attempt that is unknown", extra={"fields": fields})
