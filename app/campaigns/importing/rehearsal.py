"""A dry run: what an import would do, without a change to the database."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from app.campaigns.importing.checking import Contact
from app.campaigns.importing.loading import (
    Across,
    Duplicates,
    Fate,
    Standing,
    chosen,
    elsewhere,
    fate_of,
    moved,
    plan_of,
    standing_of,
)
from app.records.database import Database

_EVERY: Final = 1 << 62
"""No contact is newer: whoever stands in the campaign was there before."""


class Rehearsal:
    """Takes the place of `Loader`. The numbers of the file are kept in a file of their own, `seen`,
    because there may be more than fit into memory."""

    def __init__(
        self,
        database: Database,
        campaign_id: str,
        seen: Path,
        *,
        duplicates: Duplicates = "skip",
        across: Across = "allow",
    ) -> None:
        self._database, self._campaign_id = database, campaign_id
        self._duplicates, self._across = duplicates, across
        self._moved: Mapping[str, str] = {}
        self._seen = sqlite3.connect(seen, isolation_level=None)
        self._seen.execute("PRAGMA synchronous=OFF")
        self._seen.execute("CREATE TABLE seen (number TEXT PRIMARY KEY, row INTEGER) WITHOUT ROWID")
        self._seen.execute("BEGIN")

    async def begin(self) -> Mapping[str, Any]:
        """As `Loader.begin`."""
        async with self._database.reading() as connection:
            plan = await plan_of(connection, self._campaign_id)
            self._moved = await moved(connection, self._campaign_id)
        return plan

    async def load(self, batch: Sequence[Contact]) -> list[Fate]:
        """As `Loader.load`, and nobody is loaded."""
        async with self._database.reading() as connection:
            await plan_of(connection, self._campaign_id)
            standing = await standing_of(connection, self._campaign_id, batch, self._moved)
            others = await elsewhere(connection, self._campaign_id, batch)
        return [
            chosen(self._found(contact, standing, others), self._duplicates, self._across)
            for contact in batch
        ]

    def close(self) -> None:
        self._seen.close()

    def _found(
        self, contact: Contact, standing: Mapping[str, Standing], others: frozenset[str]
    ) -> Fate:
        fate = fate_of(contact, {}, standing, others, _EVERY)
        if fate.kind != "loaded" or chosen(fate, self._duplicates, self._across).kind != "loaded":
            return fate
        row = self._seen.execute(
            "INSERT INTO seen VALUES (?, ?) ON CONFLICT DO UPDATE SET row = row RETURNING row",
            (contact.number, contact.row),
        ).fetchone()[0]
        return fate if row == contact.row else replace(fate, kind="again_in_file", of_row=row)
