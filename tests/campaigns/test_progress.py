"""What an operator sees of a campaign is what the rows of this campaign say at an instant."""

from sqlalchemy import insert, update

from app.campaigns.progress import DAY_MS, look
from app.campaigns.store import start
from app.records.database import Database
from app.records.tables import abandonment, contacts
from tests.campaigns.lists import HOUR_MS, NOW_MS, dialled, listed, made, spoken

TODAY = NOW_MS // DAY_MS


async def test_nothing_has_happened_yet(database: Database) -> None:
    await made(database)
    seen = await look(database, "spring", NOW_MS)
    assert (seen.contacts, seen.dials, seen.due, seen.next_due_at_ms) == (0, 0, 0, None)
    assert (seen.connect_rate, seen.abandonment_rate, seen.cost_usd) == (None, None, 0.0)
    assert seen.dials_a_minute == (0,) * 30
    assert [entry.what for entry in seen.newest] == ["create"]


async def test_people_are_counted_by_state_and_by_when_they_are_due(database: Database) -> None:
    await made(database)
    await listed(database, 5)
    await made(database, "autumn")
    await listed(database, 2, "autumn")
    rows: dict[int, dict[str, object]] = {
        1: {"state": "done"},
        2: {"due_at_ms": NOW_MS + 2 * HOUR_MS},
        3: {"due_at_ms": NOW_MS + HOUR_MS},
    }
    async with database.writing() as connection:
        for at, values in rows.items():
            here = contacts.c.contact_id == at
            await connection.execute(update(contacts).where(here).values(values))
    seen = await look(database, "spring", NOW_MS)
    assert seen.states == {"waiting": 4, "done": 1}
    assert (seen.due, seen.next_due_at_ms) == (2, NOW_MS + HOUR_MS)


async def test_dials_make_outcomes_rates_dispositions_and_cost(database: Database) -> None:
    """Five rang, two were answered by people; one failed and rang nowhere; one rings."""
    await made(database)
    await listed(database, 7)
    outcomes = ("answered", "abandoned", "busy", "busy", "machine", "failed")
    for at, outcome in enumerate(outcomes, 1):
        attempt = await dialled(database, at, outcome=outcome)
        if outcome == "answered":
            await spoken(database, attempt, disposition="booked", cost_usd=0.5)
        elif outcome == "machine":
            await spoken(database, attempt, cost_usd=0.25)
    await dialled(database, 7, outcome=None, state="placed")
    seen = await look(database, "spring", NOW_MS)
    assert list(seen.outcomes) == ["busy", "abandoned", "answered", "failed", "machine"]
    assert (seen.dials, seen.reached, seen.connect_rate) == (6, 2, 0.4)
    assert seen.dispositions == {"booked": 1}
    assert seen.cost_usd == 0.75
    assert seen.in_progress == 1


async def test_the_pace_is_told_by_the_minute(database: Database) -> None:
    await made(database)
    await listed(database, 4)
    for at, ago_ms in enumerate((0, 59_999, 60_000, 600_000), 1):
        await dialled(database, at, intended_at_ms=NOW_MS - ago_ms)
    seen = await look(database, "spring", NOW_MS, minutes=3)
    assert seen.dials_a_minute == (0, 1, 2)


async def test_the_meter_holds_thirty_days(database: Database) -> None:
    await made(database)
    days = {TODAY: (60, 1), TODAY - 29: (40, 1), TODAY - 30: (100, 100)}
    rows = [
        {"campaign_id": "spring", "day": day, "answered": answered, "abandoned": abandoned}
        for day, (answered, abandoned) in days.items()
    ]
    async with database.writing() as connection:
        await connection.execute(insert(abandonment), rows)
    seen = await look(database, "spring", NOW_MS)
    assert (seen.answered, seen.abandoned, seen.abandonment_rate) == (100, 2, 0.02)


async def test_the_newest_of_the_log_stands_first(database: Database) -> None:
    await made(database)
    await start(database, "spring", by="ann", now_ms=NOW_MS)
    seen = await look(database, "spring", NOW_MS, entries=1)
    assert [entry.what for entry in seen.newest] == ["start"]
