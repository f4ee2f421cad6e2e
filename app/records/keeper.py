"""What calls leave behind goes into the database: behind them, and whatever happens to it.

No call waits for this. A stream that begins leaves a note in the spool; when it is over its
timeline is on the disk, and its rows are written. What could not be written, because the database
is away or a process died, is found in the spool again, by this process or the next one.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.records.database import Database, DatabaseAwayError
from app.records.found import Found, find
from app.records.migrate import DatabaseNewerError
from app.records.rows import PricesOf, StreamRows, no_prices
from app.records.spool import Entry, Spool, UnreadableError
from app.records.tables import calls
from app.records.writing import write_after, write_call, write_stream

logger = logging.getLogger(__name__)
T = TypeVar("T")

MOST_NEWS: Final = 1_000
"""Streams that ended and are not written, by name; more of them are found in the spool."""


def unix_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds."""

    look_s: float = 60.0
    """How often the spool is looked through, besides after each stream."""
    first_wait_s: float = 0.5
    """Before the database is tried again when it was away; doubled each time ..."""
    longest_wait_s: float = 30.0
    """... up to this."""
    dead_s: float = 25 * 3_600.0
    """A stream without a timeline for so long died with its worker: no call lasts a day."""
    close_s: float = 5.0
    """Longest wait at the end for what is not written yet."""


MOST_TRIES: Final = 5
"""What fails so often while the database answers is put aside."""


