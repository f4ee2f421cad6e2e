"""A campaign with people on its list, as an import leaves it."""

from typing import Any

from sqlalchemy import insert

from app.campaigns.plan import CallerIds, Plan
from app.campaigns.store import Campaign, create
from app.records.database import Database
from app.records.tables import attempts, calls, contacts, do_not_call

NOW_MS = 1_795_000_000_000
"""2026-11-18 11:06 UTC, a Wednesday."""
HOUR_MS = 3_600_000
LINE = "+442079460101"


def plan(name: str = "spring", **given: Any) -> Plan:
    return Plan(name=name, agent="appointments", caller_ids=CallerIds(numbers=(LINE,)), **given)


def number(at: int) -> str:
    return f"+4420794{at:05}"


async def made(database: Database, name: str = "spring", **given: Any) -> Campaign:
    return await create(database, plan(name, **given), by="ann", now_ms=NOW_MS)


async def listed(database: Database, people: int, name: str = "spring", **given: Any) -> None:
    """Contacts with the ids 1, 2, ...; `given`: what all of them have."""
    row = {
        "campaign_id": name,
        "zones": ["Europe/London"],
        "variables": {"first_name": "Ada"},
        "consent": {"given": "2026-01-02", "source": "web form"},
        "state": "waiting",
        "due_at_ms": NOW_MS,
        **given,
    }
    rows = [
        {**row, "number": number(at), "numbers": [number(at)], "row": at + 1}
        for at in range(1, people + 1)
    ]
    async with database.writing() as connection:
        await connection.execute(insert(contacts), rows)


async def dialled(
    database: Database, contact: int, ordinal: int = 1, name: str = "spring", **given: Any
) -> str:
    """An attempt that ended, with its id; a minute ago, with nobody answering."""
    attempt_id = f"{name}-{contact}-{ordinal}"
    row = {
        "attempt_id": attempt_id,
        "contact_id": contact,
        "campaign_id": name,
        "ordinal": ordinal,
        "number": number(contact),
        "from_number": LINE,
        "state": "ended",
        "intended_at_ms": NOW_MS - 60_000,
        "outcome": "no_answer",
        "worker": "w",
        **given,
    }
    async with database.writing() as connection:
        await connection.execute(insert(attempts), [row])
    return attempt_id


async def spoken(database: Database, attempt_id: str, **given: Any) -> None:
    """The record of its call."""
    row = {
        "call_id": f"CA-{attempt_id}",
        "direction": "outbound",
        "agent": "appointments",
        "attempt_id": attempt_id,
        "started_at_ms": NOW_MS,
        **given,
    }
    async with database.writing() as connection:
        await connection.execute(insert(calls), [row])


async def refused(database: Database, at: int, source: str = "spoken") -> None:
    row = {"number": number(at), "source": source, "at_ms": NOW_MS}
    async with database.writing() as connection:
        await connection.execute(insert(do_not_call), [row])
