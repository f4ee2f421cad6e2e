"""The abandonment meter: who answered, who of them was left in silence, over 30 days per campaign.

Each attempt counts once, on the day (UTC) of its answer, whatever is said of it how often; the
newest word on it holds. The sums stand in `abandonment`, the single verdicts in
`attempts.abandoned`, both written in one transaction.
"""

import logging
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, case, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.campaigns.throttle import Answers, Throttle, throttled
from app.records.database import Database
from app.records.tables import abandonment, attempts, campaign_log, campaigns

logger = logging.getLogger(__name__)

DAYS: Final = 30
DAY_MS: Final = 86_400_000
THROTTLE: Final = "throttle"
"""`what` of the campaign log's entries about a change of level."""
_SET_GOING: Final = ("start", "open", "resume", "extend")


class UnknownAttemptError(LookupError):
    """Ours: a verdict on an attempt that was never written."""


@dataclass(frozen=True, slots=True)
class Reading:
    """`begun_ms`: when the campaign was set going, the last time."""

    answers: Answers
    throttle: Throttle
    begun_ms: int


class Meter:
    """Raises `DatabaseAwayError` from everything."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, attempt_id: str, answered_at_ms: int, abandoned: bool | None) -> None:
        """What became of a live answer (`app.campaigns.throttle.was_abandoned`). None: it was no
        live answer after all, as when a machine had answered.

        The attempt's own `answered_at_ms` counts where it is known already. Raises
        `UnknownAttemptError`.
        """
        async with self._database.writing() as connection:
            columns = (
                attempts.c.campaign_id,
                attempts.c.answered_at_ms,
                attempts.c.abandoned,
            )
            found = await connection.execute(
                select(*columns).where(attempts.c.attempt_id == attempt_id).with_for_update()
            )
            row = found.one_or_none()
            if row is None:
                raise UnknownAttemptError("expected an attempt that was written, got another id")
            at_ms = row.answered_at_ms if row.answered_at_ms is not None else answered_at_ms
            if row.abandoned is abandoned and row.answered_at_ms is not None:
                return
            await connection.execute(
                update(attempts)
                .where(attempts.c.attempt_id == attempt_id)
                .values(abandoned=abandoned, answered_at_ms=at_ms)
            )
            answered = (abandoned is not None) - (row.abandoned is not None)
            silent = (abandoned is True) - (row.abandoned is True)
            if answered or silent:
                await _add(connection, row.campaign_id, at_ms // DAY_MS, answered, silent)

    async def answers(self, campaign_id: str, now_ms: int) -> Answers:
        """Of today and the 29 days before it."""
        async with self._database.reading() as connection:
            return await _answers(connection, campaign_id, now_ms)

    async def read(self, campaign_id: str, limit: float, now_ms: int) -> Reading:
        """How fast the campaign may dial; a change of level is written to the campaign's log."""
        async with self._database.reading() as connection:
            before = await _newest(connection, campaign_id)
            reading = await _reading(connection, campaign_id, limit, now_ms, before)
        if reading.throttle.level != before.level:
            return await self._changed(campaign_id, limit, now_ms)
        return reading

    async def _changed(self, campaign_id: str, limit: float, now_ms: int) -> Reading:
        async with self._database.writing() as connection:
            # Another worker may see the same change: who has the campaign's row writes it.
            await connection.execute(
                select(campaigns.c.campaign_id)
                .where(campaigns.c.campaign_id == campaign_id)
                .with_for_update()
            )
            before = await _newest(connection, campaign_id)
            reading = await _reading(connection, campaign_id, limit, now_ms, before)
            if reading.throttle.level != before.level:
                await connection.execute(
                    insert(campaign_log).values(
                        campaign_id=campaign_id,
                        at_ms=now_ms,
                        by="meter",
                        what=THROTTLE,
                        detail=_detail(reading),
                    )
                )
                _tell(campaign_id, reading)
        return reading


@dataclass(frozen=True, slots=True)
class _Newest:
    """The level that was logged last; `over_ms`: since when it is over the limit."""

    level: str = "full"
    over_ms: int | None = None


