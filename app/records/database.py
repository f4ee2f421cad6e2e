"""The SQL database: SQLite in a file by default, PostgreSQL where one is given.

A transaction that writes takes SQLite's write lock when it begins, so that two of them wait for
each other instead of failing half way. What is committed is on the disk: `synchronous=FULL` on
SQLite, PostgreSQL's own default there.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import URL, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.records.migrate import migrate

SQLITE_WAIT_MS: Final = 10_000
CONNECT_WAIT_S: Final = 5
SILENCE_S: Final = 15
"""How long a server may not even acknowledge what it was sent."""
FILE_NAME: Final = "earshot.db"
"""Below the data directory, where no DATABASE_URL is given."""

Kind: TypeAlias = Literal["sqlite", "postgresql"]


class DatabaseUrlError(ValueError):
    """The operator's input. Never shows the address: it may hold a password."""


class DatabaseAwayError(Exception):
    """The database does not answer, or broke off. What was not committed did not happen, except
    where a commit itself broke off: that may have happened."""


def sql_url(given: str, data_dir: Path | None = None) -> URL:
    """The address with its driver, from what users write: postgres://, postgresql://, sqlite:///.

    "" takes a file below `data_dir`. Raises `DatabaseUrlError`.
    """
    if not given:
        if data_dir is None:
            raise DatabaseUrlError("expected DATABASE_URL, or a data directory for SQLite's file")
        return URL.create("sqlite+aiosqlite", database=str(data_dir / FILE_NAME))
    try:
        url = make_url(given)
    except ArgumentError as error:
        raise DatabaseUrlError(_EXPECTED) from error
    match url.drivername.partition("+")[0]:
        case "sqlite" if url.database and url.database != ":memory:":
            return url.set(drivername="sqlite+aiosqlite")
        case "sqlite":
            raise DatabaseUrlError(f"{_EXPECTED}; a database in memory would be lost")
        case "postgres" | "postgresql":
            return url.set(drivername="postgresql+psycopg")
        case _:
            raise DatabaseUrlError(_EXPECTED)


_EXPECTED: Final = (
    "DATABASE_URL: expected postgresql://user:password@host/name or sqlite:///path/to/file.db"
)


class Database:
    """One per process. `await upgrade()` before the first use; `await close()` at the end.

    `pool`: connections that may be open at once to PostgreSQL.
    """

    def __init__(self, url: URL, *, pool: int = 5) -> None:
        self.kind: Kind = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql"
        self._url = url
        self._engine = _sqlite(url) if self.kind == "sqlite" else _postgresql(url, pool)

    async def upgrade(self) -> None:
        """Make or change the tables so that they are as this version needs them.

        Raises `DatabaseAwayError`, `DatabaseNewerError`.
        """
        with _told():
            if self.kind == "postgresql":
                async with self._engine.begin() as connection:
                    await connection.run_sync(migrate)
                return
            await asyncio.to_thread(_make_file, Path(str(self._url.database)))
            async with self._engine.connect() as connection:
                # A table that is made anew would take the rows that hang on it along. It cannot
                # be said inside a transaction.
                await connection.execute(text("PRAGMA foreign_keys=OFF"))
                await connection.commit()
                try:
                    async with connection.begin():
                        await connection.execute(text("BEGIN IMMEDIATE"))
                        await connection.run_sync(migrate)
                finally:
                    await connection.execute(text("PRAGMA foreign_keys=ON"))
                    await connection.commit()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end, undone by an exception. Raises `DatabaseAwayError`;
        what is wrong with a statement is raised as it comes."""
        with _told():
            async with self._engine.connect() as connection, connection.begin():
                if self.kind == "sqlite":
                    await connection.execute(text("BEGIN IMMEDIATE"))
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """One consistent look. Raises `DatabaseAwayError`."""
        with _told():
            async with self._engine.connect() as connection, connection.begin():
                if self.kind == "sqlite":
                    await connection.execute(text("BEGIN"))
                yield connection

    @asynccontextmanager
    async def at_once(self) -> AsyncIterator[AsyncConnection]:
        """A connection to keep, on which each statement is a transaction of its own: one trip to
        the server instead of four. PostgreSQL only. Raises `DatabaseAwayError`."""
        with _told():
            async with self._engine.connect() as connection:
                yield await connection.execution_options(isolation_level="AUTOCOMMIT")

    async def empty_log(self) -> None:
        """What was deleted is no longer in SQLite's write-ahead log either. Raises
        `DatabaseAwayError`."""
        if self.kind == "sqlite":
            with _told():
                async with self._engine.connect() as connection:
                    await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
                    await connection.commit()

    async def close(self) -> None:
        await self._engine.dispose()


class _told:
    """Turns a driver's way of saying that the database is away into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and is_away(error):
            raise DatabaseAwayError(type(error).__name__) from error


def is_away(error: BaseException) -> bool:
    """Whether it is the database that is missing, rather than a statement that is wrong."""
    if isinstance(error, OSError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)


def _make_file(path: Path) -> None:
    """For its user only: SQLite gives its helper files the same mode. Blocks.

    The change to a write-ahead log, which lasts, does not wait for others by itself.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    limit_s = time.monotonic() + SQLITE_WAIT_MS / 1_000
    while True:
        try:
            with closing(sqlite3.connect(path)) as made:
                made.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if time.monotonic() > limit_s:
                raise DatabaseAwayError("the file stays locked") from error
            time.sleep(0.02)


def _sqlite(url: URL) -> AsyncEngine:
    engine = create_async_engine(url, connect_args={"timeout": SQLITE_WAIT_MS / 1_000})

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        # We say BEGIN ourselves: the driver begins too late, and never in the mode that we need.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


# What is deleted is overwritten: it was what somebody said.
_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    f"busy_timeout={SQLITE_WAIT_MS}",
)


def _postgresql(url: URL, pool: int) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_WAIT_S,
            # A network that swallows everything is found out, instead of waited for.
            "tcp_user_timeout": 1_000 * SILENCE_S,
            "keepalives_idle": SILENCE_S,
            "keepalives_interval": SILENCE_S // 3,
            "keepalives_count": 3,
        },
    )
