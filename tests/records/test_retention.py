"""What is too old goes, rows and files; what is not, evidence and recordings stay."""

import asyncio
import os
from pathlib import Path

from sqlalchemy import func, select, update

from app.records.database import Database
from app.records.retention import (
    DAY_MS,
    delete_before,
    delete_people_before,
    remove_call,
    sweep_files,
    sweep_records,
)
from app.records.rows import stream_rows
from app.records.tables import attempts, calls, campaigns, contacts, evidence, streams, turns
from app.records.writing import write_stream
from tests.campaigns.lists import NOW_MS, dialled, listed, made
from tests.records.stories import AT_MS, chain, entry, put_file, timeline


async def fill(database: Database, count: int) -> None:
    """One call a day."""
    for n in range(count):
        each = entry(f"CA{n}", f"MZ{n}", at_ms=AT_MS + n * DAY_MS)
        async with database.writing() as connection:
            rows = stream_rows(each, timeline(f"CA{n}", f"MZ{n}"), chain=chain())
            await write_stream(connection, each, rows)


async def counts(database: Database) -> list[int]:
    async with database.reading() as connection:
        queries = [select(func.count()).select_from(t) for t in (calls, streams, turns, evidence)]
        return [int((await connection.execute(query)).scalar() or 0) for query in queries]


async def test_old_calls_go_with_all_that_hangs_on_them(database: Database) -> None:
    await fill(database, 5)
    assert await delete_before(database, AT_MS + 3 * DAY_MS, batch=2) == 3
    assert await counts(database) == [2, 2, 4, 10]
    assert await delete_before(database, AT_MS + 3 * DAY_MS, batch=2) == 0


async def test_the_sweep_keeps_so_many_days(database: Database, tmp_path: Path) -> None:
    await fill(database, 3)
    old = put_file(tmp_path, "calls/CA0/timeline.json", "{}")
    os.utime(old, (1, 1))
    now_ms = AT_MS + 2 * DAY_MS
    sweep = asyncio.create_task(sweep_records(database, tmp_path / "calls", 1, lambda: now_ms))
    async with asyncio.timeout(60):
        while (tmp_path / "calls" / "CA0").exists():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    sweep.cancel()
    await asyncio.gather(sweep, return_exceptions=True)
    assert (await counts(database))[0] == 2


async def test_the_people_of_campaigns_that_are_over_go(database: Database) -> None:
    for name in ("spring", "summer", "autumn"):
        await made(database, name)
        await listed(database, 3, name)
    await dialled(database, 1)
    async with database.writing() as connection:
        for name, state in (("spring", "completed"), ("summer", "running"), ("autumn", "stopped")):
            this = campaigns.c.campaign_id == name
            changed_at_ms = NOW_MS if name == "autumn" else NOW_MS - 1
            values = {"state": state, "changed_at_ms": changed_at_ms}
            await connection.execute(update(campaigns).where(this).values(values))
    assert await delete_people_before(database, NOW_MS, batch=2) == 3
    async with database.reading() as connection:
        left = (await connection.execute(select(contacts.c.campaign_id))).scalars().all()
        assert sorted(left) == ["autumn"] * 3 + ["summer"] * 3
        assert (await connection.execute(select(attempts.c.attempt_id))).first() is None


async def test_no_days_keep_everything(database: Database, tmp_path: Path) -> None:
    await fill(database, 1)
    await sweep_records(database, tmp_path, 0, lambda: AT_MS + 9_999 * DAY_MS)
    assert (await counts(database))[0] == 1


def test_files_of_old_calls_go_but_for_recordings_and_evidence(tmp_path: Path) -> None:
    for name in ("timeline.json", "events.jsonl", "evidence.jsonl", "recording-MZ1.wav"):
        os.utime(put_file(tmp_path, f"CA1/{name}", "x"), (1_000, 1_000))
    os.utime(put_file(tmp_path, "CA2/timeline.json", "x"), (1_000, 1_000))
    os.utime(put_file(tmp_path, "CA3/events.jsonl", "x"), (1_000, 1_000))
    put_file(tmp_path, "CA3/events-MZ2.jsonl", "still running")
    assert sweep_files(tmp_path, 2_000_000) == 2
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    assert left == [
        "CA1/evidence.jsonl",
        "CA1/recording-MZ1.wav",
        "CA3/events-MZ2.jsonl",
        "CA3/events.jsonl",
    ]
    assert not (tmp_path / "CA2").exists()
    assert sweep_files(tmp_path / "nothing", 2_000_000) == 0


def test_all_files_of_a_call_can_go(tmp_path: Path) -> None:
    for name in ("timeline.json", "evidence.jsonl", "recording-MZ1.wav"):
        put_file(tmp_path, f"CA1/{name}", "x")
    outside = put_file(tmp_path.parent, "other.json", "x")
    assert remove_call(tmp_path, "CA1", keep_evidence=True) == 2
    assert remove_call(tmp_path, "CA1") == 1
    assert not (tmp_path / "CA1").exists()
    assert remove_call(tmp_path, "CA9") == 0
    assert remove_call(tmp_path, "..") == 0
    assert outside.exists()
