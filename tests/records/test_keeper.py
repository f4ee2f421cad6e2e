"""Nothing that a call leaves behind is lost while the database is away, a process dies or a file is
broken; and nothing of it keeps anything else waiting."""

import asyncio
import itertools
import json
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from app.records.database import Database, DatabaseAwayError, sql_url
from app.records.keeper import MOST_NEWS, RecordKeeper, Times
from app.records.rows import stream_rows
from app.records.spool import Spool
from app.records.tables import calls, evidence, streams, turns
from app.records.writing import write_stream
from tests.records.postgres_fixture import PostgresProcess
from tests.records.stories import (
    AT_MS,
    CALLED,
    CALLER,
    after_entry,
    after_record,
    chain,
    entry,
    put_file,
    timeline,
)

QUICK = Times(look_s=0.05, first_wait_s=0.01, longest_wait_s=0.05, close_s=5.0)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


class Office:
    """A keeper that runs, and its database."""

    def __init__(self, url: str, data_dir: Path, times: Times = QUICK) -> None:
        self.data_dir = data_dir
        self.now_ms = AT_MS
        self.database = Database(sql_url(url))
        self.keeper = RecordKeeper(self.database, data_dir, clock=lambda: self.now_ms, times=times)
        self.spool = Spool(data_dir)
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def run(self) -> None:
        self._task = asyncio.create_task(self.keeper.run())

    async def die(self) -> None:
        """As when the process is killed: nothing is written any more."""
        self._closed = True
        await asyncio.to_thread(self.keeper._disk.shutdown)
        await self.database.close()

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.keeper.close()

    def begin(self, n: int = 1) -> None:
        self.keeper.began(
            call_id=f"CA{n}",
            stream_id=f"MZ{n}",
            timeline=self.path(n),
            agent="desk",
            agent_version="1a2b",
            caller=CALLER,
            called=CALLED,
        )

    def end(self, n: int = 1, content: Any = None) -> None:
        told = timeline(f"CA{n}", f"MZ{n}") if content is None else content
        put_file(self.data_dir, f"calls/CA{n}/timeline.json", told)
        self.keeper.over(f"MZ{n}")

    def path(self, n: int) -> Path:
        return self.data_dir / "calls" / f"CA{n}" / "timeline.json"

    async def call(self, n: int = 1) -> None:
        self.begin(n)
        self.end(n)

    async def streams(self) -> list[str]:
        try:
            async with self.database.reading() as connection:
                found = await connection.execute(
                    select(streams.c.stream_id).order_by(streams.c.stream_id)
                )
                return list(found.scalars())
        except (DatabaseAwayError, ProgrammingError):
            return []  # it is away, or has no tables yet

    async def has(self, *names: str) -> None:
        async with asyncio.timeout(60):
            while await self.streams() != sorted(names):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def empty(self) -> None:
        async with asyncio.timeout(60):
            while self.spool.count():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def aside(self, *names: str) -> None:
        async with asyncio.timeout(60):
            while self.spool.aside() != [*names]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


Make = Callable[..., Office]


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Make]:
    """Opens keepers on one database and one data folder."""
    opened: list[Office] = []

    def make(**given: Any) -> Office:
        opened.append(Office(database_url, tmp_path, **given))
        return opened[-1]

    yield make
    for each in opened:
        await each.close()


async def test_a_stream_that_is_over_is_written(office: Make) -> None:
    here = office()
    here.run()
    put_file(here.data_dir, "calls/CA1/evidence.jsonl", chain().decode())
    await here.call()
    await here.has("MZ1")
    await here.empty()
    async with here.database.reading() as connection:
        [call] = (await connection.execute(select(calls))).mappings()
        links = (await connection.execute(select(evidence.c.call_id))).scalars().all()
    assert (call["caller"], call["started_at_ms"]) == (CALLER, AT_MS)
    assert links == ["CA1", "CA1"]


async def test_a_stream_that_runs_waits_for_its_end(office: Make) -> None:
    here = office()
    here.run()
    here.begin(1)
    await here.call(2)
    await here.has("MZ2")
    await until(lambda: here.spool.names() == ["MZ1"])
    here.end(1)
    await here.has("MZ1", "MZ2")


async def test_what_a_dead_process_left_is_written_by_the_next(office: Make) -> None:
    dead = office(times=Times())
    await dead.call(1)
    await dead.call(2)
    await dead.die()
    here = office()
    here.run()
    await here.has("MZ1", "MZ2")
    await here.empty()


async def test_a_stream_that_died_with_its_worker_leaves_its_call(office: Make) -> None:
    here = office()
    here.spool.put(entry())
    here.now_ms = AT_MS + int(1_000 * Times().dead_s) + 1
    here.run()
    await here.empty()
    async with here.database.reading() as connection:
        [call] = (await connection.execute(select(calls))).mappings()
    assert (call["caller"], call["ended_at_ms"]) == (CALLER, None)


