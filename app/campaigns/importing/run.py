"""One import, from an open file to a report."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Protocol

from sqlalchemy import insert

from app.campaigns.importing.checking import Contact, Fault, RowChecker
from app.campaigns.importing.loading import BATCH_ROWS, Duplicates, Fate
from app.campaigns.importing.repairing import Repair
from app.campaigns.importing.report import Report
from app.campaigns.importing.rows import Row, Source
from app.records.database import Database
from app.records.tables import campaign_log

Progress = Callable[[int], None]
"""Told the bytes that were read so far."""


class Loading(Protocol):
    async def load(self, batch: list[Contact]) -> list[Fate]: ...


async def import_rows(
    source: Source,
    checker: RowChecker,
    loader: Loading,
    repair: Repair,
    *,
    duplicates: Duplicates = "skip",
    report: Report | None = None,
    on_progress: Progress = lambda _: None,
) -> Report:
    """Every row of `source` is loaded, counted as a duplicate, or in `repair`. `report`: filled as
    it goes, for whoever is interrupted. Raises `ImportFileError`, `DatabaseAwayError`,
    `CampaignMissingError`; batches before that stay, and the same import can be run again."""
    told = report if report is not None else Report()
    rows = source.rows()
    try:
        while batch := list(islice(rows, BATCH_ROWS)):
            await _batch(batch, checker, loader, repair, duplicates, told)
            on_progress(source.read_bytes())
        repair.close()
    finally:
        repair.abandon()
    return told


async def _batch(
    batch: list[Row],
    checker: RowChecker,
    loader: Loading,
    repair: Repair,
    duplicates: Duplicates,
    report: Report,
) -> None:
    """Faults are written in the order of the rows, once the batch is committed."""
    good: list[Contact] = []
    wrong: dict[int, tuple[Fault, ...]] = {}
    for row in batch:
        checked = checker.check(row)
        if isinstance(checked, Contact):
            good.append(checked)
        else:
            wrong[row.number] = checked
    fates = await loader.load(good) if good else []
    for contact, fate in zip(good, fates, strict=True):
        if fault := _duplicate(contact, fate) if duplicates == "error" else None:
            wrong[contact.row] = (fault,)
        else:
            report.add_fate(contact, fate)
    for row in _those(batch, wrong):
        repair.add(row, wrong[row.number])
        report.add_faults(wrong[row.number])
    report.rows += len(batch)


def _those(batch: list[Row], wrong: dict[int, tuple[Fault, ...]]) -> Iterator[Row]:
    return (row for row in batch if row.number in wrong)


def _duplicate(contact: Contact, fate: Fate) -> Fault | None:
    """One that says what stands there already is none: the import may be run a second time."""
    if fate.kind == "again_in_file":
        why = f"expected each number once, got that of row {fate.of_row} again: remove one"
    elif fate.kind == "in_campaign" and not fate.same:
        why = "expected a number that the campaign does not have: remove it, or --duplicates update"
    else:
        return None
    return Fault(contact.row, "", contact.number, why)


async def note_import(
    database: Database, campaign_id: str, report: Report, *, by: str, file: str, now_ms: int
) -> None:
    """An entry in the campaign's log."""
    entry = {
        "campaign_id": campaign_id,
        "at_ms": now_ms,
        "by": by,
        "what": "import",
        "detail": {"file": file, **report.as_json()},
    }
    async with database.writing() as connection:
        await connection.execute(insert(campaign_log), entry)
