"""A dry run counts everybody once, by what would be done with them at the instant asked about, and
writes nothing; the rule that stands first in somebody's way is the one that is counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.campaigns.dry_run import MOST_EXAMPLES, DryRun, Example, dry_run
from app.campaigns.judging import Judging
from app.campaigns.people import pages
from app.policy.dialing.words import (
    Allowed,
    Answer,
    DialRule,
    DialRules,
    History,
    Never,
    NotNow,
    Person,
)
from app.records.database import Database
from app.records.tables import contacts
from tests.campaigns.lists import HOUR_MS, NOW_MS, listed, made, number, plan, refused


def policy(person: Person, history: History, rules: DialRules, now_ms: int) -> Answer:
    """Numbers that end in 1 never, in 2 and 3 later."""
    if history.do_not_call:
        return Never(DialRule.DO_NOT_CALL, "asked us not to")
    match person.number[-1]:
        case "1":
            return Never(DialRule.NUMBER_TYPE, "a number of a kind that is not dialled")
        case "2" | "3":
            again_ms = now_ms + int(person.number[-1]) * HOUR_MS
            return NotNow(DialRule.WINDOW, "outside its hours", again_ms)
        case _:
            return Allowed(now_ms + HOUR_MS, ("identify",))


async def run(database: Database, at_ms: int = NOW_MS) -> DryRun:
    return await dry_run(database, Judging(plan(), policy), at_ms)


async def test_everybody_is_counted_once(database: Database) -> None:
    await made(database)
    await listed(database, 20)
    found = await run(database)
    assert (found.contacts, found.now, found.later, found.never) == (20, 14, 4, 2)
    assert found.must == {"identify": 14}
    assert found.variables == {"first_name"}
    window = found.rules["later window"]
    assert (window.count, window.first_again_ms) == (4, NOW_MS + 2 * HOUR_MS)
    assert [example.number for example in window.examples] == [number(2), number(3), number(12)]
    assert len(window.examples) == MOST_EXAMPLES
    assert found.rules["never number_type"].first_again_ms == 0


async def test_states_before_the_policy(database: Database) -> None:
    """4 is done, 5 was given up by a rule, 6 by what came of a dial, 7 waits for its next step, 8
    is being dialled, 9 asked us not to."""
    await made(database)
    await listed(database, 9)
    rows: dict[int, dict[str, object]] = {
        4: {"state": "done"},
        5: {"state": "never", "why_rule": "cap_total", "why": "6 dials are enough"},
        6: {"state": "never", "outcome": "invalid_number"},
        7: {"attempts": 1, "due_at_ms": NOW_MS + HOUR_MS},
        8: {"state": "held", "attempts": 1, "due_at_ms": NOW_MS + HOUR_MS},
    }
    async with database.writing() as connection:
        for at, values in rows.items():
            here = contacts.c.contact_id == at
            await connection.execute(update(contacts).where(here).values(values))
    await refused(database, 9)
    found = await run(database)
    assert (found.now, found.later, found.never, found.done) == (1, 3, 4, 1)
    assert {name: tally.count for name, tally in found.rules.items()} == {
        "never number_type": 1,
        "later window": 2,
        "later retry": 1,
        "never cap_total": 1,
        "never invalid_number": 1,
        "never do_not_call": 1,
    }
    assert found.rules["never cap_total"].examples[0].reason == "6 dials are enough"
    assert found.rules["later retry"].first_again_ms == NOW_MS + HOUR_MS
    assert (await run(database, NOW_MS + HOUR_MS)).rules.keys().isdisjoint({"later retry"})


async def test_it_goes_by_pages_and_tells_how_far_it_is(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.campaigns.dry_run.PAGE", 8)
    await made(database)
    await listed(database, 20)
    told: list[int] = []
    await dry_run(database, Judging(plan(), policy), NOW_MS, told.append)
    assert told == [8, 8, 4]


async def test_nothing_is_written(database: Database) -> None:
    await made(database)
    await listed(database, 3)
    query = select(contacts).order_by(contacts.c.contact_id)
    async with database.reading() as connection:
        before = (await connection.execute(query)).all()
    await run(database)
    async with database.reading() as connection:
        assert (await connection.execute(query)).all() == before


async def test_an_empty_list_comes_to_nothing(database: Database) -> None:
    await made(database)
    assert await run(database) == DryRun(NOW_MS)
    assert [page async for page in pages(database, "spring")] == []


@given(st.lists(st.integers(1, 10**13), min_size=1))
def test_the_earliest_time_is_told(times: list[int]) -> None:
    found = DryRun(0)
    for at_ms in times:
        found._keep("window", "later", Example("+1", "", at_ms))
    assert found.rules["later window"].first_again_ms == min(times)
