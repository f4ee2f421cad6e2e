"""The list of those whom no campaign calls, for all workers and all campaigns at once.

A dialler looks into the table in the very transaction that writes down that it will dial, so what
was committed before that is never dialled. Who cannot be written because the database is away
stands in a file of this machine, on its disk, until they can; nobody is dialled while it is away.
"""

import asyncio
import json
import logging
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.records.database import Database, DatabaseAwayError
from app.records.tables import do_not_call

logger = logging.getLogger(__name__)

RETRY_S: Final = 2.0
_BATCH: Final = 1_000

Source: TypeAlias = Literal["own", "imported", "spoken", "key", "sms", "api"]
"""The operator, or a list of somebody's; the person: in a call, by a key, by a text message."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`number`: E.164. `call_id`: the call in which they said so."""

    number: str
    source: Source
    at_ms: int
    call_id: str | None = None
    campaign_id: str | None = None
    note: str | None = None


async def put(connection: AsyncConnection, entries: Iterable[Entry]) -> int:
    """Within a transaction of the caller's. The first word of a number stays. Returns how many were
    new."""
    rows = [asdict(entry) for entry in entries]
    made = 0
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for at in range(0, len(rows), _BATCH):
        several = insert(do_not_call).values(rows[at : at + _BATCH]).on_conflict_do_nothing()
        found = await connection.execute(several.returning(do_not_call.c.number))
        made += len(found.all())
    return made


async def source_of(connection: AsyncConnection, number: str) -> str:
    """How a number came on the list, "" if it is not on it; within a transaction."""
    query = select(do_not_call.c.source).where(do_not_call.c.number == number)
    return (await connection.execute(query)).scalar_one_or_none() or ""


class DoNotCall:
    """One per process. `data_dir`: where it keeps what waits for the database."""

    def __init__(self, database: Database, data_dir: Path) -> None:
        self._database = database
        self.waiting = data_dir / "do-not-call.waiting.jsonl"
        self._waits = asyncio.Lock()

    async def add(self, entry: Entry) -> bool:
        """True: it counts for every dial from now on. False: the database is away, and it is kept
        on this machine's disk. Raises `OSError` where neither can be."""
        try:
            await self._commit([entry])
        except DatabaseAwayError as error:
            async with self._waits:
                await asyncio.to_thread(_append, self.waiting, entry)
            fields = {"error": str(error), "source": entry.source}
            logger.warning("a do-not-call entry waits for the database", extra={"fields": fields})
            return False
        return True

    async def take_back(self, number: str) -> bool:
        """They may be called again. False: they were not on it. Raises `DatabaseAwayError`."""
        async with self._database.writing() as connection:
            done = await connection.execute(delete(do_not_call).where(_is(number)))
        return done.rowcount > 0

    async def has(self, number: str) -> bool:
        """Raises `DatabaseAwayError`: whoever asks must take it for a yes."""
        async with self._database.reading() as connection:
            return bool(await source_of(connection, number))

    async def flush(self) -> bool:
        """Write what waits. False: it still does, so nobody may be dialled from this machine."""
        async with self._waits:
            waiting = await asyncio.to_thread(_read, self.waiting)
            if not waiting:
                return True
            try:
                await self._commit(waiting)
            except DatabaseAwayError:
                return False
            await asyncio.to_thread(self.waiting.unlink, missing_ok=True)
        fields = {"entries": len(waiting)}
        logger.info("do-not-call entries that waited are written", extra={"fields": fields})
        return True

    async def run(self) -> None:
        """Until cancelled: write what waits."""
        while True:
            await self.flush()
            await asyncio.sleep(RETRY_S)

    async def _commit(self, entries: list[Entry]) -> None:
        async with self._database.writing() as connection:
            await put(connection, entries)


def _is(number: str) -> Any:
    return do_not_call.c.number == number


def _append(path: Path, entry: Entry) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(entry)) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> list[Entry]:
    """A line that broke off with the power was told to nobody as kept."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return []
    return [Entry(**json.loads(line)) for line in lines[:-1]]
