"""How a campaign is doing, in one look at the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.campaigns.outcomes import LIVE, RANG
from app.campaigns.store import Campaign, Entry, find, log
from app.records.database import Database
from app.records.tables import abandonment, attempts, calls, contacts, texts

MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
METER_DAYS: Final = 30
_STATES: Final = ("requested", "placed", "ended", "given_up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """At `at_ms`. Counts are of persons in `states`, of dials elsewhere."""

    at_ms: int
    campaign: Campaign
    states: Mapping[str, int]
    due: int
    """Waiting, and might be dialled now as far as their sequence goes."""
    next_due_at_ms: int | None
    """When the first of the others is due."""
    outcomes: Mapping[str, int]
    dispositions: Mapping[str, int]
    """What the agent's after-call work found."""
    in_progress: int
    """Calls that ring or are spoken in."""
    dials_a_minute: tuple[int, ...]
    """Of each of the newest minutes, the newest last."""
    answered: int
    """By people, in the newest 30 days."""
    abandoned: int
    cost_usd: float
    newest: Sequence[Entry]
    texts: Mapping[str, int]
    """Text messages that followed dials, by what became of them."""

    @property
    def contacts(self) -> int:
        return sum(self.states.values())

    @property
    def dials(self) -> int:
        return sum(self.outcomes.values())

    @property
    def reached(self) -> int:
        """Dials that a person answered."""
        return sum(self.outcomes.get(outcome.value, 0) for outcome in LIVE)

    @property
    def connect_rate(self) -> float | None:
        """Of dials that rang, how many a person answered. None: none has."""
        rang = sum(self.outcomes.get(outcome.value, 0) for outcome in RANG)
        return self.reached / rang if rang else None

    @property
    def abandonment_rate(self) -> float | None:
        """Of live answers. None: there is none."""
        return self.abandoned / self.answered if self.answered else None


async def look(
    database: Database, campaign_id: str, now_ms: int, *, minutes: int = 30, entries: int = 6
) -> Progress:
    """`minutes`: how far back the pace is told. Raises `NoCampaignError`."""
    campaign = await find(database, campaign_id)
    newest = await log(database, campaign_id, entries)
    async with database.reading() as connection:
        due, next_due_at_ms = await _due(connection, campaign_id, now_ms)
        met = (await connection.execute(_meter(campaign_id, now_ms))).one()
        return Progress(
            at_ms=now_ms,
            campaign=campaign,
            states=await _counts(connection, _states(campaign_id)),
            due=due,
            next_due_at_ms=next_due_at_ms,
            outcomes=await _counts(connection, _outcomes(campaign_id)),
            dispositions=await _counts(connection, _dispositions(campaign_id)),
            in_progress=(await connection.execute(_in_progress(campaign_id))).scalar_one(),
            dials_a_minute=await _pace(connection, campaign_id, now_ms, minutes),
            answered=met.answered,
            abandoned=met.abandoned,
            cost_usd=float((await connection.execute(_cost(campaign_id))).scalar_one()),
            newest=newest,
            texts=await _counts(connection, _texts(campaign_id)),
        )


def _states(campaign_id: str) -> Select[Any]:
    column = contacts.c.state
    here = contacts.c.campaign_id == campaign_id
    return select(column, func.count()).where(here).group_by(column)


def _outcomes(campaign_id: str) -> Select[Any]:
    column = attempts.c.outcome
    here = (attempts.c.campaign_id == campaign_id, column.is_not(None))
    return select(column, func.count()).where(*here).group_by(column)


def _texts(campaign_id: str) -> Select[Any]:
    column = texts.c.state
    return select(column, func.count()).where(texts.c.campaign_id == campaign_id).group_by(column)


def _dispositions(campaign_id: str) -> Select[Any]:
    column = calls.c.disposition
    here = (attempts.c.campaign_id == campaign_id, column.is_not(None))
    joined = attempts.join(calls, calls.c.attempt_id == attempts.c.attempt_id)
    return select(column, func.count()).select_from(joined).where(*here).group_by(column)


def _cost(campaign_id: str) -> Select[Any]:
    joined = attempts.join(calls, calls.c.attempt_id == attempts.c.attempt_id)
    total = func.coalesce(func.sum(calls.c.cost_usd), 0.0)
    return select(total).select_from(joined).where(attempts.c.campaign_id == campaign_id)


def _in_progress(campaign_id: str) -> Select[Any]:
    return select(func.count()).where(
        attempts.c.state.in_(("requested", "placed")), attempts.c.campaign_id == campaign_id
    )


def _meter(campaign_id: str, now_ms: int) -> Select[Any]:
    return select(
        func.coalesce(func.sum(abandonment.c.answered), 0).label("answered"),
        func.coalesce(func.sum(abandonment.c.abandoned), 0).label("abandoned"),
    ).where(
        abandonment.c.campaign_id == campaign_id,
        abandonment.c.day > now_ms // DAY_MS - METER_DAYS,
    )


async def _due(
    connection: AsyncConnection, campaign_id: str, now_ms: int
) -> tuple[int, int | None]:
    waiting = (contacts.c.campaign_id == campaign_id, contacts.c.state == "waiting")
    due = select(func.count()).where(*waiting, contacts.c.due_at_ms <= now_ms)
    later = select(func.min(contacts.c.due_at_ms)).where(*waiting, contacts.c.due_at_ms > now_ms)
    first = (await connection.execute(later)).scalar_one()
    return (await connection.execute(due)).scalar_one(), first


async def _pace(
    connection: AsyncConnection, campaign_id: str, now_ms: int, minutes: int
) -> tuple[int, ...]:
    """The state is named so that the index of open attempts serves."""
    which = ((now_ms - attempts.c.intended_at_ms) // MINUTE_MS).label("which")
    query = (
        select(which, func.count())
        .where(
            attempts.c.state.in_(_STATES),
            attempts.c.intended_at_ms > now_ms - minutes * MINUTE_MS,
            attempts.c.intended_at_ms <= now_ms,
            attempts.c.campaign_id == campaign_id,
        )
        .group_by(which)
    )
    found = {int(minute): count for minute, count in await connection.execute(query)}
    return tuple(found.get(minute, 0) for minute in reversed(range(minutes)))


async def _counts(connection: AsyncConnection, query: Select[Any]) -> dict[str, int]:
    """The most frequent first."""
    rows = [(str(name), int(count)) for name, count in await connection.execute(query)]
    return dict(sorted(rows, key=lambda row: (-row[1], row[0])))
