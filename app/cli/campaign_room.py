"""What the commands of `earshot campaign` share: the database, who asks, times as they are told."""

import asyncio
import getpass
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Final, TypeVar

import click

from app.campaigns.jurisdictions import LawFileError
from app.campaigns.loading import PlanError
from app.campaigns.states import WrongMoveError
from app.campaigns.store import CampaignError
from app.campaigns.times import instant_ms
from app.cli.configured import configured
from app.cli.failure import Failure, told_plainly
from app.records.database import Database, DatabaseAwayError, DatabaseUrlError, sql_url

T = TypeVar("T")
_MENDABLE: Final = (
    CampaignError, DatabaseUrlError, PlanError, LawFileError, WrongMoveError,
)  # fmt: skip


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def who() -> str:
    """Who is at this terminal, for the log."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


def with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    """Runs `work` on the settings' database. Raises `Failure` for what the user can mend."""

    async def run() -> T:
        async with _opened() as database:
            return await work(database)

    with told():
        return asyncio.run(run())


@contextmanager
def told() -> Iterator[None]:
    """Turn the errors that operators can mend into `Failure`."""
    with told_plainly():
        try:
            yield
        except _MENDABLE as error:
            raise Failure(str(error)) from error
        except DatabaseAwayError as error:
            raise Failure(f"The database of DATABASE_URL does not answer ({error}).") from error


@asynccontextmanager
async def _opened() -> AsyncIterator[Database]:
    settings = configured()
    url = sql_url(settings.database_url.get_secret_value(), settings.data_dir)
    database = Database(url)
    try:
        await database.upgrade()
        yield database
    finally:
        await database.close()


def as_instant(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Of an option: a time with its offset, as Unix ms."""
    try:
        return None if value is None else instant_ms(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}, got {value!r}.") from error


def clock(at_ms: int, now: int | None = None) -> str:
    """In UTC. Seen from `now`: without the day where it is the same, without the year else."""
    at = datetime.fromtimestamp(at_ms / 1_000, UTC)
    if now is None:
        return f"{at:%Y-%m-%d %H:%M}"
    same = datetime.fromtimestamp(now / 1_000, UTC).date() == at.date()
    return f"{at:%H:%M}" if same else f"{at:%m-%d %H:%M}"
