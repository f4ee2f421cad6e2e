"""A due contact has one worker at a time: the living keep theirs, the dead lose theirs to others,
and nothing that is under way is ever put back."""

import asyncio

from sqlalchemy import update

from app.records.database import Database
from app.records.tables import contacts
from tests.campaigns.dialling.stage import (
    LEASE_MS,
    NAME,
    Stage,
    people,
    person,
    rows,
    running,
    set_state,
)
from tests.campaigns.lists import LINE, NOW_MS


async def test_a_contact_is_claimed_by_one_of_many(database: Database) -> None:
    await running(database, 60)
    stages = [Stage(database, f"w{n}") for n in range(4)]

    async def all_of(stage: Stage) -> list[int]:
        found: list[int] = []
        while claimed := await stage.claims.claim(NAME, 7, NOW_MS):
            found += [contact.contact_id for contact in claimed]
        return found

    claimed = await asyncio.gather(*(all_of(stage) for stage in stages))
    assert sorted(contact for each in claimed for contact in each) == list(range(1, 61))
    assert {row["state"] for row in await people(database)} == {"held"}
    for stage in stages:
        await stage.claims.hang_up()


async def test_the_ones_that_wait_longest_come_first_and_none_before_its_time(
    database: Database,
) -> None:
    await running(database, 4)
    async with database.writing() as connection:
        for contact_id, due_at_ms in ((1, NOW_MS + 1), (2, NOW_MS - 5), (3, NOW_MS - 9)):
            moved = update(contacts).where(contacts.c.contact_id == contact_id)
            await connection.execute(moved.values(due_at_ms=due_at_ms))
    stage = Stage(database)
    found = await stage.claims.claim(NAME, 10, NOW_MS)
    assert [contact.contact_id for contact in found] == [3, 2, 4]
    await stage.claims.hang_up()


async def test_a_campaign_that_does_not_run_has_nothing_to_claim(database: Database) -> None:
    await running(database)
    await set_state(database, "paused")
    stage = Stage(database)
    assert await stage.claims.claim(NAME, 10, NOW_MS) == []
    await stage.claims.hang_up()


async def test_what_the_dead_held_waits_again_and_what_the_living_hold_stays(
    database: Database,
) -> None:
    await running(database, 2)
    dead, living, heir = (Stage(database, name) for name in ("dead", "living", "heir"))
    await dead.claimed()
    await living.claimed()
    await living.claims.renew(NOW_MS + LEASE_MS - 1)
    assert await heir.claims.take_over(10, NOW_MS + LEASE_MS) == 0
    assert [row["state"] for row in await people(database)] == ["waiting", "held"]
    for stage in (dead, living, heir):
        await stage.claims.hang_up()


async def test_what_was_under_way_goes_to_who_takes_it_over_with_its_attempt(
    database: Database,
) -> None:
    await running(database)
    dead, heir = Stage(database, "dead"), Stage(database, "heir")
    contact = await dead.claimed()
    await dead.ledger.intend(contact, "a1", LINE, NOW_MS)
    later_ms = NOW_MS + LEASE_MS
    assert await heir.claims.take_over(10, later_ms) == 1
    assert await heir.claims.take_over(10, later_ms) == 0
    (held,) = await heir.claims.held()
    assert held.attempt is not None
    assert (held.attempt.attempt_id, held.attempt.worker) == ("a1", "heir")
    assert await dead.claims.held() == []
    for stage in (dead, heir):
        await stage.claims.hang_up()


async def test_nothing_is_put_back_that_is_under_way_or_was_lost(database: Database) -> None:
    await running(database, 2)
    stage = Stage(database)
    contact = await stage.claimed()
    await stage.ledger.intend(contact, "a1", LINE, NOW_MS)
    assert not await stage.claims.put_back(contact, NOW_MS)
    lost = await stage.claimed()
    await Stage(database, "heir").claims.take_over(10, NOW_MS + LEASE_MS)
    assert not await stage.claims.put_back(lost, NOW_MS)
    assert not await stage.claims.close(lost, {})
    await stage.claims.hang_up()


async def test_what_is_put_back_or_closed_says_why(database: Database) -> None:
    await running(database, 2)
    stage = Stage(database)
    first, second = await stage.claimed(), await stage.claimed()
    assert await stage.claims.put_back(first, NOW_MS + 9, {"why_rule": "window", "why": "night"})
    assert await stage.claims.close(second, {"why_rule": "do_not_call", "why": "listed"})
    waiting, never = await people(database)
    assert (waiting["state"], waiting["due_at_ms"], waiting["why"]) == (
        "waiting",
        NOW_MS + 9,
        "night",
    )
    assert (never["state"], never["why_rule"], never["worker"]) == ("never", "do_not_call", None)
    await stage.claims.hang_up()


async def test_who_leaves_lets_others_have_it_at_once(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    contact = await stage.claimed()
    await stage.ledger.intend(contact, "a1", LINE, NOW_MS)
    await stage.claims.let_go(NOW_MS)
    assert await Stage(database, "heir").claims.take_over(10, NOW_MS) == 1
    assert (await person(database))["worker"] == "heir"
    assert len(await rows(database)) == 1
    await stage.claims.hang_up()
