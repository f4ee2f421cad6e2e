"""What is committed stays, what breaks off leaves nothing, and an address says what is wrong with
it without showing itself."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from app.records.database import Database, DatabaseAwayError, DatabaseUrlError, sql_url
from app.records.tables import do_not_call
from tests.records.postgres_fixture import PostgresProcess


def row(number: str) -> dict[str, object]:
    return {"number": number, "source": "own", "at_ms": 1}


async def numbers(database: Database) -> list[str]:
    async with database.reading() as connection:
        return list((await connection.execute(select(do_not_call.c.number))).scalars())


async def test_what_is_committed_stays(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(insert(do_not_call), [row("+1")])
    assert await numbers(database) == ["+1"]


async def test_what_breaks_off_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError):
        async with database.writing() as connection:
            await connection.execute(insert(do_not_call), [row("+1")])
            raise RuntimeError("broke off")
    with pytest.raises(IntegrityError):
        async with database.writing() as connection:
            await connection.execute(insert(do_not_call), [row("+1"), row("+1")])
    assert await numbers(database) == []


async def test_writers_wait_for_each_other(database: Database) -> None:
    async def count_up(number: int) -> None:
        async with database.writing() as connection:
            await connection.execute(select(do_not_call.c.number))
            await connection.execute(insert(do_not_call), [row(f"+{number}")])

    await asyncio.gather(*(count_up(number) for number in range(20)))
    assert len(await numbers(database)) == 20


async def test_upgrading_twice_changes_nothing(database: Database) -> None:
    await database.upgrade()
    assert await numbers(database) == []


async def test_a_database_that_is_away_says_so(postgres: PostgresProcess) -> None:
    database = Database(sql_url(postgres.database()))
    await database.upgrade()
    postgres.kill()
    with pytest.raises(DatabaseAwayError):
        await numbers(database)
    postgres.start()
    assert await numbers(database) == []
    await database.close()


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("postgres://u:p@h/db", "postgresql+psycopg"),
        ("postgresql://u:p@h:5433/db?sslmode=require", "postgresql+psycopg"),
        ("sqlite:////tmp/x.db", "sqlite+aiosqlite"),
        ("", "sqlite+aiosqlite"),
    ],
)
def test_addresses_as_users_write_them(given: str, driver: str, tmp_path: Path) -> None:
    assert sql_url(given, tmp_path).drivername == driver


@pytest.mark.parametrize("given", ["mysql://u:secret@h/db", "secret", "sqlite://", ""])
def test_another_address_is_refused_and_not_shown(given: str) -> None:
    with pytest.raises(DatabaseUrlError, match="expected") as caught:
        sql_url(given)
    assert "secret" not in str(caught.value)
