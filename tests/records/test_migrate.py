"""Steps from nothing give exactly the tables that the program uses; an older database keeps all its
rows on the way up; a newer one is refused; workers that start at once do it once."""

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, insert, inspect, select, text

from app.records.database import Database, sql_url
from app.records.migrate import VERSIONS, DatabaseNewerError, migrate, newest_version, version_of
from app.records.tables import calls, metadata, streams, turns

STEP = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "9999", {before!r}, None, None


def upgrade() -> None:
    with op.batch_alter_table("calls", recreate={recreate!r}) as table:
        table.add_column(sa.Column("colour", sa.String(8), nullable=False, server_default="grey"))
    {more}
"""


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


def next_version(folder: Path, recreate: str, more: str = "pass") -> Path:
    """The program's steps, and one that makes a table anew: SQLite's way to change a column."""
    for path in (*VERSIONS.parent.glob("*.*"), *VERSIONS.glob("*.py")):
        to = folder / path.relative_to(VERSIONS.parent)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(path.read_text("utf-8"), "utf-8")
    step = STEP.format(before=newest_version(), recreate=recreate, more=more)
    (folder / "versions" / "9999_colour.py").write_text(step, "utf-8")
    return folder


async def fill(database: Database) -> None:
    async with database.writing() as connection:
        call = {"call_id": "CA1", "direction": "inbound", "agent": "desk", "started_at_ms": 1}
        await connection.execute(insert(calls), [call])
        stream = {
            **{"stream_id": "MZ1", "call_id": "CA1", "agent": "desk", "agent_version": "1"},
            **{"began_at_ms": 1, "ended_at_ms": 2, "document": {"turns": []}},
        }
        await connection.execute(insert(streams), [stream])
        turn = {"stream_id": "MZ1", "turn": 1, "cause": "caller", "stamps_ms": {}}
        await connection.execute(insert(turns), [turn])


async def test_the_steps_give_what_the_tables_say(database: Database) -> None:
    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []
        assert await connection.run_sync(version_of) == newest_version()


async def test_a_table_that_differs_is_seen(database: Database) -> None:
    """So that the test above can fail."""
    async with database.writing() as connection:
        await connection.execute(text("ALTER TABLE usage ADD COLUMN colour INTEGER"))
        assert len(await connection.run_sync(differences)) == 1


async def test_an_older_database_goes_up_without_loss(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(database)
    recreate = "always" if database.kind == "sqlite" else "never"
    folder = next_version(tmp_path / "steps", recreate)
    monkeypatch.setattr("app.records.database.migrate", lambda c: migrate(c, folder))
    await database.upgrade()
    async with database.reading() as connection:
        assert await connection.run_sync(version_of) == "9999"
        assert (await connection.execute(text("SELECT colour FROM calls"))).scalar() == "grey"
        for table in (streams, turns):
            assert len((await connection.execute(select(table))).all()) == 1, table.name


async def test_rows_hang_together_again_after_an_upgrade(database: Database) -> None:
    await fill(database)
    await database.upgrade()
    async with database.writing() as connection:
        await connection.execute(calls.delete())
    async with database.reading() as connection:
        assert (await connection.execute(select(turns))).all() == []


async def test_a_step_that_breaks_off_changes_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(database)
    folder = next_version(tmp_path / "steps", "never", 'raise RuntimeError("broke off")')
    monkeypatch.setattr("app.records.database.migrate", lambda c: migrate(c, folder))
    with pytest.raises(RuntimeError, match="broke off"):
        await database.upgrade()
    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []
        assert await connection.run_sync(version_of) == newest_version()


async def test_a_newer_database_is_refused(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseNewerError, match=r"found version 9999: a newer earshot"):
        await database.upgrade()


async def test_workers_that_start_at_once_make_the_tables_once(database_url: str) -> None:
    workers = [Database(sql_url(database_url)) for _ in range(6)]
    await asyncio.gather(*(worker.upgrade() for worker in workers))
    async with workers[0].reading() as connection:
        names = await connection.run_sync(lambda c: set(inspect(c).get_table_names()))
    assert names == {*metadata.tables, "alembic_version"}
    await asyncio.gather(*(worker.close() for worker in workers))
