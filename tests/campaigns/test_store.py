"""Every change of a campaign is whole or has not happened, stands in the log with who and why, and
is judged by what the change before it has left: two operators at once lose nothing."""

import asyncio
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.campaigns.plan import Caps, Pacing, Schedule, Windows
from app.campaigns.states import TRANSITIONS, CampaignState, Move, WrongMoveError
from app.campaigns.store import (
    CampaignError,
    CampaignExistsError,
    NoCampaignError,
    all_campaigns,
    change,
    changed_keys,
    create,
    find,
    log,
    move,
    move_in,
    start,
)
from app.records.database import Database
from app.records.tables import contacts
from tests.campaigns.lists import HOUR_MS, NOW_MS, dialled, listed, made, plan


async def test_a_new_campaign_is_a_draft_with_its_plan(database: Database) -> None:
    campaign = await made(database, windows=Windows(hours=("10:00-11:00",)))
    assert campaign.state is CampaignState.DRAFT
    assert campaign.plan == plan(windows=Windows(hours=("10:00-11:00",)))
    assert campaign == await find(database, "spring")
    (entry,) = await log(database, "spring")
    assert (entry.by, entry.what, entry.at_ms) == ("ann", "create", NOW_MS)
    assert entry.detail == {"to": "draft", "version": campaign.plan_version}


async def test_a_name_is_given_once(database: Database) -> None:
    await made(database)
    with pytest.raises(CampaignExistsError, match="There is a campaign 'spring' already"):
        await made(database, caps=Caps(total=9))
    assert (await find(database, "spring")).plan.caps.total == 6
    assert len(await log(database, "spring")) == 1


async def test_who_is_not_there_is_told_with_who_is(database: Database) -> None:
    with pytest.raises(NoCampaignError, match="there are: none"):
        await find(database, "spring")
    await made(database)
    for asked in (find(database, "sprign"), log(database, "sprign")):
        with pytest.raises(NoCampaignError, match=r"there are: spring\. Did you mean spring\?"):
            await asked


async def test_a_move_is_logged_with_who_and_why(database: Database) -> None:
    await made(database)
    await start(database, "spring", by="ann", now_ms=NOW_MS + 1)
    after = await move(database, "spring", "pause", by="bob", why="lunch", now_ms=NOW_MS + 2)
    assert (after.state, after.changed_at_ms) == (CampaignState.PAUSED, NOW_MS + 2)
    newest, *before = await log(database, "spring")
    assert (newest.by, newest.what) == ("bob", "pause")
    assert newest.detail == {"from": "running", "to": "paused", "why": "lunch"}
    assert [entry.what for entry in before] == ["start", "create"]
    assert [entry.what for entry in await log(database, "spring", 2)] == ["pause", "start"]


async def test_a_wrong_move_changes_nothing(database: Database) -> None:
    await made(database)
    with pytest.raises(WrongMoveError):
        await move(database, "spring", "resume", by="ann", now_ms=NOW_MS)
    assert (await find(database, "spring")).state is CampaignState.DRAFT
    assert len(await log(database, "spring")) == 1


async def test_of_operators_at_once_one_moves_it_and_the_others_are_told(
    database: Database,
) -> None:
    await made(database)
    await start(database, "spring", by="ann", now_ms=NOW_MS)
    pausing = (move(database, "spring", "pause", by=f"{at}", now_ms=NOW_MS) for at in range(8))
    done = await asyncio.gather(*pausing, return_exceptions=True)
    assert sum(isinstance(each, WrongMoveError) for each in done) == 7
    assert [entry.what for entry in await log(database, "spring")] == ["pause", "start", "create"]


async def test_what_breaks_off_in_the_same_transaction_takes_the_move_back(
    database: Database,
) -> None:
    await made(database)
    with pytest.raises(RuntimeError):
        async with database.writing() as connection:
            await move_in(connection, "spring", "start", by="ann", now_ms=NOW_MS)
            raise RuntimeError("broke off")
    assert (await find(database, "spring")).state is CampaignState.DRAFT
    assert len(await log(database, "spring")) == 1


MOVES: tuple[Move, ...] = tuple(sorted({move for _, move in TRANSITIONS}))


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moves=st.lists(st.sampled_from(MOVES), max_size=8))
async def test_the_log_is_only_ever_appended_to(database: Database, moves: list[Move]) -> None:
    name = f"c{uuid4()}"
    await made(database, name)
    before = list(await log(database, name))
    for each in moves:
        with suppress(WrongMoveError):
            await move(database, name, each, by="ann", now_ms=NOW_MS)
        after = list(await log(database, name))
        assert after[len(after) - len(before) :] == before
        state = (await find(database, name)).state
        assert after[0].detail["to"] == state
        before = after


