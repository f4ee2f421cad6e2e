"""`earshot do-not-call`"""

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import click
from sqlalchemy import func, select

from app.cli.columns import aligned
from app.cli.configured import configured
from app.cli.failure import Failure, told_plainly
from app.policy.numbers import Number, read_number
from app.records.database import Database, DatabaseAwayError, DatabaseUrlError, sql_url
from app.records.do_not_call import DoNotCall, Entry, put
from app.records.tables import do_not_call
from app.settings import Settings

BATCH: Final = 5_000
SHOWN_FAULTS: Final = 10
_NUMBER: Final = re.compile(r"\+?[0-9][0-9 ().-]{5,30}")
T = TypeVar("T")


@click.group("do-not-call")
def command() -> None:
    """Whom no campaign calls: add, import, remove, check and list them.

    People put themselves on the list in a call (in words, or by pressing 9) and by writing STOP.
    """


@command.command("add")
@click.argument("numbers", nargs=-1, required=True)
@click.option("--note", default="", help="Why, for the list.")
def add(numbers: Sequence[str], note: str) -> None:
    """Put NUMBERS (+ and digits) on the list."""
    with told_plainly():
        entries = [Entry(_e164(n), "own", _now_ms(), note=note or None) for n in numbers]
        made = _run(lambda database: _put(database, entries))
        click.echo(f"{made} added, {len(entries) - made} were on the list")


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--note", default="", help="Where the list comes from.")
def import_(file: Path, note: str) -> None:
    """Put every number in FILE on the list: one on each line, or in the first column of a CSV.

    A line that holds no number is told with its place; the others count all the same. Exits 1 then.
    """
    with told_plainly():
        made, listed, faults = _run(lambda database: _import(database, file, note))
    click.echo(f"{made} added, {listed} were on the list, {len(faults)} lines hold no number")
    for fault in faults[:SHOWN_FAULTS]:
        click.echo(f"  {fault}", err=True)
    if len(faults) > SHOWN_FAULTS:
        click.echo(f"  and {len(faults) - SHOWN_FAULTS} more", err=True)
    sys.exit(1 if faults else 0)


@command.command("remove")
@click.argument("number")
def remove(number: str) -> None:
    """Take NUMBER off the list: they have said that they may be called again."""
    with told_plainly():
        wanted = _e164(number)
        done = _run(lambda database: DoNotCall(database, Path()).take_back(wanted))
        click.echo("it may be called again" if done else "it was not on the list")


@command.command("check")
@click.argument("number")
def check(number: str) -> None:
    """Say whether NUMBER is on the list, since when and why. Exits 1 if it is."""
    with told_plainly():
        wanted = _e164(number)
        rows = _run(lambda database: _rows(database, wanted))
    click.echo("\n".join(aligned(rows)) or "it is not on the list")
    sys.exit(1 if rows else 0)


@command.command("list")
@click.option("--most", default=50, show_default=True, help="The newest so many.")
def list_(most: int) -> None:
    """List who is on it, the newest first."""
    with told_plainly():
        rows = _run(lambda database: _rows(database, "", most))
        count = _run(_count)
    click.echo("\n".join(aligned(rows)) or "nobody is on the list")
    if count > len(rows):
        click.echo(f"and {count - len(rows)} more", err=True)


async def _put(database: Database, entries: Sequence[Entry]) -> int:
    async with database.writing() as connection:
        return await put(connection, entries)


async def _import(database: Database, file: Path, note: str) -> tuple[int, int, list[str]]:
    made = seen = 0
    faults: list[str] = []
    batch: list[Entry] = []
    for place, text in _first_cells(file):
        number = read_number(text) if _NUMBER.fullmatch(text) else None
        if not isinstance(number, Number):
            if place > 1 or any(character.isdigit() for character in text):
                faults.append(f"line {place}: expected a number with + and its country code")
            continue  # the first line may be a heading
        seen += 1
        batch.append(Entry(number.e164, "imported", _now_ms(), note=note or None))
        if len(batch) == BATCH:
            made += await _put(database, batch)
            batch = []
    made += await _put(database, batch)
    return made, seen - made, faults


def _first_cells(file: Path) -> Iterator[tuple[int, str]]:
    """Of the lines that are not empty, with their numbers from 1."""
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        for place, line in enumerate(lines, 1):
            cell = re.split(r"[,;\t]", line.strip(), maxsplit=1)[0].strip().strip('"')
            if cell:
                yield place, cell


async def _rows(database: Database, number: str, most: int = 1) -> list[tuple[str, ...]]:
    query = select(do_not_call).order_by(do_not_call.c.at_ms.desc()).limit(most)
    if number:
        query = query.where(do_not_call.c.number == number)
    async with database.reading() as connection:
        found = (await connection.execute(query)).mappings().all()
    return [
        (
            row["number"],
            f"{datetime.fromtimestamp(row['at_ms'] / 1_000, UTC):%Y-%m-%d %H:%M} UTC",
            row["source"],
            row["call_id"] or row["note"] or "",
        )
        for row in found
    ]


async def _count(database: Database) -> int:
    async with database.reading() as connection:
        query = select(func.count()).select_from(do_not_call)
        return int((await connection.execute(query)).scalar_one())


def _run(work: Callable[[Database], Awaitable[T]]) -> T:
    settings = configured()

    async def done() -> T:
        async with _database(settings) as database:
            return await work(database)

    try:
        return asyncio.run(done())
    except DatabaseAwayError as error:
        raise Failure(f"The database does not answer ({error}). See DATABASE_URL.") from error
    except DatabaseUrlError as error:
        raise Failure(str(error)) from error


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    url = sql_url(settings.database_url.get_secret_value(), settings.data_dir)
    database = Database(url)
    try:
        await database.upgrade()
        yield database
    finally:
        await database.close()


def _e164(text: str) -> str:
    number = read_number(text)
    if not isinstance(number, Number):
        raise Failure(f"Expected a number such as +14155550100, got {text!r}: {number.reason}")
    return number.e164


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
