"""A campaign's log for eyes: when, who, what, in the words of operators."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.campaigns.store import Entry
from app.cli.campaign_room import clock
from app.cli.columns import aligned

_MOST: Final = 60
"""Characters of a value; a longer one is cut."""


def entries(found: Sequence[Entry], console: Console) -> None:
    if console.is_terminal:
        console.print(log_table(found))
        return
    rows = [(clock(each.at_ms), each.by, each.what, told_of(each)) for each in found]
    for line in aligned(rows) if rows else ():
        console.print(line, markup=False, highlight=False, soft_wrap=True, emoji=False)


def log_table(found: Sequence[Entry], now_ms: int | None = None) -> Table:
    """`now_ms`: a line for each entry, cut where it is too long, those of this day without it.
    Else all of it, in as many lines as it takes."""
    table = Table.grid(padding=(0, 2, 0, 0))
    rows = [(clock(each.at_ms, now_ms), each.by, each.what, told_of(each)) for each in found]
    for at, style in enumerate(("dim", "dim", "bold")):
        width = max((len(row[at]) for row in rows), default=0)
        table.add_column(style=style, no_wrap=True, min_width=width)
    table.add_column(overflow="fold")
    for *short, long in rows:
        told = Text(long) if now_ms is None else Text(long, no_wrap=True, overflow="ellipsis")
        table.add_row(*map(Text, short), told)
    return table


def told_of(entry: Entry) -> str:
    """What happened, in a line."""
    detail = entry.detail
    if "changed" in detail:
        changed = [f"{key} {_value(a)} → {_value(b)}" for key, (a, b) in detail["changed"].items()]
        anew = detail.get("judged_anew")
        also = [f"{anew:,} judged anew"] if anew else []
        return "; ".join([*changed, *also]) or f"{detail.get('from')} → {detail.get('to')}"
    if "from" in detail and "to" in detail:
        why = f": {detail['why']}" if detail.get("why") else ""
        return f"{detail['from']} → {detail['to']}{why}"
    return ", ".join(f"{key} {_value(value)}" for key, value in detail.items() if value != "")


def entry_data(entry: Entry) -> Mapping[str, Any]:
    return asdict(entry)


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"
