"""What tests of the record begin with: a database of each kind, with its tables."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.records.database import Database, sql_url
from tests.records.postgres_fixture import PostgresProcess, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresProcess]:
    """Shared by all tests of a run; each takes a database of its own."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'earshot.db'}"
    server: PostgresProcess = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(sql_url(database_url))
    try:
        await opened.upgrade()
        yield opened
    finally:
        await opened.close()