async def test_what_is_known_after_the_call_is_written_too(office: Make) -> None:
    here = office()
    here.run()
    await here.call()
    path = here.data_dir / "calls" / "CA1" / "after.json"
    await here.keeper.after("CA1", path)
    put_file(here.data_dir, "calls/CA1/after.json", after_record())
    here.keeper.over_after("CA1")
    await here.empty()
    async with here.database.reading() as connection:
        [call] = (await connection.execute(select(calls))).mappings()
    assert (call["disposition"], call["fields"]) == ("booked", {"guests": 4})
    assert call["end_reason"] == "caller_hung_up"


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"turns": []}', "\x00", json.dumps(timeline("CA1", "MZ9"))]
)
async def test_a_broken_timeline_is_put_aside_and_told(
    office: Make, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    here = office()
    here.begin(1)
    here.end(1, content)
    await here.call(2)
    here.run()
    await here.has("MZ2")
    await here.aside("MZ1")
    [told] = [r for r in caplog.records if r.message == "a call's record is put aside"]
    assert told.levelno == logging.ERROR
    assert CALLER not in str(told.__dict__)


async def test_a_broken_note_is_put_aside(office: Make) -> None:
    here = office()
    put_file(here.data_dir, "records/waiting/MZ0.json", "nothing")
    await here.call(1)
    here.run()
    await here.has("MZ1")
    await here.empty()
    assert here.spool.aside() == ["MZ0"]


async def test_what_the_database_refuses_is_put_aside(office: Make) -> None:
    """Here for a reason that nobody thought of: the table has one more rule."""
    here = office()
    await here.database.upgrade()
    async with here.database.writing() as connection:
        await connection.execute(text("CREATE UNIQUE INDEX odd ON turns (turn)"))
    await here.call(1)
    here.run()
    await here.has("MZ1")
    await here.call(2)
    await here.aside("MZ2")


async def test_a_fault_of_ours_keeps_nothing_else_waiting(
    office: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = stream_rows

    def faulty(entry: Any, *rest: Any) -> Any:
        if entry.stream_id == "MZ1":
            raise ZeroDivisionError
        return whole(entry, *rest)

    monkeypatch.setattr("app.records.found.stream_rows", faulty)
    here = office()
    await here.call(1)
    await here.call(2)
    here.run()
    await here.has("MZ2")
    await here.empty()
    assert here.spool.aside() == ["MZ1"]


async def test_what_always_breaks_off_is_put_aside_while_the_database_answers(
    office: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = write_stream

    async def breaks(connection: Any, entry: Any, rows: Any) -> None:
        if entry.stream_id == "MZ1":
            raise DatabaseAwayError("this one only")
        await whole(connection, entry, rows)

    monkeypatch.setattr("app.records.keeper.write_stream", breaks)
    here = office()
    await here.call(1)
    await here.call(2)
    here.run()
    await here.has("MZ2")
    await here.empty()
    assert here.spool.aside() == ["MZ1"]


async def test_a_database_that_is_away_is_waited_for(
    postgres: PostgresProcess, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    here = Office(postgres.database(), tmp_path)
    here.run()
    await here.call(1)
    await here.has("MZ1")
    postgres.kill()
    for n in range(2, 12):
        await here.call(n)
    away, back = "the database is away; records wait on the disk", "the database is back"

    def told() -> list[str]:
        return [record.message for record in caplog.records]

    await until(lambda: away in told())
    await asyncio.sleep(0.3)
    postgres.start()
    await here.has(*(f"MZ{n}" for n in range(1, 12)))
    await here.empty()
    await here.close()
    assert told().count(away) == told().count(back) == 1


async def test_a_process_that_starts_without_its_database_waits_too(
    postgres: PostgresProcess, tmp_path: Path
) -> None:
    url = postgres.database()
    postgres.kill()
    here = Office(url, tmp_path)
    here.run()
    await here.call(1)
    await asyncio.sleep(0.1)
    postgres.start()
    await here.has("MZ1")
    await here.close()


async def test_a_newer_database_is_left_alone(
    office: Make, caplog: pytest.LogCaptureFixture
) -> None:
    here = office()
    await here.database.upgrade()
    async with here.database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await here.call(1)
    here.run()
    await asyncio.sleep(0.3)
    assert await here.streams() == []
    told = [r for r in caplog.records if "newer version" in r.message]
    assert len(told) == 1
    assert here.spool.names() == ["MZ1"]


async def test_more_news_than_are_kept_in_memory_are_found_on_the_disk(office: Make) -> None:
    here = office()
    for n in range(3):
        await here.call(n)
    for n in range(MOST_NEWS):
        here.keeper.over(f"gone{n}")
    assert len(here.keeper._news) == MOST_NEWS
    here.run()
    await here.has("MZ0", "MZ1", "MZ2")


async def test_workers_that_share_a_folder_write_everything_once(office: Make) -> None:
    workers = [office() for _ in range(3)]
    for n, worker in zip(range(12), itertools.cycle(workers), strict=False):
        await worker.call(n)
    for worker in workers:
        worker.run()
    await workers[0].has(*(f"MZ{n}" for n in range(12)))
    async with workers[0].database.reading() as connection:
        rows = (await connection.execute(select(turns))).all()
    assert len(rows) == 24


async def test_at_the_end_the_rest_is_written(office: Make) -> None:
    here = office()
    await here.call(1)
    await here.close()
    assert here.spool.names() == []
    here.begin(2)  # too late, and harmless


async def test_a_disk_that_is_full_harms_nobody(
    office: Make, caplog: pytest.LogCaptureFixture
) -> None:
    here = office()
    put_file(here.data_dir, "records", "a file where the folder should be")
    await here.call(1)
    await asyncio.to_thread(here.keeper._disk.submit(lambda: None).result)
    assert "a call's record cannot be spooled" in [r.message for r in caplog.records]
    (here.data_dir / "records").unlink()
    here.run()
    await here.call(2)
    await here.has("MZ2")


def test_the_after_entry_has_a_name_of_its_own() -> None:
    assert after_entry().name == "after-CA1"
