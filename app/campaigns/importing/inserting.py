"""New contacts as rows of the table, the quickest way that each database has."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.campaigns.importing.checking import Contact
from app.records.tables import contacts

_COPY: Final = (
    "COPY contacts (campaign_id, number, numbers, zones, variables, consent, row, state, due_at_ms,"
    " step, attempts) FROM STDIN"
)
_encode: Final = msgspec.json.Encoder().encode


async def insert_contacts(
    connection: AsyncConnection, campaign_id: str, new: Iterable[Contact]
) -> None:
    """None of them may have a number that the campaign has."""
    if connection.dialect.name == "postgresql":
        await _copy(connection, campaign_id, new)
        return
    for group in alike(_as_row(campaign_id, contact) for contact in new):
        await connection.execute(insert(contacts), group)


async def _copy(connection: AsyncConnection, campaign_id: str, new: Iterable[Contact]) -> None:
    """Within the transaction that is open, with the driver's own connection."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    async with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        for contact in new:
            numbers, zones, variables, consent = map(_json, data_of(contact))
            row = (campaign_id, contact.number, numbers, zones, variables, consent, contact.row)
            await copy.write_row((*row, "waiting", contact.due_at_ms, 0, 0))


def data_of(contact: Contact) -> tuple[object, ...]:
    return list(contact.numbers), list(contact.zones), contact.variables, contact.consent


def alike(rows: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Those with a consent, and those without, whose column is left out: it stays as it is,
    or NULL."""
    given: list[dict[str, Any]] = []
    none: list[dict[str, Any]] = []
    for row in rows:
        if row["consent"] is None:
            del row["consent"]
            none.append(row)
        else:
            given.append(row)
    return [group for group in (given, none) if group]


def _as_row(campaign_id: str, contact: Contact) -> dict[str, Any]:
    numbers, zones, variables, consent = data_of(contact)
    return {
        "campaign_id": campaign_id,
        "number": contact.number,
        "numbers": numbers,
        "zones": zones,
        "variables": variables,
        "consent": consent,
        "row": contact.row,
        "state": "waiting",
        "due_at_ms": contact.due_at_ms,
    }


def _json(value: object) -> str | None:
    return None if value is None else _encode(value).decode()
