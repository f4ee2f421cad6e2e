"""`earshot campaign import`"""

import asyncio
import getpass
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import click

from app.campaigns.importing.checking import RowChecker, Rules
from app.campaigns.importing.columns import Columns, columns_of, parsed_map
from app.campaigns.importing.dates import Order
from app.campaigns.importing.loading import Across, CampaignMissingError, Duplicates, Loader
from app.campaigns.importing.opening import open_source
from app.campaigns.importing.rehearsal import Rehearsal
from app.campaigns.importing.repairing import Repair, path_for_repair
from app.campaigns.importing.report import Report
from app.campaigns.importing.rows import ImportFileError, Source
from app.campaigns.importing.run import import_rows, note_import
from app.cli.campaign_import_view import counts, faults, progress_of
from app.cli.columns import aligned
from app.cli.configured import configured
from app.cli.failure import Failure, told_plainly
from app.records.database import Database, DatabaseAwayError, DatabaseUrlError, sql_url

SOME_INVALID: Final = 3
"""Exit code: the import went through, and left rows for repair."""


@click.command("import", short_help="Load contacts from CSV, XLSX or JSON Lines.")
@click.argument("campaign")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "maps", multiple=True, metavar="KEY=HEADER", help="What a column is.")
@click.option("--region", default="", help="Country of numbers without a code, such as US.")
@click.option(
    "--duplicates",
    type=click.Choice(("skip", "update", "error")),
    default="skip",
    show_default=True,
    help="Numbers that the campaign has already.",
)
@click.option(
    "--across",
    type=click.Choice(("allow", "skip")),
    default="allow",
    show_default=True,
    help="Numbers that another campaign has, which is not over.",
)
@click.option("--dates", type=click.Choice(("dmy", "mdy")), help="Order in dates like 03/04/2026.")
@click.option("--consent-source", default="", help="Of consents whose source the file leaves out.")
@click.option("--sheet", default="", help="Of a workbook; default: the first.")
@click.option(
    "--errors", type=click.Path(dir_okay=False, path_type=Path), help="Where rows for repair go."
)
@click.option("--json", "as_json", is_flag=True, help="Say it as one JSON object.")
@click.option("--dry-run", is_flag=True, help="Check every row, and load nobody.")
def import_command(
    campaign: str,
    file: Path,
    maps: tuple[str, ...],
    region: str,
    duplicates: Duplicates,
    across: Across,
    dates: Order | None,
    consent_source: str,
    sheet: str,
    errors: Path | None,
    as_json: bool,
    dry_run: bool,
) -> None:
    """Load the contacts of FILE into CAMPAIGN: CSV, XLSX or JSON Lines.

    Rows that are right are loaded. The others go, each with what is wrong, to a file for repair
    beside FILE: mend them there and import that file. An import that broke off can be run again.
    Exits 3 if there are rows for repair.

    \b
    earshot campaign import spring contacts.csv --region US --dry-run
    earshot campaign import spring kunden.xlsx --region DE --map phone="Tel. privat"
    """
    report = Report()
    with told_plainly(), _told(report, dry_run), closing(open_source(file, sheet)) as source:
        asked = _Asked(
            campaign=campaign,
            file=file,
            source=source,
            columns=columns_of(source.headers, [parsed_map(text) for text in maps]),
            rules=Rules(region=region.upper(), dates=dates or "", consent_source=consent_source),
            repair=Repair(_errors_path(file, errors, source), source),
            duplicates=duplicates,
            across=across,
            dry_run=dry_run,
            report=report,
        )
        if not as_json:
            click.echo("\n".join(aligned([("COLUMN", "IS"), *asked.columns.told()])))
        for note in source.notes:
            click.echo(f"note: {note}", err=True)
        asyncio.run(_import(asked))
    if as_json:
        click.echo(json.dumps(_data(asked), ensure_ascii=False))
    else:
        _say(asked)
    if report.invalid:
        raise SystemExit(SOME_INVALID)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    campaign: str
    file: Path
    source: Source
    columns: Columns
    rules: Rules
    repair: Repair
    duplicates: Duplicates
    across: Across
    dry_run: bool
    report: Report = field(default_factory=Report)


