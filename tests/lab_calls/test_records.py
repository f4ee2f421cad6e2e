"""Whole calls over real sockets stand in the database word for word, also when it died meanwhile,
and no call notices."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from bench.records import Killer, harmed
from bench.records_calls import hold
from tests.records.postgres_fixture import PostgresProcess, running_postgres

pytestmark = pytest.mark.lab_call


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresProcess]:
    with running_postgres() as server:
        yield server


async def nothing() -> None:
    """The database lives."""


async def test_calls_stand_in_sqlite(tmp_path: Path) -> None:
    held = await hold(tmp_path, f"sqlite:///{tmp_path / 'e.db'}", 2, nothing, utterances=1)
    assert harmed(held) == []
    assert held.problems == []
    assert len(held.timelines) == 2


async def test_a_database_that_dies_harms_no_call_and_misses_none(
    postgres: PostgresProcess, tmp_path: Path
) -> None:
    killer = Killer(postgres, 2, Random(6))
    held = await hold(tmp_path, postgres.database(), 6, killer)
    assert harmed(held) == []
    assert held.problems == []
    assert len(held.timelines) == 6
    assert len(killer.dead_s) == 2


async def test_what_is_not_in_the_database_is_found(tmp_path: Path) -> None:
    """So that the tests above can fail."""
    from app.records.database import Database, sql_url
    from bench.records_calls import compare

    url = f"sqlite:///{tmp_path / 'e.db'}"
    held = await hold(tmp_path, url, 1, nothing, utterances=1)
    database = Database(sql_url(url))
    async with database.writing() as connection:
        await connection.exec_driver_sql("UPDATE turns SET heard_text = 'other'")
    problems = await compare(database, held.timelines)
    await database.close()
    assert [problem.split(":")[0] for problem in problems] == ["words"]
