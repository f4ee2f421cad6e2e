"""Calls that are older than the operator keeps them go: their rows, and their files here. So do the
people of campaigns that are over for so long.

Evidence stays, rows and files: it is what proves years later that the law was kept. Recordings
have days of their own (`[recording] keep_days`).
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import delete, select

from app.records.database import Database, DatabaseAwayError
from app.records.keeper import unix_ms
from app.records.tables import attempts, calls, campaigns, contacts, texts

logger = logging.getLogger(__name__)

DAY_MS: Final = 86_400_000
SWEEP_EVERY_S: Final = 6 * 3_600.0
AGAIN_S: Final = 600.0
"""When the database was away."""
BATCH: Final = 500
"""Calls that are deleted in one transaction: writers wait for no longer one."""
RECORDING: Final = "recording-"
EVIDENCE: Final = "evidence"


async def sweep_records(
    database: Database, calls_dir: Path, days: int, clock: Callable[[], int] = unix_ms
) -> None:
    """Now and then, for ever. `days` 0: nothing is ever deleted."""
    while days:
        before_ms = clock() - days * DAY_MS
        wait_s = SWEEP_EVERY_S
        try:
            rows = await delete_before(database, before_ms)
            people = await delete_people_before(database, before_ms)
            folders = await asyncio.to_thread(sweep_files, calls_dir, before_ms)
            if rows or folders or people:
                fields = {"calls": rows, "folders": folders, "contacts": people}
                logger.info("old records deleted", extra={"fields": fields})
        except (DatabaseAwayError, OSError) as error:
            wait_s = AGAIN_S
            why = {"error": type(error).__name__}
            logger.warning("old records cannot be deleted yet", extra={"fields": why})
        await asyncio.sleep(wait_s)


async def delete_before(database: Database, before_ms: int, *, batch: int = BATCH) -> int:
    """Delete calls that began before, with all that hangs on them; how many.

    Raises `DatabaseAwayError`: some may be deleted.
    """
    deleted = 0
    old = select(calls.c.call_id).where(calls.c.started_at_ms < before_ms).limit(batch)
    while True:
        async with database.writing() as connection:
            ids = (await connection.execute(old)).scalars().all()
            await connection.execute(delete(calls).where(calls.c.call_id.in_(ids)))
        deleted += len(ids)
        if len(ids) < batch:
            return deleted


async def delete_people_before(database: Database, before_ms: int, *, batch: int = BATCH) -> int:
    """Delete the contacts, dials and text messages of campaigns that have been over since before;
    how many contacts. What the operator did stays, and so does who may not be called.

    Raises `DatabaseAwayError`: some may be deleted.
    """
    over = select(campaigns.c.campaign_id).where(
        campaigns.c.state.in_(("completed", "stopped")), campaigns.c.changed_at_ms < before_ms
    )
    old = select(contacts.c.contact_id).where(contacts.c.campaign_id.in_(over)).limit(batch)
    deleted = 0
    while True:
        async with database.writing() as connection:
            ids = (await connection.execute(old)).scalars().all()
            for table in (texts, attempts, contacts):
                await connection.execute(delete(table).where(table.c.contact_id.in_(ids)))
        deleted += len(ids)
        if len(ids) < batch:
            return deleted


def sweep_files(calls_dir: Path, before_ms: int) -> int:
    """Delete the files of calls of which nothing was written since; of how many calls. Blocks."""
    emptied = 0
    for folder in _folders(calls_dir):
        try:
            files = [path for path in folder.iterdir() if path.is_file()]
            newest_s = max((path.stat().st_mtime for path in files), default=0.0)
        except OSError:  # another process deletes it too
            continue
        if newest_s * 1_000 < before_ms:
            emptied += bool(remove_files(files, keep=(RECORDING, EVIDENCE)))
            _remove_if_empty(folder)
    return emptied


def remove_call(calls_dir: Path, call_id: str, *, keep_evidence: bool = False) -> int:
    """Delete what this machine has of a call, recordings too; how many files. Blocks.

    Raises `OSError`."""
    folder = calls_dir / call_id
    if not call_id.replace("_", "").isalnum() or not folder.is_dir():
        return 0
    files = [path for path in folder.iterdir() if path.is_file()]
    removed = remove_files(files, keep=(EVIDENCE,) if keep_evidence else ())
    _remove_if_empty(folder)
    return removed


def remove_files(files: Sequence[Path], *, keep: tuple[str, ...]) -> int:
    """But for those whose names begin like one of `keep`; how many. Raises `OSError`."""
    gone = [path for path in files if not path.name.startswith(keep)] if keep else list(files)
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def _folders(calls_dir: Path) -> Iterator[Path]:
    with contextlib.suppress(FileNotFoundError), os.scandir(calls_dir) as found:
        yield from (Path(entry.path) for entry in found if entry.is_dir(follow_symlinks=False))


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
