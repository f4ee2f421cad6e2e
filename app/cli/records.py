"""`earshot records`"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, TypeVar, cast

import click
from rich.console import Console

from app.cli.configured import configured
from app.cli.failure import Failure, told_plainly
from app.cli.records_view import Removed, removed_lines, shown, status_json, status_table
from app.outgoing.sqlite_store import FILE, SqliteStore
from app.outgoing.store import OutboxError
from app.records.database import Database, sql_url
from app.records.export import FORMATS, TABLES, Exported, Format, export, exported
from app.records.forget import Forgotten, forget
from app.records.retention import remove_call
from app.records.spool import Entry, Spool
from app.records.status import Status, status_of, waiting_in
from app.settings import Settings

_PERSON: Final = re.compile(r"\+[0-9]{7,15}|(sips?:[^@\s]+@|client:)[^\s]+")
T = TypeVar("T")


@click.group("records")
def command() -> None:
    """What the database holds of calls: how it stands, files of it, and a person forgotten."""


@command.command("status")
@click.option("--json", "as_text", is_flag=True, help="One JSON object.")
def status(as_text: bool) -> None:
    """Say which database it is, what is in it, and what on this machine waits for it.

    Exits 1 if something was put aside because it could not be written.
    """
    with told_plainly():
        settings = configured()
        waiting = waiting_in(Spool(settings.data_dir))
        found: Status = asyncio.run(_with(settings, status_of))
    if as_text:
        click.echo(status_json(found, waiting))
    else:
        shown(status_table(found, waiting), Console())
    sys.exit(1 if waiting.aside else 0)


@command.command("retry")
def retry() -> None:
    """Have what was put aside written again: by the running server, or the next one."""
    with told_plainly():
        count = Spool(configured().data_dir).retry()
    click.echo(f"{count} {'record waits' if count == 1 else 'records wait'} to be written")


@command.command("export", short_help="Write rows into a file.")
@click.option("--table", type=click.Choice(TABLES), default="calls", show_default=True)
@click.option("--format", "format_", type=click.Choice(FORMATS), default="csv", show_default=True)
@click.option("--from", "from_", type=click.DateTime(), help="From this time on (UTC).")
@click.option("--to", "to", type=click.DateTime(), help="Before this time (UTC).")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: stdout.")
def export_(
    table: str, format_: str, from_: datetime | None, to: datetime | None, out: Path | None
) -> None:
    """Write rows of a table as CSV, JSON Lines or Parquet.

    Whose turns, tools and legs they are stands beside them; times are ms since 1970 (UTC). In CSV,
    texts that a spreadsheet would run as a formula begin with a '.
    """
    if format_ == "parquet" and out is None:
        raise click.UsageError("Parquet is no text: name a file with --out.")
    with told_plainly():
        what = exported(table, _ms(from_), _ms(to))
        count = _export(configured(), what, cast(Format, format_), out)
    if out is not None:
        click.echo(f"{count} {'row' if count == 1 else 'rows'} in {out}")


@command.command("forget", short_help="Delete everything of a person.")
@click.argument("number")
@click.option("--keep-evidence", is_flag=True, help="For a claim that may come.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget_(number: str, keep_evidence: bool, yes: bool) -> None:
    """Delete what was kept of the person with NUMBER (+ and digits, or an address as it was shown).

    Rows and files of their calls, recordings too, and webhooks about them that are kept here. Of
    campaigns there remains that somebody was dialled, without number or words. That the number is
    not to be dialled stays.
    """
    if not _PERSON.fullmatch(number):
        raise click.UsageError("Expected a number like +15550100001, or sip:user@host.")
    if not yes:
        click.confirm("Everything of this person is deleted for good. Go on?", abort=True)
    with told_plainly():
        removed = asyncio.run(_forget(configured(), number, keep_evidence=keep_evidence))
    for line in removed_lines(removed):
        click.echo(line)


async def _forget(settings: Settings, number: str, *, keep_evidence: bool) -> Removed:
    spool = Spool(settings.data_dir)
    waiting = await asyncio.to_thread(spool.of_party, number)

    async def rows(database: Database) -> Forgotten:
        more = [entry.call_id for entry in waiting]
        async with database.writing() as connection:
            done = await forget(connection, number, more, keep_evidence=keep_evidence)
        await database.empty_log()
        return done

    done = await _with(settings, rows)
    try:
        files, webhooks = await asyncio.to_thread(
            _forget_files, settings, waiting, done, keep_evidence
        )
    except (OSError, OutboxError) as error:
        raise Failure(
            f"The rows are deleted; not all files are: {error}. Run it again once that is mended:"
            f" the calls were {', '.join(done.call_ids)}"
        ) from error
    if waiting:  # a server that runs may just have written one of them
        await _with(settings, rows)
    return Removed(done, files, webhooks, len(waiting))


def _forget_files(
    settings: Settings, waiting: list[Entry], done: Forgotten, keep_evidence: bool
) -> tuple[int, int]:
    """How many files, and how many webhooks."""
    spool, calls_dir = Spool(settings.data_dir), settings.data_dir / "calls"
    for entry in waiting:
        spool.forget(entry.name)
    for call_id in done.call_ids:
        spool.forget(f"after-{call_id}")
    files = sum(remove_call(calls_dir, i, keep_evidence=keep_evidence) for i in done.call_ids)
    folder = settings.data_dir / "outgoing"
    if not (folder / FILE).exists():
        return files, 0
    store = SqliteStore(folder)
    try:
        return files, store.forget_calls(done.call_ids)
    finally:
        store.close()


def _export(settings: Settings, what: Exported, format_: Format, out: Path | None) -> int:
    def into(file: IO[bytes]) -> int:
        return asyncio.run(_with(settings, lambda database: export(database, what, format_, file)))

    if out is None:
        return into(sys.stdout.buffer)
    unfinished = out.with_name(f"{out.name}.part")
    try:
        with open(os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            count = into(file)
        unfinished.replace(out)
    except OSError as error:
        raise Failure(f"{out}: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return count


async def _with(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    async with _database(settings) as database:
        return await work(database)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    """With the tables of this version."""
    database = Database(sql_url(settings.database_url.get_secret_value(), settings.data_dir))
    try:
        await database.upgrade()
        yield database
    finally:
        await database.close()


def _ms(at: datetime | None) -> int | None:
    return None if at is None else int(at.replace(tzinfo=UTC).timestamp() * 1_000)
