"""The people of a campaign's list, as they are kept: pages of them, one by number, their dials."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, cast, func, select
from sqlalchemy import Text as SqlText
from sqlalchemy.ext.asyncio import AsyncConnection

from app.campaigns.store import CampaignError
from app.records.database import Database
from app.records.tables import attempts, calls, contacts, texts

PAGE: Final = 2_000


class NoContactError(CampaignError):
    """Nobody in the campaign has that number."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Contact:
    """Personal data, so it is kept out of `repr`. Times are Unix ms."""

    contact_id: int
    campaign_id: str
    number: str
    numbers: tuple[str, ...]
    zones: tuple[str, ...]
    variables: Mapping[str, str]
    consent: Mapping[str, Any] | None
    row: int
    state: str
    due_at_ms: int
    step: int
    attempts: int
    outcome: str | None
    why_rule: str | None
    why: str | None
    why_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Dial:
    """One attempt with what its call came to."""

    attempt_id: str
    contact_id: int
    ordinal: int
    number: str
    from_number: str
    state: str
    intended_at_ms: int
    answered_at_ms: int | None
    answered_by: str | None
    first_audio_at_ms: int | None
    ended_at_ms: int | None
    outcome: str | None
    detail: str | None
    abandoned: bool | None
    call_id: str | None
    disposition: str | None
    summary: str | None
    cost_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Text:
    """A text message that followed a dial."""

    contact_id: int
    ordinal: int
    number: str
    from_number: str
    state: str
    due_at_ms: int
    ended_at_ms: int | None
    text: str
    why: str | None


async def pages(
    database: Database, campaign_id: str, states: Collection[str] = (), size: int = PAGE
) -> AsyncIterator[Sequence[Contact]]:
    """All contacts in the order of their ids, `size` in memory at a time. `states`: only these.

    Each page is a look of its own: what changes meanwhile is seen or not, nobody comes twice.
    """
    after = 0
    while True:
        async with database.reading() as connection:
            found = await page(connection, campaign_id, after, states, size)
        if not found:
            return
        yield found
        after = found[-1].contact_id


async def page(
    connection: AsyncConnection,
    campaign_id: str,
    after: int = 0,
    states: Collection[str] = (),
    size: int = PAGE,
) -> Sequence[Contact]:
    """Those whose ids follow `after`."""
    query = select(contacts).where(
        contacts.c.campaign_id == campaign_id, contacts.c.contact_id > after
    )
    if states:
        query = query.where(contacts.c.state.in_(states))
    rows = await connection.execute(query.order_by(contacts.c.contact_id).limit(size))
    return [contact_of(row) for row in rows]


async def count(database: Database, campaign_id: str) -> int:
    """How many there are."""
    query = select(func.count()).where(contacts.c.campaign_id == campaign_id)
    async with database.reading() as connection:
        return (await connection.execute(query)).scalar_one()


async def by_number(connection: AsyncConnection, campaign_id: str, number: str) -> Contact:
    """Whose number it is, the one that is dialled next or another. Raises `NoContactError`."""
    here = select(contacts).where(contacts.c.campaign_id == campaign_id)
    quoted = f'"{number}"'
    for mine in (
        contacts.c.number == number,
        cast(contacts.c.numbers, SqlText).contains(quoted, autoescape=True),
    ):
        row = (await connection.execute(here.where(mine).limit(1))).first()
        if row is not None:
            return contact_of(row)
    raise NoContactError(f"Nobody in {campaign_id} has the number {number}.")


async def dials_of(
    connection: AsyncConnection, contact_ids: Sequence[int]
) -> Mapping[int, Sequence[Dial]]:
    """Contact id -> their attempts in order; those without any are not in it."""
    columns = [
        *(attempts.c[name] for name in _OF_ATTEMPTS),
        *(calls.c[name] for name in _OF_CALLS),
    ]
    query = (
        select(*columns)
        .select_from(attempts.outerjoin(calls, calls.c.attempt_id == attempts.c.attempt_id))
        .where(attempts.c.contact_id.in_(contact_ids))
        .order_by(attempts.c.contact_id, attempts.c.ordinal)
    )
    found: dict[int, list[Dial]] = {}
    for row in (await connection.execute(query)).mappings():
        found.setdefault(row["contact_id"], []).append(Dial(**row))
    return found


async def texts_of(
    connection: AsyncConnection, contact_ids: Sequence[int]
) -> Mapping[int, Sequence[Text]]:
    """Contact id -> the messages that followed their dials, in order."""
    query = (
        select(*(texts.c[name] for name in Text.__dataclass_fields__))
        .where(texts.c.contact_id.in_(contact_ids))
        .order_by(texts.c.contact_id, texts.c.ordinal, texts.c.step)
    )
    found: dict[int, list[Text]] = {}
    for row in (await connection.execute(query)).mappings():
        found.setdefault(row["contact_id"], []).append(Text(**row))
    return found


def contact_of(row: Row[Any]) -> Contact:
    """Of a whole row of `contacts`; further columns do no harm."""
    given = row._mapping
    values = {name: given[name] for name in _FIELDS}
    values["numbers"], values["zones"] = tuple(values["numbers"]), tuple(values["zones"])
    return Contact(**values)


_FIELDS: Final = tuple(Contact.__dataclass_fields__)
_OF_CALLS: Final = ("disposition", "summary", "cost_usd")
_OF_ATTEMPTS: Final = tuple(name for name in Dial.__dataclass_fields__ if name not in _OF_CALLS)
