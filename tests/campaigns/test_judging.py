"""What the policy is asked is what the rows say: who, when they were dialled here and anywhere,
whether they may not be; the same for one contact as for a page of them."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import update

from app.campaigns.judging import Judging, histories_of
from app.campaigns.people import by_number, pages
from app.campaigns.plan import Law
from app.policy.dialing.words import (
    Allowed,
    Answer,
    Consent,
    DialRule,
    DialRules,
    History,
    Never,
    Person,
)
from app.records.database import Database
from app.records.tables import contacts
from tests.campaigns.lists import NOW_MS, dialled, listed, made, number, plan, refused


class Asked:
    """A policy that allows everything, and keeps what it was asked."""

    def __init__(self) -> None:
        self.people: list[tuple[Person, History]] = []

    def __call__(self, person: Person, history: History, rules: DialRules, now_ms: int) -> Answer:
        self.people.append((person, history))
        return Allowed(now_ms)


async def asked_of(database: Database, **given: Any) -> list[tuple[Person, History]]:
    policy = Asked()
    judging = Judging(plan(**given), policy)
    async for page in pages(database, "spring"):
        async with database.reading() as connection:
            await judging.many(connection, page, NOW_MS)
    return policy.people


async def test_a_person_is_what_the_row_says(database: Database) -> None:
    await made(database)
    await listed(database, 1, zones=["Europe/Berlin", "Europe/Kyiv"])
    ((person, history),) = await asked_of(database)
    assert person.zones == ("Europe/Berlin", "Europe/Kyiv")
    assert person.consent == Consent(date(2026, 1, 2), "web form")
    assert history == History()


async def test_dials_that_rang_count_here_and_in_all_campaigns(database: Database) -> None:
    """Those of 1: rang, its end not known, not placed, given up; then one of another
    campaign."""
    await made(database)
    await made(database, "autumn")
    await listed(database, 2)
    await listed(database, 1, "autumn")
    rang: list[dict[str, Any]] = [
        {"outcome": "busy"},
        {"outcome": None, "state": "requested"},
        {"outcome": "failed"},
        {"outcome": None, "state": "given_up"},
    ]
    for ordinal, values in enumerate(rang, 1):
        await dialled(database, 1, ordinal, intended_at_ms=NOW_MS - ordinal, **values)
    await dialled(database, 1, 9, "autumn", intended_at_ms=NOW_MS - 9)
    (_, first), (_, second) = await asked_of(database)
    assert first == History(
        here_ms=(NOW_MS - 1, NOW_MS - 2), all_ms=(NOW_MS - 1, NOW_MS - 2, NOW_MS - 9)
    )
    assert second == History()


async def test_the_do_not_call_list_holds_everywhere(database: Database) -> None:
    await made(database)
    await listed(database, 2)
    await refused(database, 2, "sms")
    (_, first), (_, second) = await asked_of(database)
    assert (first.do_not_call, second.do_not_call) == ("", "sms")


@pytest.mark.parametrize(
    "kept", [{}, {"given": "soon", "source": "x"}, {"given": "2026-01-02"}, {"given": 3}]
)
async def test_a_consent_that_cannot_be_read_is_none(
    database: Database, kept: dict[str, Any]
) -> None:
    await made(database)
    await listed(database, 1, consent=kept)
    policy = Asked()
    async with database.reading() as connection:
        contact = await by_number(connection, "spring", number(1))
        answer = await Judging(plan(), policy).one(connection, contact, NOW_MS)
        assert isinstance(answer, Never)
        assert answer.rule is DialRule.CONSENT_UNREADABLE
        assert number(1) not in answer.reason
        anyhow = Judging(plan(law=Law(consent="not_required")), policy)
        assert isinstance(await anyhow.one(connection, contact, NOW_MS), Allowed)
    assert [person.consent for person, _ in policy.people] == [None]


async def test_of_nobody_nothing_is_asked(database: Database) -> None:
    async with database.reading() as connection:
        assert await Judging(plan(), Asked()).many(connection, [], NOW_MS) == []
        assert await histories_of(connection, "spring", []) == {}


async def test_no_consent_is_none(database: Database) -> None:
    await made(database)
    await listed(database, 1)
    async with database.writing() as connection:
        await connection.execute(update(contacts).values(consent=None))
    ((person, _),) = await asked_of(database)
    assert person.consent is None