def _say(asked: "_Asked") -> None:
    click.echo("\n" + "\n".join(counts(asked.report, dry_run=asked.dry_run)))
    if asked.report.invalid:
        click.echo("\n" + "\n".join(faults(asked.report, asked.repair.path)), err=True)


def _data(asked: "_Asked") -> dict[str, object]:
    """The counts, what each column is taken for, and the first of what is wrong."""
    report = asked.report
    return {
        **report.as_json(),
        "no_zone": report.no_zone,
        "no_consent": report.no_consent,
        "columns": dict(asked.columns.told()),
        "faults": [asdict(fault) for fault in report.examples],
        "dry_run": asked.dry_run,
    }


async def _import(asked: _Asked) -> None:
    async with _database() as database:
        with _loader(asked, database) as loader:
            rules = _with_region(asked.rules, await loader.begin())
            checker = RowChecker(asked.columns, rules, _now_ms())
            with progress_of(asked.source.total_bytes) as on_progress:
                await import_rows(
                    asked.source,
                    checker,
                    loader,
                    asked.repair,
                    duplicates=asked.duplicates,
                    report=asked.report,
                    on_progress=on_progress,
                )
        if not asked.dry_run:
            await note_import(
                database,
                asked.campaign,
                asked.report,
                by=_who(),
                file=asked.file.name.encode(errors="replace").decode(),
                now_ms=_now_ms(),
            )


@contextmanager
def _loader(asked: _Asked, database: Database) -> Iterator[Loader | Rehearsal]:
    duplicates, across = asked.duplicates, asked.across
    if not asked.dry_run:
        yield Loader(database, asked.campaign, duplicates=duplicates, across=across)
        return
    with tempfile.TemporaryDirectory(prefix="earshot-import-") as folder:
        seen = Path(folder) / "seen"
        rehearsal = Rehearsal(database, asked.campaign, seen, duplicates=duplicates, across=across)
        with closing(rehearsal):
            yield rehearsal


@asynccontextmanager
async def _database() -> AsyncIterator[Database]:
    settings = configured()
    database = Database(sql_url(settings.database_url.get_secret_value(), settings.data_dir))
    try:
        await database.upgrade()
        yield database
    finally:
        await database.close()


def _with_region(rules: Rules, plan: Mapping[str, Any]) -> Rules:
    """The plan's, where none was given."""
    return rules if rules.region else replace(rules, region=str(plan.get("default_region", "")))


def _errors_path(file: Path, errors: Path | None, source: Source) -> Path:
    path = errors or path_for_repair(file, source.kind)
    if path.resolve() == file.resolve():
        raise ImportFileError("--errors: expected another file than the one that is imported")
    if not path.parent.is_dir():
        raise ImportFileError(f"--errors: there is no folder {path.parent}")
    return path


@contextmanager
def _told(report: Report, dry_run: bool) -> Iterator[None]:
    """What broke off an import, and that it can be run again."""
    try:
        yield
    except (ImportFileError, CampaignMissingError, DatabaseUrlError) as error:
        raise Failure(f"{error}{_so_far(report, dry_run)}") from error
    except DatabaseAwayError as error:
        raise Failure(
            f"The database does not answer ({error}).{_so_far(report, dry_run)}"
        ) from error
    except KeyboardInterrupt as error:
        raise Failure(f"Stopped.{_so_far(report, dry_run)}") from error


def _so_far(report: Report, dry_run: bool) -> str:
    if dry_run or not report.rows:
        return ""
    return (
        f"\n{report.rows} rows were done, {report.loaded} of them loaded. Run the same import "
        "again: nobody is loaded twice."
    )


def _who() -> str:
    """Who is at this terminal, for the log."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