async def _add(
    connection: AsyncConnection, campaign_id: str, day: int, answered: int, abandoned: int
) -> None:
    of_day = and_(abandonment.c.campaign_id == campaign_id, abandonment.c.day == day)
    more = {
        "answered": abandonment.c.answered + answered,
        "abandoned": abandonment.c.abandoned + abandoned,
    }
    changed = await connection.execute(update(abandonment).where(of_day).values(more))
    if changed.rowcount:
        return
    # Two may begin a day at once: who comes second adds.
    row = {"campaign_id": campaign_id, "day": day, "answered": 0, "abandoned": 0}
    await connection.execute(_insert_if_new(connection, row))
    await connection.execute(update(abandonment).where(of_day).values(more))


def _insert_if_new(connection: AsyncConnection, row: dict[str, Any]) -> Any:
    if connection.dialect.name == "sqlite":
        return insert_sqlite(abandonment).values(row).on_conflict_do_nothing()
    return insert_postgresql(abandonment).values(row).on_conflict_do_nothing()


async def _answers(connection: AsyncConnection, campaign_id: str, now_ms: int) -> Answers:
    today = now_ms // DAY_MS
    answered, abandoned = (
        await connection.execute(
            select(func.sum(abandonment.c.answered), func.sum(abandonment.c.abandoned)).where(
                abandonment.c.campaign_id == campaign_id,
                abandonment.c.day > today - DAYS,
                abandonment.c.day <= today,
            )
        )
    ).one()
    return Answers(int(answered or 0), int(abandoned or 0))


async def _reading(
    connection: AsyncConnection, campaign_id: str, limit: float, now_ms: int, before: _Newest
) -> Reading:
    answers = await _answers(connection, campaign_id, now_ms)
    begun_ms = await _begun_ms(connection, campaign_id, now_ms)
    since = Answers()
    if before.over_ms is not None:
        since = await _since(connection, campaign_id, max(before.over_ms, begun_ms))
    return Reading(answers, throttled(answers, since, limit), begun_ms)


async def _since(connection: AsyncConnection, campaign_id: str, since_ms: int) -> Answers:
    """Of calls that were dialled later: those in the air then were not dialled one at a time."""
    answered, abandoned = (
        await connection.execute(
            select(func.count(), func.sum(case((attempts.c.abandoned, 1), else_=0))).where(
                attempts.c.campaign_id == campaign_id,
                attempts.c.answered_at_ms >= since_ms,
                attempts.c.intended_at_ms >= since_ms,
                attempts.c.abandoned.is_not(None),
            )
        )
    ).one()
    return Answers(int(answered), int(abandoned or 0))


async def _begun_ms(connection: AsyncConnection, campaign_id: str, now_ms: int) -> int:
    logged = await connection.scalar(
        select(func.max(campaign_log.c.at_ms)).where(
            campaign_log.c.campaign_id == campaign_id, campaign_log.c.what.in_(_SET_GOING)
        )
    )
    if logged is None:
        logged = await connection.scalar(
            select(campaigns.c.changed_at_ms).where(campaigns.c.campaign_id == campaign_id)
        )
    return int(logged) if logged is not None else now_ms


async def _newest(connection: AsyncConnection, campaign_id: str) -> _Newest:
    rows = await connection.execute(
        select(campaign_log.c.at_ms, campaign_log.c.detail)
        .where(campaign_log.c.campaign_id == campaign_id, campaign_log.c.what == THROTTLE)
        .order_by(campaign_log.c.entry_id.desc())
        .limit(2)
    )
    newest = rows.all()
    if not newest:
        return _Newest()
    level = str(newest[0].detail["level"])
    match level:
        case "over":
            return _Newest(level, newest[0].at_ms)
        case "stopped":
            return _Newest(level, newest[-1].at_ms)
        case _:
            return _Newest(level)


def _detail(reading: Reading) -> dict[str, Any]:
    return {
        "level": reading.throttle.level,
        "why": reading.throttle.why,
        "answered": reading.answers.answered,
        "abandoned": reading.answers.abandoned,
    }


def _tell(campaign_id: str, reading: Reading) -> None:
    fields = {"campaign": campaign_id, **_detail(reading)}
    if reading.throttle.alone:
        logger.warning("too many answers of a campaign were abandoned", extra={"fields": fields})
    else:
        logger.info("the pace of a campaign changed", extra={"fields": fields})
