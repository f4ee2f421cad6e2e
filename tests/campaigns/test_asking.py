"""Whoever asks why somebody was not dialled gets every reason that stands now, the policy's newest
answer and the last one that was kept."""

from typing import Any

import pytest
from sqlalchemy import update

from app.campaigns.asking import why_not_dialled
from app.campaigns.people import NoContactError
from app.campaigns.store import NoCampaignError, move, start
from app.policy.dialing.words import Allowed, Answer, DialRules, History, Person
from app.records.database import Database
from app.records.tables import contacts
from tests.campaigns.lists import HOUR_MS, NOW_MS, dialled, listed, made, number


def policy(person: Person, history: History, rules: DialRules, now_ms: int) -> Answer:
    return Allowed(now_ms + HOUR_MS)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({}, []),
        ({"due_at_ms": NOW_MS + 1}, ["The contact is not due yet."]),
        ({"due_at_ms": NOW_MS + 1, "attempts": 1}, ["The sequence has put the next dial off."]),
        (
            {"state": "done", "outcome": "answered"},
            ["The sequence is over: the last dial came to answered."],
        ),
        (
            {"state": "never", "outcome": "fax"},
            ["The contact was given up: the last dial came to fax."],
        ),
        (
            {"state": "never", "why_rule": "cap_total", "why": "6 of 6"},
            ["The contact was given up by the rule cap_total: 6 of 6."],
        ),
        (
            {"state": "held"},
            ["It is being dialled at this moment, or its worker died a moment ago."],
        ),
    ],
)
async def test_the_contacts_state_comes_first(
    database: Database, row: dict[str, Any], says: list[str]
) -> None:
    await made(database)
    await listed(database, 1)
    await start(database, "spring", by="ann", now_ms=NOW_MS)
    if row:
        async with database.writing() as connection:
            await connection.execute(update(contacts).values(row))
    why = await why_not_dialled(database, "spring", number(1), policy, NOW_MS)
    assert why.besides == says
    assert why.answer == Allowed(NOW_MS + HOUR_MS)


async def test_a_campaign_that_does_not_run_is_a_reason(database: Database) -> None:
    await made(database)
    await listed(database, 1)
    await start(database, "spring", by="ann", now_ms=NOW_MS)
    await move(database, "spring", "pause", by="ann", now_ms=NOW_MS)
    why = await why_not_dialled(database, "spring", number(1), policy, NOW_MS)
    assert why.besides == ["The campaign is paused: nothing is dialled."]


async def test_the_dials_come_along(database: Database) -> None:
    await made(database)
    await listed(database, 2)
    await dialled(database, 2)
    why = await why_not_dialled(database, "spring", number(2), policy, NOW_MS)
    assert [dial.outcome for dial in why.dials] == ["no_answer"]
    assert number(2) not in repr(why)


async def test_nobody_and_nowhere_are_told(database: Database) -> None:
    with pytest.raises(NoCampaignError):
        await why_not_dialled(database, "spring", number(1), policy, NOW_MS)
    await made(database)
    with pytest.raises(NoContactError):
        await why_not_dialled(database, "spring", number(1), policy, NOW_MS)
