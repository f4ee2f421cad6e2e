"""How the record stands: what is in the database, and what waits for it on this machine."""

from dataclasses import dataclass

from sqlalchemy import func, select

from app.records.database import Database, Kind
from app.records.migrate import newest_version, version_of
from app.records.spool import Spool
from app.records.tables import attempts, calls, contacts, do_not_call, evidence, streams, turns

COUNTED = (calls, streams, turns, evidence, contacts, attempts, do_not_call)


@dataclass(frozen=True, slots=True)
class Status:
    """Times are Unix ms; None: there is none."""

    kind: Kind
    version: str
    newest_version: str
    rows: dict[str, int]
    oldest_at_ms: int | None
    newest_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """`waiting`: streams that still run are among them."""

    waiting: int
    since_ms: int | None
    aside: int


async def status_of(database: Database) -> Status:
    """Raises `DatabaseAwayError`."""
    async with database.reading() as connection:
        rows = {
            table.name: int(
                (await connection.execute(select(func.count()).select_from(table))).scalar() or 0
            )
            for table in COUNTED
        }
        span = select(func.min(calls.c.started_at_ms), func.max(calls.c.started_at_ms))
        oldest, newest = (await connection.execute(span)).one()
        version = await connection.run_sync(version_of)
    return Status(database.kind, version, newest_version(), rows, oldest, newest)


def waiting_in(spool: Spool) -> Waiting:
    """Blocks. Raises `OSError`."""
    return Waiting(spool.count(), spool.oldest_ms(), len(spool.aside()))
