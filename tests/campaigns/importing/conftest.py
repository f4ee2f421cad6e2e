"""What tests of imports begin with: a campaign in a database of each kind."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert

from app.records.database import Database
from app.records.tables import campaigns
from tests.records.conftest import database, database_url, postgres

__all__ = ["database", "database_url", "postgres"]

NOW_MS = 1_767_225_600_000
"""2026-01-01 UTC."""


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """A file that holds what is given: text in UTF-8, or bytes."""

    def write(content: str | bytes, name: str = "contacts.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
async def spring(database: Database) -> str:
    """A campaign in draft."""
    await add_campaign(database, "spring")
    return "spring"


async def add_campaign(database: Database, name: str, state: str = "draft") -> None:
    row = {
        "campaign_id": name,
        "state": state,
        "plan": {"default_region": "US"},
        "plan_version": "1",
        "created_at_ms": NOW_MS,
        "changed_at_ms": NOW_MS,
    }
    async with database.writing() as connection:
        await connection.execute(insert(campaigns), row)
