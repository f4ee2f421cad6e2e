"""The record for eyes: a table at a terminal, plain aligned lines elsewhere, JSON for machines."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from app.cli.columns import aligned
from app.records.forget import Forgotten
from app.records.status import Status, Waiting

_KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True, slots=True)
class Removed:
    """All that `earshot records forget` did."""

    rows: Forgotten
    files: int
    webhooks: int
    waiting: int


def status_table(status: Status, waiting: Waiting) -> list[tuple[str, str]]:
    """What is called how, and how it stands."""
    rows = [
        ("database", f"{_KINDS[status.kind]}, version {status.version}"),
        *((name, f"{count:,}") for name, count in status.rows.items()),
        ("oldest call", _at(status.oldest_at_ms)),
        ("newest call", _at(status.newest_at_ms)),
    ]
    since = f", the oldest since {_at(waiting.since_ms)}" if waiting.waiting else ""
    rows.append(("waiting here", f"{waiting.waiting}{since}"))
    hint = "  (the log says why; earshot records retry)" if waiting.aside else ""
    rows.append(("put aside here", f"{waiting.aside}{hint}"))
    return rows


def shown(rows: Sequence[tuple[str, str]], console: Console) -> None:
    if not console.is_terminal:
        for line in aligned(rows):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        return
    table = Table(box=SIMPLE_HEAD, show_header=False)
    for name, value in rows:
        table.add_row(name, value, style="bold magenta" if "(the log" in value else "")
    console.print(table)


def status_json(status: Status, waiting: Waiting) -> str:
    return json.dumps({**asdict(status), **asdict(waiting)})


def removed_lines(removed: Removed) -> list[str]:
    """What went, what was blanked, what stays, and what this cannot reach."""
    rows = removed.rows
    lines = [
        *(f"deleted  {count} {name}" for name, count in rows.deleted.items() if count),
        *(f"blanked  {count} {name}" for name, count in rows.blanked.items() if count),
    ]
    others = (("files", removed.files), ("webhooks", removed.webhooks))
    lines += [f"deleted  {count} {name} on this machine" for name, count in others if count]
    if removed.waiting:
        lines.append(f"deleted  {removed.waiting} records that waited for the database")
    if not lines:
        lines.append("nothing was kept of this number")
    lines += [f"kept     {count} {name}" for name, count in rows.kept.items() if count]
    return [*lines, *_ELSEWHERE]


_ELSEWHERE = (
    "not here: other machines' files, backups, text messages, and what your systems were told;",
    "          docs/database.md says what to do about each",
)


def _at(at_ms: int | None) -> str:
    if at_ms is None:
        return "-"
    return f"{datetime.fromtimestamp(at_ms / 1_000, UTC):%Y-%m-%d %H:%M} UTC"
