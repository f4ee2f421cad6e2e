"""Whatever a worker finds, it brings to its end: its own dials, what the dead left, calls of which
no news came, while nothing is dialled that should not be."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import update

from app.campaigns.dialling.words import Attempt, Campaign, Contact, Next, Timing, Wait
from app.campaigns.dialling.worker import Room, Worker
from app.campaigns.ports import FateUnknownError, Seen
from app.campaigns.store import find
from app.policy.dialing.words import Allowed, Answer
from app.records.database import Database
from app.records.tables import campaigns, contacts
from tests.campaigns.dialling.stage import (
    TOO_MANY,
    Paced,
    Stage,
    Time,
    ToldCarrier,
    heard,
    people,
    person,
    rows,
    running,
    set_state,
    states,
)
from tests.campaigns.lists import LINE, NOW_MS

TIMING = Timing(look_ms=20, lease_ms=30_000, ask_every_ms=1, again_ms=0, found_within_ms=0)


class Crew:
    """One worker that runs."""

    def __init__(self, database: Database, **given: Any) -> None:
        self.clock, self.carrier, self.pace = Time(), ToldCarrier(), Paced()
        self.worker = Worker(
            "heir",
            database,
            self.carrier,
            self._judge,
            self.pace,
            self.clock,
            timing=TIMING,
            **given,
        )

    async def _judge(self, campaign: Campaign, contact: Contact, now_ms: int) -> Answer:
        return Allowed(now_ms + 10**9)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.worker.run())
        try:
            yield
        finally:
            self.worker.stop()
            await running
            await self.worker.idle()


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(240):
        while not await true():  # noqa: ASYNC110 - the database tells nobody of a change
            await asyncio.sleep(0.01)


async def test_all_are_dialled_and_the_campaign_is_completed(database: Database) -> None:
    await running(database, 30)
    crew = Crew(database, room=Room(held=10, ahead=4))

    async def end_calls() -> bool:
        for row in await rows(database):
            if row["state"] == "placed":
                await crew.worker.hear(
                    heard(row["attempt_id"], "completed", call_id=row["call_id"])
                )
        return (await find(database, "spring")).state == "completed"

    async with crew.at_work():
        await until(end_calls)
    assert len(crew.carrier.orders) == 30
    assert {row["state"] for row in await people(database)} == {"done"}
    assert crew.pace.out == []


@pytest.mark.parametrize("left", ["claimed", "intended", "requested", "placed", "ended"])
async def test_what_the_dead_left_is_gone_on_with(database: Database, left: str) -> None:
    await running(database)
    dead = Stage(database, "dead")
    attempt_id = await leave(dead, left)
    crew = Crew(database)
    crew.clock.now_ms += TIMING.lease_ms
    crew.carrier.knows = [Seen("CA1", "completed", NOW_MS)] if left == "requested" else []

    async def over() -> bool:
        for row in await rows(database):
            if row["state"] == "placed":
                await crew.worker.hear(
                    heard(row["attempt_id"], "completed", call_id=row["call_id"])
                )
        return bool((await person(database))["state"] == "done")

    async with crew.at_work():
        await until(over)
    (row,) = await rows(database)
    assert attempt_id in (None, row["attempt_id"])
    assert len(crew.carrier.orders) == (1 if left in ("claimed", "intended") else 0)
    await dead.claims.hang_up()


async def leave(dead: Stage, left: str) -> str | None:
    """How far the dead worker came."""
    contact = await dead.claimed()
    if left == "claimed":
        return None
    attempt = await dead.ledger.intend(contact, "a1", LINE, NOW_MS)
    assert isinstance(attempt, Attempt)
    if left != "intended":
        await dead.ledger.request(attempt, LINE, NOW_MS)
    if left in ("placed", "ended"):
        await dead.ledger.place("a1", "CA1")
    if left == "ended":
        await dead.hearing.hear(heard("a1", "completed"))
    return "a1"


async def test_a_request_that_never_arrived_is_made_anew_as_another_attempt(
    database: Database,
) -> None:
    await running(database)
    crew = Crew(database)
    crew.carrier.answers = [FateUnknownError("cut")]

    async def again() -> bool:
        # Not before it was sent: what took so long is not sent any more.
        if crew.carrier.orders and await states(database) == ["requested"]:
            crew.clock.now_ms += TIMING.in_doubt_ms
        return await states(database) == ["given_up", "placed"]

    async with crew.at_work():
        await until(again)
    first, second = crew.carrier.orders
    assert first.attempt_id != second.attempt_id


async def test_a_call_of_which_no_news_come_is_asked_for(database: Database) -> None:
    await running(database)
    crew = Crew(database)

    async def quiet() -> bool:
        if await states(database) == ["placed"]:
            crew.carrier.knows = [Seen("CA1", "completed", NOW_MS)]
            crew.clock.now_ms += TIMING.quiet_ringing_ms
        return bool((await person(database))["state"] == "done")

    async with crew.at_work():
        await until(quiet)


async def test_after_429_it_is_quiet_until_then(database: Database) -> None:
    await running(database, 5)
    crew = Crew(database, room=Room(ahead=1))
    crew.carrier.answers = [TOO_MANY]

    async def given_up() -> bool:
        return await states(database) != [] and "given_up" in await states(database)

    async with crew.at_work():
        await until(given_up)
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert len(crew.carrier.orders) == 1
        crew.clock.now_ms += 2_000
        await until(lambda: more_than(crew, 1))


async def more_than(crew: Crew, orders: int) -> bool:
    return len(crew.carrier.orders) > orders


async def test_a_pause_puts_back_what_was_not_requested(database: Database) -> None:
    await running(database, 3)
    crew = Crew(database)
    crew.pace.waits = [Wait(NOW_MS + 10**9)] * 10**6

    async def all_waiting() -> bool:
        return {row["state"] for row in await people(database)} == {"waiting"}

    async def all_held() -> bool:
        return {row["state"] for row in await people(database)} == {"held"}

    async with crew.at_work():
        await until(all_held)
        await set_state(database, "paused")
        await until(all_waiting)
    assert crew.carrier.orders == []


async def test_who_stops_gives_back_what_is_under_way(database: Database) -> None:
    await running(database)
    crew = Crew(database)
    async with crew.at_work():
        await until(lambda: placed(database))
    contact = await person(database)
    assert (contact["state"], contact["lease_until_ms"]) == ("held", crew.clock())
    assert await Stage(database, "next").claims.take_over(1, crew.clock()) == 1


async def placed(database: Database) -> bool:
    return await states(database) == ["placed"]


async def test_one_contact_that_cannot_be_gone_on_with_holds_up_no_other(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await running(database, 2)

    async def follow(
        campaign: Campaign, contact: Contact, attempt: Attempt, now_ms: int
    ) -> Next | None:
        if contact.contact_id == 1:
            raise ZeroDivisionError
        return Next("done", now_ms, contact.number, 0)

    crew = Crew(database, follow=follow)

    async def second_done() -> bool:
        for row in await rows(database):
            if row["state"] == "placed":
                await crew.worker.hear(
                    heard(row["attempt_id"], "completed", call_id=row["call_id"])
                )
        return [row["state"] for row in await people(database)] == ["held", "done"]

    async with crew.at_work():
        await until(second_done)
    assert "a contact cannot be gone on with" in caplog.text


async def test_a_next_number_that_somebody_else_has_ends_the_contact(database: Database) -> None:
    await running(database, 2)
    async with database.writing() as connection:
        await connection.execute(
            update(contacts).where(contacts.c.contact_id == 2).values(state="never")
        )

    async def follow(
        campaign: Campaign, contact: Contact, attempt: Attempt, now_ms: int
    ) -> Next | None:
        return Next("waiting", now_ms, (await people(database))[1]["number"], 0)

    crew = Crew(database, follow=follow)

    async def over() -> bool:
        for row in await rows(database):
            if row["state"] == "placed":
                await crew.worker.hear(heard(row["attempt_id"], "busy", call_id=row["call_id"]))
        return bool((await person(database))["state"] == "done")

    async with crew.at_work():
        await until(over)
    async with database.reading() as connection:
        assert (await connection.execute(campaigns.select())).one().state == "completed"
