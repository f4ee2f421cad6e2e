"""What is next follows from all dials of the contact, and from what was found of the last one."""

from sqlalchemy import insert, update

from app.campaigns.asked_times import Asked
from app.campaigns.dialling.steps import Steps
from app.campaigns.dialling.words import Attempt, AttemptState, Campaign, Contact, Next, Text
from app.campaigns.plan import Step
from app.records.database import Database
from app.records.tables import calls, contacts
from tests.campaigns.dialling.stage import Stage, running
from tests.campaigns.lists import HOUR_MS, LINE, NOW_MS, dialled, number, plan

CAMPAIGN = Campaign(
    "spring",
    plan(
        steps=(
            Step(on=("busy",), after="1h"),
            Step(on=("invalid_number",), then="other_number", after="1s"),
            Step(dispositions=("stop",), then="never"),
        )
    ),
    True,
)


WITHIN_MS = 90_000
LATER_MS = NOW_MS + WITHIN_MS


async def then(
    database: Database, contact: Contact, now_ms: int = NOW_MS, campaign: Campaign = CAMPAIGN
) -> Next | None:
    attempt = Attempt(
        attempt_id="a",
        contact_id=1,
        ordinal=1,
        number=number(1),
        from_number=LINE,
        state=AttemptState.ENDED,
        intended_at_ms=NOW_MS,
    )
    return await Steps(database, WITHIN_MS)(campaign, contact, attempt, now_ms)


async def held(database: Database) -> Contact:
    await running(database)
    stage = Stage(database)
    contact = await stage.claimed()
    await stage.claims.hang_up()
    return contact


async def test_a_step_is_taken_until_it_is_used_up(database: Database) -> None:
    contact = await held(database)
    await dialled(database, 1, 1, outcome="busy", ended_at_ms=NOW_MS)
    assert await then(database, contact) == Next("waiting", NOW_MS + HOUR_MS, number(1), 0)
    await dialled(database, 1, 2, outcome="busy", ended_at_ms=NOW_MS)
    assert await then(database, contact) == Next("done", NOW_MS, number(1), 0)


async def test_attempts_that_were_given_up_lead_nowhere(database: Database) -> None:
    contact = await held(database)
    await dialled(database, 1, 1, state="given_up", outcome=None, ended_at_ms=NOW_MS)
    await dialled(database, 1, 2, outcome="busy", ended_at_ms=NOW_MS)
    assert await then(database, contact) == Next("waiting", NOW_MS + HOUR_MS, number(1), 0)


async def test_another_number_of_the_person(database: Database) -> None:
    await running(database)
    async with database.writing() as connection:
        await connection.execute(update(contacts).values(numbers=[number(1), number(2)]))
    stage = Stage(database)
    contact = await stage.claimed()
    await dialled(database, 1, 1, outcome="invalid_number", ended_at_ms=NOW_MS)
    assert await then(database, contact) == Next("waiting", NOW_MS + 1_000, number(2), 1)
    await stage.claims.hang_up()


async def test_what_was_found_of_the_conversation_counts(database: Database) -> None:
    contact = await held(database)
    await dialled(database, 1, 1, outcome="answered", ended_at_ms=NOW_MS, call_id="CA1")
    row = {
        "call_id": "CA1",
        "direction": "outbound",
        "agent": "appointments",
        "started_at_ms": NOW_MS,
        "disposition": "stop",
        "after_at_ms": NOW_MS,
    }
    async with database.writing() as connection:
        await connection.execute(insert(calls), [row])
    assert await then(database, contact) == Next("never", NOW_MS, number(1), 2, never_again=True)


async def test_what_the_conversation_came_to_is_waited_for(database: Database) -> None:
    contact = await held(database)
    await dialled(database, 1, 1, outcome="answered", ended_at_ms=NOW_MS, call_id="CA1")
    assert await then(database, contact, LATER_MS - 1) is None
    assert await then(database, contact, LATER_MS) == Next("done", LATER_MS, number(1), 0)


async def test_a_plan_that_goes_by_no_disposition_waits_for_none(database: Database) -> None:
    contact = await held(database)
    await dialled(database, 1, 1, outcome="answered", ended_at_ms=NOW_MS, call_id="CA1")
    campaign = Campaign("spring", plan(steps=(Step(on=("busy",), after="1h"),)), True)
    done = Next("done", NOW_MS, number(1), 0)
    assert await then(database, contact, campaign=campaign) == done


async def test_who_asked_to_be_called_back_is_called_then(database: Database) -> None:
    contact = await held(database)
    asked = Asked(said_at_ms=NOW_MS, in_minutes=45)
    await dialled(
        *(database, 1, 1),
        outcome="answered",
        ended_at_ms=NOW_MS + 20_000,
        call_id="CA1",
        callback=asked.as_json(),
    )
    step = Step(dispositions=("callback",), then="callback", after="1d")
    campaign = Campaign("spring", plan(steps=(step,)), True)
    at_ms = NOW_MS + 45 * 60_000
    expected = Next("waiting", at_ms, number(1), 0)
    assert await then(database, contact, campaign=campaign) == expected


async def test_a_message_comes_beside_what_is_next(database: Database) -> None:
    contact = await held(database)
    await dialled(database, 1, 1, outcome="no_answer", ended_at_ms=NOW_MS)
    steps = (
        Step(on=("no_answer",), then="sms", after="1m", text="We tried to call you."),
        Step(on=("no_answer",), after="1h"),
    )
    campaign = Campaign("spring", plan(steps=steps), True)
    text = Text("We tried to call you.", NOW_MS + 60_000, 0)
    expected = Next("waiting", NOW_MS + HOUR_MS, number(1), 1, texts=(text,))
    assert await then(database, contact, campaign=campaign) == expected
