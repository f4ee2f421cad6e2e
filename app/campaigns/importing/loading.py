"""Contacts into the database, a batch in a transaction.

A batch is whole or not there at all, and the database itself allows a number once in a campaign: an
import that was killed can be run again from the beginning.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.campaigns.importing.checking import Contact
from app.campaigns.importing.inserting import alike, data_of, insert_contacts
from app.campaigns.states import CampaignState
from app.records.database import Database
from app.records.tables import campaigns, contacts

BATCH_ROWS: Final = 2_000
Duplicates: TypeAlias = Literal["skip", "update", "error"]
"""A number that the campaign has already. skip: it stays as it is; update: it becomes as the file
says, but what became of its calls stays; error: the row is one for repair."""
Across: TypeAlias = Literal["allow", "skip"]
"""A number that another campaign, which is not over, has too. Caps hold across campaigns anyway."""
FateKind: TypeAlias = Literal["loaded", "updated", "again_in_file", "in_campaign", "elsewhere"]

_OVER: Final = (CampaignState.STOPPED, CampaignState.COMPLETED)


class CampaignMissingError(LookupError):
    """The operator's input: there is no such campaign, or it takes no contacts any more."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a row. `of_row`: the row of this file that had its number first. `same`: what
    stands in the campaign is what the row says. `also_elsewhere`: another campaign has it too."""

    kind: FateKind
    of_row: int = 0
    same: bool = False
    also_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A contact that the campaign has. `data`: its numbers, zones, variables, consent."""

    contact_id: int
    row: int
    data: tuple[object, ...]


class Loader:
    """`await begin()` first. One import of a campaign at a time: others wait, batch by batch."""

    def __init__(
        self,
        database: Database,
        campaign_id: str,
        *,
        duplicates: Duplicates = "skip",
        across: Across = "allow",
    ) -> None:
        self._database, self._campaign_id = database, campaign_id
        self._duplicates, self._across = duplicates, across
        self._newest = 0
        """The newest contact before this import."""
        self._moved: Mapping[str, str] = {}

    async def begin(self) -> Mapping[str, Any]:
        """The campaign's plan. Raises `CampaignMissingError`, `DatabaseAwayError`."""
        newest = select(func.max(contacts.c.contact_id)).where(
            contacts.c.campaign_id == self._campaign_id
        )
        async with self._database.reading() as connection:
            plan = await plan_of(connection, self._campaign_id)
            self._newest = (await connection.execute(newest)).scalar() or 0
            self._moved = await moved(connection, self._campaign_id)
        return plan

    async def load(self, batch: Sequence[Contact]) -> list[Fate]:
        """What became of each, in order. Raises `DatabaseAwayError`: then none was loaded, unless
        the commit itself broke off."""
        async with self._database.writing() as connection:
            await plan_of(connection, self._campaign_id, lock=True)
            standing = await standing_of(connection, self._campaign_id, batch, self._moved)
            others = await elsewhere(connection, self._campaign_id, batch)
            fates, new, changed = self._sorted(batch, standing, others)
            if new:
                await insert_contacts(connection, self._campaign_id, new.values())
            changes = [_as_change(standing[n], contact) for n, contact in changed.items()]
            for group in alike(changes):
                await connection.execute(_UPDATE, group)
        return fates

    def _sorted(
        self, batch: Sequence[Contact], standing: Mapping[str, Standing], others: frozenset[str]
    ) -> tuple[list[Fate], dict[str, Contact], dict[str, Contact]]:
        """What becomes of each; whom to insert, whom to change."""
        fates: list[Fate] = []
        new: dict[str, Contact] = {}
        changed: dict[str, Contact] = {}
        for contact in batch:
            number = contact.number
            found = fate_of(contact, new, standing, others, self._newest)
            fate = chosen(found, self._duplicates, self._across)
            if fate.kind == "updated" and number not in new:
                changed[number] = contact
            elif fate.kind in ("loaded", "updated"):
                new[number] = contact
            fates.append(fate)
        return fates, new, changed


def fate_of(
    contact: Contact,
    new: Mapping[str, Contact],
    standing: Mapping[str, Standing],
    others: frozenset[str],
    newest: int,
) -> Fate:
    """Before any choice of the operator. `new`: those of the batch that come before it."""
    number = contact.number
    also = number in others
    if first := new.get(number):
        return Fate("again_in_file", first.row, also_elsewhere=also)
    if there := standing.get(number):
        if there.contact_id > newest:
            return Fate("again_in_file", there.row, also_elsewhere=also)
        return Fate("in_campaign", 0, there.data == data_of(contact), also)
    return Fate("loaded", also_elsewhere=also)