class RecordKeeper:
    """One per process; belongs to its event loop. `run` writes; nothing else waits for it."""

    def __init__(
        self,
        database: Database,
        data_dir: Path,
        *,
        clock: Callable[[], int] = unix_ms,
        times: Times | None = None,
    ) -> None:
        """`clock`: Unix ms."""
        self.database = database
        self.spool = Spool(data_dir)
        self._data_dir = data_dir
        self.prices_of: PricesOf = no_prices
        """What models cost; set it before `run`."""
        self._clock = clock
        self._times = times or Times()
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="records")
        self._news: deque[str] = deque(maxlen=MOST_NEWS)
        self._wake = asyncio.Event()
        self._look_at_s = 0.0
        self._away_since_s: float | None = None
        self._refused_by = ""
        self._tries: dict[str, int] = {}
        self.ready = asyncio.Event()
        """The database has the tables of this version."""
        self.written = 0
        """Streams, and records after calls, since the start."""

    # What is told of calls. None of these waits or raises.

    def began(
        self,
        *,
        call_id: str,
        stream_id: str,
        timeline: Path,
        direction: str = "inbound",
        agent: str = "",
        agent_version: str = "",
        caller: str = "",
        called: str = "",
        attempt_id: str = "",
    ) -> None:
        """A stream is here. `timeline`: where its timeline will be."""
        entry = Entry(
            kind="stream",
            call_id=call_id,
            path=self._named(timeline),
            at_ms=self._clock(),
            stream_id=stream_id,
            direction=direction,
            agent=agent,
            agent_version=agent_version,
            caller=caller,
            called=called,
            attempt_id=attempt_id,
        )
        with contextlib.suppress(RuntimeError):  # closed: nothing is written any more
            self._disk.submit(self._put, entry)

    def over(self, stream_id: str) -> None:
        """The stream's timeline is written."""
        self._news.append(stream_id)
        self._wake.set()

    async def after(self, call_id: str, path: Path) -> None:
        """The record after the call is about to be written to `path`; tell `over_after` then."""
        entry = Entry(kind="after", call_id=call_id, path=self._named(path), at_ms=self._clock())
        await self._on_disk(lambda: self._put(entry))

    def over_after(self, call_id: str) -> None:
        self.over(f"after-{call_id}")

    def _named(self, path: Path) -> str:
        """The data folder may be moved while an entry waits."""
        below = path.is_relative_to(self._data_dir)
        return str(path.relative_to(self._data_dir) if below else path.absolute())

    # The work

    async def run(self) -> None:
        """Write what there is, until cancelled."""
        failures = 0
        while True:
            self._wake.clear()
            try:
                await self._round()
                failures = 0
            except DatabaseAwayError as error:
                failures += 1
                self._went_away(error)
            except DatabaseNewerError as error:
                failures += 1
                self._refused(error)
            await self._rest(failures)

    async def close(self) -> None:
        """Write what there is, for a moment; what stays in the spool is the next process's.
        Call it when `run` does not run any more."""
        try:
            async with asyncio.timeout(self._times.close_s):
                self._look_at_s = 0.0
                await self._round()
        except (TimeoutError, DatabaseAwayError, DatabaseNewerError):
            await self._on_disk(self._say_what_waits)
        finally:
            await asyncio.to_thread(self._disk.shutdown)
            await self.database.close()

    async def _rest(self, failures: int) -> None:
        if failures:
            times = self._times
            longest_s = min(times.longest_wait_s, times.first_wait_s * 2 ** min(failures - 1, 16))
            await asyncio.sleep(longest_s * random.uniform(0.7, 1.0))
            return
        try:
            async with asyncio.timeout(self._times.look_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _round(self) -> None:
        """Raises `DatabaseAwayError`, `DatabaseNewerError`."""
        if not self.ready.is_set():
            await self.database.upgrade()
            self.ready.set()
        if self._away_since_s is not None:
            await self._probe()
            self._came_back()
        while self._news:
            name = self._news[0]
            await self._write(name)
            if self._news and self._news[0] == name:  # it may have been pushed out
                self._news.popleft()
        if time.monotonic() >= self._look_at_s:
            await self._look()
            self._look_at_s = time.monotonic() + self._times.look_s

    async def _look(self) -> None:
        """Through the whole spool, in the order of names."""
        last = ""
        while names := await self._on_disk(lambda: self.spool.names(last)):  # noqa: B023
            for name in names:
                await self._write(name)
            last = names[-1]

    async def _write(self, name: str) -> None:
        """One entry, if it is there and its time has come. Raises `DatabaseAwayError`."""
        try:
            dead_ms = self._clock() - round(1_000 * self._times.dead_s)
            found = await self._on_disk(
                lambda: find(self.spool, name, self._data_dir, dead_ms, self.prices_of)
            )
            if found is None:
                return
            async with self.database.writing() as connection:
                await _put_in(connection, found)
        except DatabaseAwayError:
            await self._tried(name)
        except (UnreadableError, SQLAlchemyError, OSError) as error:
            await self._put_aside(name, error)
        except Exception as error:
            # A fault of ours in one record must not keep all others waiting.
            logger.exception("a call's record failed inside the bot")
            await self._put_aside(name, error)
        else:
            self.written += 1
            self._tries.pop(name, None)
            await self._on_disk(lambda: self.spool.done(name))

    async def _tried(self, name: str) -> None:
        """It broke off. Is it the database's fault? Raises `DatabaseAwayError` if so."""
        await self._probe()
        self._tries[name] = tries = self._tries.get(name, 0) + 1
        if tries < MOST_TRIES:
            raise DatabaseAwayError("it broke off")
        await self._put_aside(name, DatabaseAwayError(f"broke off {tries} times"))

    async def _probe(self) -> None:
        async with self.database.reading() as connection:
            await connection.execute(select(calls.c.call_id).limit(1))

    async def _put_aside(self, name: str, error: Exception) -> None:
        self._tries.pop(name, None)
        why = str(error) if isinstance(error, UnreadableError) else type(error).__name__
        fields = {"stream": name, "error": why}
        logger.error("a call's record is put aside", extra={"fields": fields})
        try:
            await self._on_disk(lambda: self.spool.put_aside(name))
        except OSError as failed:
            self._disk_failed(failed)

    def _put(self, entry: Entry) -> None:
        try:
            self.spool.put(entry)
        except (OSError, ValueError) as error:
            self._disk_failed(error)

    def _disk_failed(self, error: Exception) -> None:
        said = (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
        fields = {"error": said}
        logger.error("a call's record cannot be spooled", extra={"fields": fields})

    async def _on_disk(self, work: Callable[[], T]) -> T:
        """In the order in which it is asked for."""
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)

    # What the operator learns

    def _went_away(self, error: DatabaseAwayError) -> None:
        if self._away_since_s is None:
            self._away_since_s = time.monotonic()
            fields = {"error": str(error)}
            logger.warning(
                "the database is away; records wait on the disk", extra={"fields": fields}
            )

    def _came_back(self) -> None:
        if self._away_since_s is not None:
            fields = {"away_s": round(time.monotonic() - self._away_since_s, 1)}
            logger.warning("the database is back", extra={"fields": fields})
            self._away_since_s, self._look_at_s = None, 0.0

    def _refused(self, error: DatabaseNewerError) -> None:
        if self._refused_by == error.found:
            return
        self._refused_by = error.found
        fields = {"found": error.found, "known": error.known}
        logger.error(
            "the database is of a newer version; records wait on the disk",
            extra={"fields": fields},
        )

    def _say_what_waits(self) -> None:
        fields = {"waiting": self.spool.count()}
        logger.warning("records stay on the disk for the next start", extra={"fields": fields})


async def _put_in(connection: AsyncConnection, found: Found) -> None:
    if isinstance(found.rows, StreamRows):
        await write_stream(connection, found.entry, found.rows)
    elif found.rows is not None:
        await write_after(connection, found.entry, found.rows)
    else:
        await write_call(connection, found.entry)
