"""`earshot campaign export`"""

import os
import sys
from pathlib import Path
from typing import IO, get_args

import click

from app.campaigns.export import Each, Format, export
from app.cli.campaign_room import with_database
from app.cli.failure import Failure
from app.records.database import Database


@click.command("export")
@click.argument("name")
@click.option(
    "--format", "format_", type=click.Choice(get_args(Format)), default="csv", show_default=True
)
@click.option(
    "--each",
    type=click.Choice(get_args(Each)),
    default="contact",
    show_default=True,
    help="A line of CSV for each contact with the newest dial, or for each dial.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file that is not there yet; default: standard output.",
)
def export_command(name: str, format_: Format, each: Each, out: Path | None) -> None:  # fmt: skip
    """Write everybody on the list with their dials and what came of them.

    JSON Lines hold every dial, times in Unix ms; CSV is for spreadsheets, times in UTC, and cells
    that a spreadsheet would run begin with '. The file holds personal data.
    """

    async def work(database: Database) -> int:
        if out is None:
            return await export(database, name, format_, sys.stdout.buffer, each)
        with _opened(out) as file:
            return await export(database, name, format_, file, each)

    try:
        count = with_database(work)
    except OSError as error:
        if out is None:
            raise
        raise Failure(f"{out}: it cannot be written: {error}.") from error
    if out is not None:
        click.echo(f"{count:,} {'person' if count == 1 else 'people'} in {out}")


def _opened(out: Path) -> IO[bytes]:
    """For its owner's eyes only. Raises `Failure` for a file that is there already."""
    try:
        return os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError as error:
        raise Failure(f"{out} is there already: name another file, or move it.") from error