def chosen(fate: Fate, duplicates: Duplicates, across: Across) -> Fate:
    """What becomes of it by the operator's choice."""
    if fate.kind in ("again_in_file", "in_campaign") and duplicates == "update":
        return replace(fate, kind="updated", of_row=0)
    if fate.kind == "loaded" and fate.also_elsewhere and across == "skip":
        return replace(fate, kind="elsewhere")
    return fate


async def plan_of(
    connection: AsyncConnection, campaign_id: str, *, lock: bool = False
) -> Mapping[str, Any]:
    """`lock`: nobody else changes the campaign until the transaction ends. Raises
    `CampaignMissingError`."""
    found = select(campaigns.c.state, campaigns.c.plan).where(
        campaigns.c.campaign_id == campaign_id
    )
    # FOR NO KEY UPDATE: those who only refer to the campaign need not wait.
    asked = found.with_for_update(key_share=True) if lock else found
    row = (await connection.execute(asked)).one_or_none()
    if row is None:
        raise CampaignMissingError(f"there is no campaign {campaign_id!r}")
    if row.state == CampaignState.STOPPED:
        raise CampaignMissingError(
            f"expected a campaign that goes on, got {campaign_id!r}, which was stopped for good"
        )
    plan = row.plan
    return plan if isinstance(plan, Mapping) else {}


async def moved(connection: AsyncConnection, campaign_id: str) -> dict[str, str]:
    """First numbers of contacts that are dialled at another of theirs by now -> that one."""
    first = contacts.c.numbers[0].as_string()
    asked = select(first, contacts.c.number).where(
        contacts.c.campaign_id == campaign_id,
        contacts.c.attempts > 0,
        first != contacts.c.number,
    )
    return {was: now for was, now in await connection.execute(asked)}


async def standing_of(
    connection: AsyncConnection,
    campaign_id: str,
    batch: Sequence[Contact],
    moved: Mapping[str, str],
) -> dict[str, Standing]:
    """Contacts of the campaign that have a number of the batch, by that number."""
    wanted = {one.number for one in batch}
    others = {moved[number]: number for number in wanted if number in moved}
    c = contacts.c
    asked = select(c.number, c.contact_id, c.row, c.numbers, c.zones, c.variables, c.consent).where(
        c.campaign_id == campaign_id, c.number.in_(_padded(wanted | others.keys()))
    )
    standing: dict[str, Standing] = {}
    for row in (await connection.execute(asked)).all():
        data = (row.numbers, row.zones, row.variables, row.consent)
        for number in {row.number, others.get(row.number, row.number)}:
            standing[number] = Standing(row.contact_id, row.row, data)
    return standing


async def elsewhere(
    connection: AsyncConnection, campaign_id: str, batch: Sequence[Contact]
) -> frozenset[str]:
    """Numbers of the batch that other campaigns have, which are not over."""
    other = select(campaigns.c.campaign_id).where(
        campaigns.c.campaign_id != campaign_id, campaigns.c.state.not_in(_OVER)
    )
    names = (await connection.execute(other)).scalars().all()
    if not names:
        return frozenset()
    asked = select(contacts.c.number).where(
        contacts.c.campaign_id.in_(names),
        contacts.c.number.in_(_padded({one.number for one in batch})),
    )
    return frozenset((await connection.execute(asked)).scalars())


def _padded(numbers: Set[str]) -> list[str]:
    """With one of them again and again, so that all batches are the same statement: drivers keep
    every different one."""
    filled = sorted(numbers)
    return filled + filled[-1:] * ((1 << (len(filled) - 1).bit_length()) - len(filled))


def _as_change(standing: Standing, contact: Contact) -> dict[str, Any]:
    """A file without a consent takes none back."""
    numbers, zones, variables, consent = data_of(contact)
    return {
        "its_id": standing.contact_id,
        "numbers": numbers,
        "zones": zones,
        "variables": variables,
        "consent": consent,
        "row": contact.row,
    }


_UPDATE: Final = update(contacts).where(contacts.c.contact_id == bindparam("its_id"))
