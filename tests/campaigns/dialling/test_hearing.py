"""What the ledger says of a call does not depend on the order, the number or the moment of its
news."""

import itertools

import pytest
from sqlalchemy import update

from app.campaigns.ports import Heard
from app.records.database import Database
from app.records.tables import attempts, contacts
from tests.campaigns.dialling.stage import Stage, heard, person, rows, running
from tests.campaigns.lists import LINE, NOW_MS

NEWS = (
    heard("a1", "ringing", sequence=1, at_ms=NOW_MS + 1_000),
    heard("a1", "in-progress", sequence=2, at_ms=NOW_MS + 5_000),
    heard("a1", "in-progress", sequence=-1, at_ms=NOW_MS + 7_000, answered_by="machine_start"),
    heard("a1", "completed", sequence=3, at_ms=NOW_MS + 9_000),
)


async def requested(stage: Stage) -> None:
    contact = await stage.claimed()
    attempt = await stage.ledger.intend(contact, "a1", LINE, NOW_MS)
    assert not isinstance(attempt, str)
    assert await stage.ledger.request(attempt, LINE, NOW_MS)


async def anew(database: Database) -> None:
    """The attempt as it was requested."""
    nothing = dict.fromkeys(
        ("call_id", "answered_at_ms", "answered_by", "ended_at_ms", "outcome"), None
    )
    async with database.writing() as connection:
        await connection.execute(update(attempts).values(state="requested", **nothing))


async def test_every_order_of_the_news_leaves_the_same(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    await requested(stage)
    expected = ("ended", "CA1", NOW_MS + 5_000, "machine_start", NOW_MS + 9_000, "machine")
    for order in itertools.permutations(NEWS):
        await anew(database)
        for news in (*order, order[0]):
            await stage.hearing.hear(news)
        (row,) = await rows(database)
        columns = ("state", "call_id", "answered_at_ms", "answered_by", "ended_at_ms", "outcome")
        assert tuple(row[name] for name in columns) == expected
    await stage.claims.hang_up()


async def test_our_own_word_that_it_was_placed_may_come_last(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    await requested(stage)
    await stage.hearing.hear(heard("a1", "busy", sip_code=486))
    assert not await stage.ledger.place("a1", "CA1")
    (row,) = await rows(database)
    assert (row["state"], row["call_id"], row["outcome"]) == ("ended", "CA1", "busy")
    await stage.claims.hang_up()


@pytest.mark.parametrize(
    ("news", "outcome"),
    [
        (heard("a1", "no-answer"), "no_answer"),
        (heard("a1", "busy", sip_code=603), "rejected"),
        (heard("a1", "failed", sip_code=404), "invalid_number"),
        (heard("a1", "failed", sip_code=503), "failed"),
        (heard("a1", "canceled"), "canceled"),
        (heard("a1", "completed"), "answered"),
        (heard("a1", "completed", answered_by="fax"), "fax"),
    ],
)
async def test_what_it_came_to(database: Database, news: Heard, outcome: str) -> None:
    await running(database)
    stage = Stage(database)
    await requested(stage)
    await stage.hearing.hear(news)
    assert [row["outcome"] for row in await rows(database)] == [outcome]
    await stage.claims.hang_up()


async def test_who_knows_more_of_the_conversation_is_not_overruled(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    await requested(stage)
    async with database.writing() as connection:
        await connection.execute(update(attempts).values(outcome="message_left"))
    await stage.hearing.hear(heard("a1", "completed", answered_by="machine_start"))
    assert [row["outcome"] for row in await rows(database)] == ["message_left"]
    await stage.claims.hang_up()


async def test_a_second_call_or_a_second_attempt_changes_nothing(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await running(database, 2)
    stage = Stage(database)
    await requested(stage)
    await stage.hearing.hear(heard("a1", "ringing"))
    await stage.hearing.hear(heard("a1", "busy", call_id="CA2"))
    contact = await stage.claimed()
    await stage.ledger.intend(contact, "a2", LINE, NOW_MS)
    await stage.hearing.hear(heard("a2", "busy", call_id="CA1"))
    assert (await stage.hearing.hear(heard("a9", "busy", call_id="CA9"))).attempt is None
    first, second = await rows(database)
    assert (first["state"], first["call_id"]) == ("placed", "CA1")
    assert (second["state"], second["call_id"]) == ("intended", None)
    said = [record.message for record in caplog.records]
    assert said == [
        "the carrier has two calls for one attempt",
        "the carrier names two attempts for one call",
        "the carrier told of an attempt that is unknown",
    ]
    await stage.claims.hang_up()


@pytest.mark.parametrize("concluded", [False, True])
async def test_a_call_of_an_attempt_that_was_given_up_is_taken_back(
    database: Database, concluded: bool
) -> None:
    """Nobody is dialled again while they are on the phone with us."""
    await running(database)
    stage = Stage(database)
    await requested(stage)
    assert await stage.ledger.give_up("a1", NOW_MS)
    if concluded:
        async with database.writing() as connection:
            await connection.execute(update(contacts).values(state="waiting", attempts=1))
    await stage.hearing.hear(heard("a1", "in-progress", at_ms=NOW_MS + 1))
    (row,), contact = await rows(database), await person(database)
    assert (row["state"], row["call_id"]) == ("placed", "CA1")
    assert (contact["state"], contact["attempts"], contact["lease_until_ms"]) == ("held", 0, 0)
    assert await Stage(database, "heir").claims.take_over(10, NOW_MS) == 1
    await stage.claims.hang_up()


async def test_a_call_that_comes_to_light_after_the_next_attempt_is_written_down(
    database: Database,
) -> None:
    await running(database)
    stage = Stage(database)
    await requested(stage)
    await stage.ledger.give_up("a1", NOW_MS)
    async with database.writing() as connection:
        await connection.execute(update(contacts).values(attempts=1))
    (again,) = [held.contact for held in await stage.claims.held()]
    await stage.ledger.intend(again, "a2", LINE, NOW_MS)
    await stage.hearing.hear(heard("a1", "completed"))
    first, second = await rows(database)
    assert (first["state"], first["call_id"], first["outcome"]) == ("given_up", "CA1", "answered")
    assert second["state"] == "intended"
    await stage.claims.hang_up()
