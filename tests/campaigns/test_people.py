"""Everybody on a list comes once, in pages; one is found by any of their numbers; a dial stands
with what its call came to."""

from itertools import chain

import pytest
from sqlalchemy import update

from app.campaigns.people import NoContactError, by_number, dials_of, pages
from app.records.database import Database
from app.records.tables import contacts
from tests.campaigns.lists import NOW_MS, dialled, listed, made, number, spoken


async def ids(database: Database, size: int, *states: str) -> list[list[int]]:
    return [[c.contact_id for c in page] async for page in pages(database, "spring", states, size)]


async def test_everybody_comes_once_and_only_of_this_campaign(database: Database) -> None:
    await made(database)
    await made(database, "autumn")
    await listed(database, 7)
    await listed(database, 3, "autumn")
    assert await ids(database, 3) == [[1, 2, 3], [4, 5, 6], [7]]
    assert list(chain(*await ids(database, 7))) == list(range(1, 8))


async def test_states_can_be_chosen(database: Database) -> None:
    await made(database)
    await listed(database, 4)
    async with database.writing() as connection:
        some = contacts.c.contact_id.in_((2, 4))
        await connection.execute(update(contacts).where(some).values(state="done"))
    assert await ids(database, 10, "done") == [[2, 4]]
    assert await ids(database, 1, "waiting", "held") == [[1], [3]]


async def test_somebody_is_found_by_any_of_their_numbers(database: Database) -> None:
    await made(database)
    await listed(database, 3)
    second = {"numbers": [number(2), "+4915901234567"]}
    async with database.writing() as connection:
        here = contacts.c.contact_id == 2
        await connection.execute(update(contacts).where(here).values(second))
    async with database.reading() as connection:
        assert (await by_number(connection, "spring", number(3))).contact_id == 3
        assert (await by_number(connection, "spring", "+4915901234567")).contact_id == 2
        for nobody in ("+4915901234", "+1%", "+_4915901234567", ""):
            with pytest.raises(NoContactError):
                await by_number(connection, "spring", nobody)
        with pytest.raises(NoContactError, match="Nobody in autumn has the number"):
            await by_number(connection, "autumn", number(3))


async def test_a_dial_stands_with_what_its_call_came_to(database: Database) -> None:
    await made(database)
    await listed(database, 2)
    await dialled(database, 1)
    second = await dialled(database, 1, 2, outcome="answered", answered_at_ms=NOW_MS)
    await spoken(database, second, disposition="booked", cost_usd=0.25)
    async with database.reading() as connection:
        found = await dials_of(connection, [1, 2])
    assert list(found) == [1]
    first, last = found[1]
    assert (first.ordinal, first.outcome, first.disposition) == (1, "no_answer", None)
    assert (last.ordinal, last.outcome, last.disposition) == (2, "answered", "booked")
    assert last.cost_usd == 0.25


async def test_people_do_not_show_in_what_is_printed_by_mistake(database: Database) -> None:
    await made(database)
    await listed(database, 1)
    async with database.reading() as connection:
        contact = await by_number(connection, "spring", number(1))
    assert number(1) not in repr(contact)
    assert "Ada" not in repr(contact)