@pytest.mark.parametrize(
    ("starts", "state"),
    [("", "running"), ("2026-11-18T10:00:00Z", "running"), ("2026-11-19T09:00:00Z", "scheduled")],
)
async def test_starting_means_now_or_at_the_time_of_the_schedule(
    database: Database, starts: str, state: str
) -> None:
    await made(database, schedule=Schedule(starts=starts))
    assert (await start(database, "spring", by="ann", now_ms=NOW_MS)).state == state
    if state == "scheduled":
        again = await start(database, "spring", by="ann", now_ms=NOW_MS)
        assert again.state is CampaignState.RUNNING


async def test_what_was_completed_goes_on_when_it_is_started(database: Database) -> None:
    await made(database)
    await start(database, "spring", by="ann", now_ms=NOW_MS)
    await move(database, "spring", "exhausted", by="worker", now_ms=NOW_MS)
    assert (await start(database, "spring", by="ann", now_ms=NOW_MS)).state == "running"


async def test_a_new_plan_is_a_new_version_and_tells_what_changed(database: Database) -> None:
    before = await made(database)
    new = plan(pacing=Pacing(calls_per_second=2.0))
    after = await change(database, new, by="bob", now_ms=NOW_MS + 5)
    assert (after.plan, after.state) == (new, CampaignState.DRAFT)
    assert after.plan_version != before.plan_version
    newest = (await log(database, "spring"))[0]
    assert newest.what == "plan"
    assert newest.detail == {
        "from": before.plan_version,
        "to": after.plan_version,
        "changed": {"pacing.calls_per_second": [1.0, 2.0]},
        "judged_anew": 0,
    }


async def test_the_same_plan_again_changes_nothing(database: Database) -> None:
    before = await made(database)
    assert await change(database, plan(), by="bob", now_ms=NOW_MS + 5) == before
    assert len(await log(database, "spring")) == 1


async def test_what_is_stopped_takes_no_plan(database: Database) -> None:
    await made(database)
    await move(database, "spring", "stop", by="ann", now_ms=NOW_MS)
    with pytest.raises(CampaignError, match="nothing changes it any more"):
        await change(database, plan(caps=Caps(total=9)), by="bob", now_ms=NOW_MS)
    with pytest.raises(NoCampaignError):
        await change(database, plan("autumn"), by="bob", now_ms=NOW_MS)


async def test_a_new_plan_judges_anew_whom_a_rule_kept_and_nobody_else(
    database: Database,
) -> None:
    """1 was kept by a rule, 2 for ever, 3 was dialled since, 4 waits for its next step, 5 asked
    never to be called, 6 is done."""
    later = NOW_MS + HOUR_MS
    kept: dict[str, Any] = {"why_rule": "window", "why": "w", "why_at_ms": NOW_MS - HOUR_MS}
    await made(database)
    await listed(database, 6)
    rows: dict[int, dict[str, Any]] = {
        1: {**kept, "due_at_ms": later},
        2: {**kept, "state": "never"},
        3: {**kept, "due_at_ms": later},
        4: {"due_at_ms": later},
        5: {"state": "never", "outcome": "answered"},
        6: {**kept, "state": "done"},
    }
    async with database.writing() as connection:
        for at, values in rows.items():
            await connection.execute(
                update(contacts).where(contacts.c.contact_id == at).values(values)
            )
    await dialled(database, 3, intended_at_ms=NOW_MS - 60_000)
    await change(database, plan(caps=Caps(total=9)), by="bob", now_ms=NOW_MS)
    query = select(contacts.c.contact_id, contacts.c.state, contacts.c.due_at_ms)
    async with database.reading() as connection:
        found = {row[0]: tuple(row[1:]) for row in await connection.execute(query)}
    assert found == {
        1: ("waiting", NOW_MS),
        2: ("waiting", NOW_MS),
        3: ("waiting", later),
        4: ("waiting", later),
        5: ("never", NOW_MS),
        6: ("done", NOW_MS),
    }
    assert (await log(database, "spring"))[0].detail["judged_anew"] == 2


async def test_they_are_listed_the_newest_first(database: Database) -> None:
    assert await all_campaigns(database) == []
    for at, name in enumerate(("spring", "autumn")):
        await create(database, plan(name), by="ann", now_ms=NOW_MS + at)
    assert [campaign.campaign_id for campaign in await all_campaigns(database)] == [
        "autumn",
        "spring",
    ]


def test_changed_keys_are_named_as_in_the_file() -> None:
    old = {"a": 1, "t": {"b": [1], "c": 2}, "s": [{"d": 1}]}
    new = {"a": 1, "t": {"b": [1, 2], "c": 2}, "s": []}
    assert changed_keys(old, new) == {"t.b": [[1], [1, 2]], "s": [[{"d": 1}], []]}
