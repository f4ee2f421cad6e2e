"""A campaign runs as its row says, from its time on; one that cannot be read stops no other."""

import pytest
from sqlalchemy import update

from app.campaigns.dialling.running import Campaigns
from app.campaigns.dialling.writes import Writes
from app.campaigns.plan import Schedule
from app.campaigns.store import find
from app.records.database import Database
from app.records.tables import campaigns
from tests.campaigns.dialling.stage import set_state
from tests.campaigns.lists import HOUR_MS, NOW_MS, made


async def test_drafts_are_left_out_and_plans_are_read_anew_with_their_version(
    database: Database,
) -> None:
    await made(database)
    seen = Campaigns(Writes(database), "w1")
    assert await seen.all(NOW_MS) == {}
    await set_state(database, "running")
    assert (await seen.all(NOW_MS))["spring"].running
    changed = (await find(database, "spring")).plan
    async with database.writing() as connection:
        data = {"agent": "other", "caller_ids": {"numbers": list(changed.caller_ids.numbers)}}
        await connection.execute(update(campaigns).values(plan=data, plan_version="2"))
    await set_state(database, "paused")
    found = (await seen.all(NOW_MS))["spring"]
    assert (found.running, found.plan.agent) == (False, "other")


async def test_a_scheduled_campaign_begins_at_its_time(database: Database) -> None:
    await made(database, schedule=Schedule(starts="2026-11-18T12:00:00+00:00"))
    await set_state(database, "scheduled")
    seen = Campaigns(Writes(database), "w1")
    assert not (await seen.all(NOW_MS))["spring"].running
    assert (await seen.all(NOW_MS + HOUR_MS))["spring"].running
    assert (await find(database, "spring")).state == "running"


async def test_a_plan_that_cannot_be_read_stops_no_other(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await made(database)
    await made(database, "autumn")
    async with database.writing() as connection:
        broken = update(campaigns).where(campaigns.c.campaign_id == "spring")
        await connection.execute(broken.values(plan={"from": "the future"}))
    await set_state(database, "running")
    seen = Campaigns(Writes(database), "w1")
    assert list(await seen.all(NOW_MS)) == ["autumn"]
    assert list(await seen.all(NOW_MS)) == ["autumn"]
    assert len(caplog.records) == 1
