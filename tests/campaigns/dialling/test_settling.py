"""An attempt is given up only by a carrier that was asked when it had to know; a call is taken for
an attempt's only if no other attempt can have asked for it."""

import pytest
from sqlalchemy import update

from app.campaigns.dialling.settling import Settled
from app.campaigns.dialling.words import Attempt
from app.campaigns.ports import Heard, Seen
from app.records.database import Database
from app.records.tables import attempts
from tests.campaigns.dialling.stage import TIMING, Stage, rows, running, states
from tests.campaigns.lists import NOW_MS


async def unknown(stage: Stage) -> Attempt:
    await stage.requested()
    (held,) = await stage.claims.held()
    assert held.attempt is not None
    await stage.claims.hang_up()
    return held.attempt


async def test_a_call_between_the_numbers_is_the_attempts(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    attempt = await unknown(stage)
    stage.carrier.knows = [Seen("CA7", "in-progress", NOW_MS + 500)]
    assert await stage.settling.settle(attempt) == "found"
    (row,) = await rows(database)
    assert (row["state"], row["call_id"], row["answered_at_ms"]) == ("placed", "CA7", NOW_MS)


async def test_a_call_that_is_over_ends_it_at_once(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    attempt = await unknown(stage)
    stage.carrier.knows = [Seen("CA7", "busy", NOW_MS)]
    await stage.settling.settle(attempt)
    (row,) = await rows(database)
    assert (row["state"], row["outcome"]) == ("ended", "busy")


async def test_the_one_that_names_the_attempt_goes_before_nameless_ones(
    database: Database,
) -> None:
    await running(database)
    stage = Stage(database)
    attempt = await unknown(stage)
    stage.carrier.knows = [
        Seen("CA6", "ringing", NOW_MS),
        Seen("CA7", "ringing", NOW_MS, attempt.attempt_id),
    ]
    await stage.settling.settle(attempt)
    assert [row["call_id"] for row in await rows(database)] == ["CA7"]


@pytest.mark.parametrize(
    "other",
    [
        Seen("CA5", "completed", NOW_MS),
        Seen("CA6", "ringing", NOW_MS, "another"),
        Seen("CA8", "completed", NOW_MS - TIMING.skew_ms - 1),
    ],
    ids=["another attempt has it", "it names another", "it was there before"],
)
async def test_what_cannot_be_its_call_is_not_taken_for_it(database: Database, other: Seen) -> None:
    await running(database, 2)
    stage = Stage(database)
    attempt = await unknown(stage)
    await stage.dial.claims.claim("spring", 1, NOW_MS)
    contact = (await stage.claims.held())[-1].contact
    await stage.ledger.intend(contact, "a2", "+442079460101", NOW_MS)
    async with database.writing() as connection:
        theirs = update(attempts).where(attempts.c.attempt_id == "a2")
        await connection.execute(theirs.values(state="placed", call_id="CA5"))
    stage.carrier.knows = [other]
    stage.clock.now_ms += TIMING.in_doubt_ms
    assert await stage.settling.settle(attempt) == "given_up"
    await stage.claims.hang_up()


@pytest.mark.parametrize(
    ("later_ms", "settled", "state"),
    [
        (TIMING.in_doubt_ms - 1, "not_yet", "requested"),
        (TIMING.in_doubt_ms, "given_up", "given_up"),
    ],
)
async def test_it_is_given_up_when_the_carrier_had_to_know(
    database: Database, later_ms: int, settled: Settled, state: str
) -> None:
    await running(database)
    stage = Stage(database)
    attempt = await unknown(stage)
    stage.clock.now_ms += later_ms
    assert await stage.settling.settle(attempt) == settled
    assert await states(database) == [state]


@pytest.mark.parametrize(
    ("later_ms", "settled", "state", "outcome"),
    [
        (TIMING.in_doubt_ms, "not_yet", "requested", None),
        (TIMING.in_doubt_ms + TIMING.news_ms - 1, "not_yet", "requested", None),
        (TIMING.in_doubt_ms + TIMING.news_ms, "lost", "ended", "failed"),
    ],
)
async def test_a_carrier_that_forgets_never_says_that_a_call_was_not_there(
    database: Database, later_ms: int, settled: Settled, state: str, outcome: str | None
) -> None:
    """It may have rung: the attempt is in doubt, and then has failed, but is never given up."""
    await running(database)
    stage = Stage(database)
    attempt = await unknown(stage)
    stage.carrier.forgets = True
    stage.clock.now_ms += later_ms
    assert await stage.settling.settle(attempt) == settled
    (row,) = await rows(database)
    assert (row["state"], row["outcome"]) == (state, outcome)


async def test_news_in_time_end_the_doubt_about_a_forgetful_carriers_call(
    database: Database,
) -> None:
    await running(database)
    stage = Stage(database)
    attempt = await unknown(stage)
    stage.carrier.forgets = True
    assert await stage.settling.settle(attempt) == "not_yet"
    await stage.hearing.hear(Heard(attempt.attempt_id, "AO7", "busy", 4, NOW_MS + 1_000))
    stage.clock.now_ms += TIMING.in_doubt_ms + TIMING.news_ms
    await stage.settling.settle(attempt)
    (row,) = await rows(database)
    assert (row["state"], row["outcome"], row["call_id"]) == ("ended", "busy", "AO7")


async def test_a_forgetful_carriers_call_that_lives_is_the_attempts(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    attempt = await unknown(stage)
    stage.carrier.forgets = True
    stage.carrier.knows = [Seen("AO7", "in-progress", NOW_MS, attempt.attempt_id)]
    stage.clock.now_ms += 10 * TIMING.in_doubt_ms
    assert await stage.settling.settle(attempt) == "found"


async def test_a_carrier_that_cannot_be_asked_settles_nothing_however_late(
    database: Database,
) -> None:
    await running(database)
    stage = Stage(database)
    attempt = await unknown(stage)
    stage.carrier.away = True
    stage.clock.now_ms += 100 * TIMING.in_doubt_ms
    assert await stage.settling.settle(attempt) == "not_yet"
    assert await states(database) == ["requested"]


async def test_a_question_that_was_asked_too_early_gives_nothing_up(database: Database) -> None:
    """What counts is when it was asked, not when the answer came."""
    await running(database)
    stage = Stage(database)
    attempt = await unknown(stage)

    def late() -> None:
        stage.clock.now_ms += TIMING.in_doubt_ms

    stage.carrier.meanwhile = late
    assert await stage.settling.settle(attempt) == "not_yet"


@pytest.mark.parametrize(
    ("knows", "state", "outcome"),
    [
        ([Seen("CA1", "no-answer", NOW_MS)], "ended", "no_answer"),
        ([Seen("CA1", "ringing", NOW_MS)], "placed", None),
        ([], "ended", "failed"),
    ],
)
async def test_a_call_of_which_nothing_is_heard_is_asked_for(
    database: Database, knows: list[Seen], state: str, outcome: str | None
) -> None:
    await running(database)
    stage = Stage(database)
    attempt = await unknown(stage)
    await stage.ledger.place(attempt.attempt_id, "CA1")
    stage.carrier.knows = knows
    (held,) = await stage.claims.held()
    assert held.attempt is not None
    await stage.settling.ask(held.attempt)
    (row,) = await rows(database)
    assert (row["state"], row["outcome"]) == (state, outcome)
