"""What `earshot campaign import` shows: the progress, and what became of every row."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from app.campaigns.importing.report import Report
from app.cli.columns import aligned

MOST_REASONS = 10


@contextmanager
def progress_of(total_bytes: int) -> Iterator[Callable[[int], None]]:
    """A bar of the bytes read; on a terminal only."""
    console = Console(stderr=True)
    parts = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*parts, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("import", total=total_bytes)
        yield lambda read_bytes: progress.update(task, completed=read_bytes)


def counts(report: Report, *, dry_run: bool) -> Iterator[str]:
    """Every row once, then what else is to be known of those that were loaded."""
    if dry_run:
        yield "Dry run: nobody was loaded. An import would say:"
    parts = [(what, count) for what, count in report.parts() if count or what == "loaded"]
    yield from aligned([(f"{count:>9}", what) for what, count in [*parts, ("rows", report.rows)]])
    for count, what in (
        (report.also_elsewhere, "in another campaign too"),
        (report.no_zone, "without a known time zone, so not dialled: a column timezone says it"),
        (report.no_consent, "without a record of consent: columns consent_date, consent_source"),
    ):
        if count:
            yield f"note: of those loaded, {count} are {what}"
    for what, count in sorted(report.mended.items()):
        yield f"warning: {count} numbers were mended: {what}"


def faults(report: Report, repair: Path) -> Iterator[str]:
    """The first of them, the most frequent reasons if there are more, and where the rows are."""
    for fault in report.examples:
        value = fault.value.encode(errors="replace").decode()
        yield f"{fault} (got {value!r})" if value else str(fault)
    if sum(report.faults.values()) > len(report.examples):
        yield "… and others. In all:"
        most = report.faults.most_common(MOST_REASONS)
        yield from aligned([(f"{n:>9}", column, reason) for (column, reason), n in most])
    yield f"{report.invalid} rows are in {repair}: mend them there, and import that file."
