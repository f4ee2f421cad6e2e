"""An attempt is concluded once, by its holder; a campaign is completed when nobody is left."""

import pytest
from sqlalchemy import select, update

from app.campaigns.dialling.ledger import Refusal
from app.campaigns.dialling.rounds import NumberTakenError
from app.campaigns.dialling.words import Attempt, Contact, Next, Text
from app.campaigns.outcomes import Outcome
from app.campaigns.store import find, log
from app.records.database import Database
from app.records.do_not_call import source_of
from app.records.tables import contacts, texts
from tests.campaigns.dialling.stage import LEASE_MS, NAME, Stage, heard, person, running
from tests.campaigns.lists import LINE, NOW_MS, number

TEXT = Text("Sorry to have missed you.", NOW_MS + 60_000, 2)
DONE = Next("done", NOW_MS, number(1), 0)


async def ended(stage: Stage) -> tuple[Contact, Attempt]:
    contact = await stage.claimed()
    attempt = await stage.ledger.intend(contact, "a1", LINE, NOW_MS)
    assert isinstance(attempt, Attempt)
    await stage.ledger.request(attempt, LINE, NOW_MS)
    await stage.ledger.refuse("a1", Refusal(Outcome.FAILED, "no"), NOW_MS)
    (held,) = await stage.claims.held()
    assert held.attempt is not None
    await stage.claims.hang_up()
    return contact, held.attempt


async def test_an_attempt_is_concluded_once(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    contact, attempt = await ended(stage)
    for expected in (True, False):
        done = await stage.rounds.conclude(contact, attempt, DONE, now_ms=NOW_MS)
        assert done is expected
    row = await person(database)
    assert (row["state"], row["attempts"], row["outcome"]) == ("done", 1, "failed")
    assert (row["worker"], row["lease_until_ms"]) == (None, None)


async def test_who_lost_the_contact_concludes_nothing(database: Database) -> None:
    await running(database)
    zombie, heir = Stage(database, "zombie"), Stage(database, "heir")
    contact, attempt = await ended(zombie)
    await heir.claims.take_over(10, NOW_MS + LEASE_MS)
    assert not await zombie.rounds.conclude(contact, attempt, DONE, now_ms=NOW_MS)
    assert await heir.rounds.conclude(contact, attempt, DONE, now_ms=NOW_MS)


async def test_what_is_not_over_is_not_concluded(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    contact = await stage.claimed()
    attempt = await stage.ledger.intend(contact, "a1", LINE, NOW_MS)
    assert isinstance(attempt, Attempt)
    assert not await stage.rounds.conclude(contact, attempt, DONE, now_ms=NOW_MS)
    await stage.claims.hang_up()


async def test_a_late_word_of_a_call_comes_before_the_conclusion(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    contact, attempt_id = await stage.requested()
    await stage.ledger.give_up(attempt_id, NOW_MS)
    (held,) = await stage.claims.held()
    assert held.attempt is not None
    await stage.hearing.hear(heard(attempt_id, "ringing"))
    again = Next("waiting", NOW_MS, number(1), 0)
    assert not await stage.rounds.conclude(contact, held.attempt, again, now_ms=NOW_MS)
    await stage.claims.hang_up()


async def test_never_again_puts_the_number_on_the_list_of_all_campaigns(
    database: Database,
) -> None:
    await running(database)
    stage = Stage(database)
    contact, attempt = await ended(stage)
    then = Next("never", NOW_MS, number(1), 0, never_again=True)
    assert await stage.rounds.conclude(contact, attempt, then, now_ms=NOW_MS)
    async with database.reading() as connection:
        assert await source_of(connection, number(1)) == "own"


async def test_a_number_of_somebody_else_in_the_campaign_is_refused(database: Database) -> None:
    await running(database, 2)
    stage = Stage(database)
    contact, attempt = await ended(stage)
    then = Next("waiting", NOW_MS, number(2), 0)
    with pytest.raises(NumberTakenError):
        await stage.rounds.conclude(contact, attempt, then, now_ms=NOW_MS)
    assert (await person(database))["state"] == "held"


async def test_a_campaign_is_completed_when_nobody_is_left(database: Database) -> None:
    await running(database, 2)
    stage = Stage(database)
    async with database.writing() as connection:
        first = update(contacts).where(contacts.c.contact_id == 1)
        await connection.execute(first.values(state="done"))
    assert not await stage.rounds.complete(NAME, NOW_MS)
    await stage.claimed()
    assert not await stage.rounds.complete(NAME, NOW_MS)
    async with database.writing() as connection:
        await connection.execute(update(contacts).values(state="never"))
    assert await stage.rounds.complete(NAME, NOW_MS)
    assert not await stage.rounds.complete(NAME, NOW_MS)
    assert (await find(database, NAME)).state == "completed"
    assert (await log(database, NAME))[0].what == "exhausted"
    await stage.claims.hang_up()


async def test_messages_are_due_from_the_conclusion_on_once(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    contact, attempt = await ended(stage)
    then = Next("done", NOW_MS, number(1), 0, texts=(TEXT,))
    for _ in range(2):
        await stage.rounds.conclude(contact, attempt, then, now_ms=NOW_MS)
    async with database.reading() as connection:
        row = (await connection.execute(select(texts))).mappings().one()
    assert (row["text"], row["number"], row["from_number"]) == (TEXT.text, number(1), LINE)
    assert (row["state"], row["due_at_ms"], row["ordinal"], row["step"]) == (
        "due",
        NOW_MS + 60_000,
        1,
        2,
    )
