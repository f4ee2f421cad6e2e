"""A campaign's results in a file: everybody on the list with their dials, as CSV or JSON Lines.

CSV is for spreadsheets: a line for each contact with their newest dial, or for each dial; times in
UTC; what a spreadsheet would run is guarded. JSON Lines is whole: an object for each contact with
all their dials and text messages; times in Unix ms.
"""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import IO, Any, Final, Literal, TypeAlias

from sqlalchemy import func, select

from app.campaigns.people import Contact, Dial, Text, dials_of, pages, texts_of
from app.campaigns.store import find
from app.records.cells import cell
from app.records.database import Database
from app.records.tables import contacts

Format: TypeAlias = Literal["csv", "jsonl"]
Each: TypeAlias = Literal["contact", "dial"]
PAGE: Final = 1_000
VARIABLE: Final = "var."
"""Heads of the list's own columns begin so."""
OF_CONTACT: Final = (
    "contact_id", "row", "number", "state", "outcome", "attempts", "due_at", "why_rule", "why",
    "why_at",
)  # fmt: skip
OF_DIAL: Final = (
    "ordinal", "dialled", "from_number", "intended_at", "answered_at", "answered_by",
    "first_audio_at", "ended_at",
    "dial_outcome", "detail", "abandoned", "call_id", "disposition", "summary", "cost_usd",
)  # fmt: skip
_NAMED: Final = {"dialled": "number", "dial_outcome": "outcome"}
"""Heads that are called otherwise in a dial."""


@dataclass(frozen=True, slots=True)
class _Page:
    """Dials and texts by the id of their contact."""

    people: Sequence[Contact]
    dials: Mapping[int, Sequence[Dial]]
    texts: Mapping[int, Sequence[Text]]


_Write: TypeAlias = Callable[[_Page], None]


async def export(
    database: Database,
    campaign_id: str,
    format_: Format,
    file: IO[bytes],
    each: Each = "contact",
    progress: Callable[[int], None] = lambda count: None,
) -> int:
    """How many contacts were written. `progress`: is told how many since it was told last.

    Raises `NoCampaignError`; writing blocks and raises `OSError`.
    """
    await find(database, campaign_id)
    names = await variable_names(database, campaign_id) if format_ == "csv" else ()
    write = _csv_writer(file, names, each) if format_ == "csv" else _jsonl_writer(file)
    count = 0
    async for page in _pages(database, campaign_id):
        write(page)
        count += len(page.people)
        progress(len(page.people))
    return count


async def variable_names(database: Database, campaign_id: str) -> Sequence[str]:
    """Of all columns that the list's contacts brought along, in order."""
    if database.kind == "sqlite":
        keys = func.json_each(contacts.c.variables).table_valued("key")
        query = (
            select(keys.c.key).select_from(contacts).join(keys, contacts.c.variables.is_not(None))
        )
    else:
        query = select(func.jsonb_object_keys(contacts.c.variables))
    async with database.reading() as connection:
        here = query.where(contacts.c.campaign_id == campaign_id).distinct()
        return sorted((await connection.execute(here)).scalars())


async def _pages(database: Database, campaign_id: str) -> AsyncIterator[_Page]:
    async for people in pages(database, campaign_id, size=PAGE):
        ids = [contact.contact_id for contact in people]
        async with database.reading() as connection:
            dials = await dials_of(connection, ids)
            texts = await texts_of(connection, ids)
        yield _Page(people, dials, texts)


def _jsonl_writer(file: IO[bytes]) -> _Write:
    def write(page: _Page) -> None:
        for contact in page.people:
            made = asdict(contact)
            for name, of in (("dials", page.dials), ("texts", page.texts)):
                made[name] = [asdict(each) for each in of.get(contact.contact_id, ())]
                for each in made[name]:
                    del each["contact_id"]
            file.write(json.dumps(made, ensure_ascii=False).encode() + b"\n")

    return write


def _csv_writer(file: IO[bytes], names: Sequence[str], each: Each) -> _Write:
    heads = [*OF_CONTACT, *(cell(f"{VARIABLE}{name}") for name in names), *OF_DIAL]
    _write_lines(file, [heads])

    def write(page: _Page) -> None:
        lines = []
        for contact in page.people:
            first = [_cell(contact, name) for name in OF_CONTACT]
            first += [cell(contact.variables.get(name)) for name in names]
            made: Sequence[Dial | None] = page.dials.get(contact.contact_id) or [None]
            for dial in made if each == "dial" else made[-1:]:
                lines.append([*first, *(_cell(dial, _NAMED.get(name, name)) for name in OF_DIAL)])
        _write_lines(file, lines)

    return write


def _write_lines(file: IO[bytes], lines: Sequence[Sequence[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(lines)
    file.write(text.getvalue().encode())


def _cell(row: object | None, name: str) -> str:
    """A time stands in the row as `name` with "_ms"."""
    if name.endswith("_at"):
        at_ms: Any = getattr(row, f"{name}_ms", None)
        return "" if at_ms is None else _iso(at_ms)
    return cell(getattr(row, name, None))


def _iso(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1_000, UTC):%Y-%m-%dT%H:%M:%SZ}"
