"""A person's data is deleted when they ask for it: everything of one number.

What stays is what the law needs: that the number is not to be dialled, and of a campaign's dials
that there was one, when, and how it ended, without number or words. Evidence goes too, unless it
is kept on purpose.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, Text, and_, cast, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.records.tables import (
    attempts,
    calls,
    contacts,
    do_not_call,
    evidence,
    interruptions,
    model_legs,
    streams,
    texts,
    tool_runs,
    turns,
    usage,
)

FORGOTTEN: Final = "forgotten"
"""Stands where a number was. A contact's has its id behind it, as no two may be the same."""
PARTS: Final = (turns, interruptions, tool_runs, model_legs, usage)


@dataclass(slots=True)
class Forgotten:
    """What was done, in rows by table."""

    deleted: dict[str, int] = field(default_factory=dict)
    blanked: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    call_ids: tuple[str, ...] = ()
    """Their files must go too."""


async def forget(
    connection: AsyncConnection,
    address: str,
    more_calls: Iterable[str] = (),
    *,
    keep_evidence: bool = False,
) -> Forgotten:
    """`address`: a number in E.164 form, or an address as it stands in `calls`. `more_calls`: of
    which somebody knows that they are this person's."""
    done = Forgotten()
    people = await _contacts_of(connection, address)
    dials = or_(attempts.c.number == address, attempts.c.contact_id.in_(people))
    done.call_ids = tuple(sorted({*more_calls, *await _calls_of(connection, address, dials)}))
    await _delete_calls(connection, done, keep_evidence=keep_evidence)
    await _blank_contacts(connection, people, done)
    # `call_id` stays: status callbacks of a dial that still runs name it.
    blank = update(attempts).where(dials, attempts.c.number != FORGOTTEN)
    blank = blank.values(number=FORGOTTEN, detail=None, callback=None)
    done.blanked["attempts"] = await _changed(connection, blank)
    to_them = or_(texts.c.number == address, texts.c.contact_id.in_(people))
    done.deleted["texts"] = await _delete(connection, texts, to_them)
    listed = do_not_call.c.number == address
    done.kept["do_not_call"] = await _changed(
        connection, update(do_not_call).where(listed).values(note=None)
    )
    return done


def party_is(address: str) -> ColumnElement[bool]:
    """Calls with this person: who called us, or whom we called. Our own number is nobody's."""
    return or_(
        and_(calls.c.direction == "inbound", _same(calls.c.caller, address)),
        and_(calls.c.direction == "outbound", _same(calls.c.called, address)),
    )


def _same(column: ColumnElement[str], address: str) -> ColumnElement[bool]:
    """The number may be the user of a SIP address."""
    users = [
        column.startswith(f"{scheme}:{address}@", autoescape=True) for scheme in ("sip", "sips")
    ]
    return or_(column == address, *users)


async def _contacts_of(connection: AsyncConnection, address: str) -> list[int]:
    """A person may have several numbers in a campaign, and be in several campaigns."""
    named = cast(contacts.c.numbers, Text).contains(f'"{address}"', autoescape=True)
    theirs = select(contacts.c.contact_id).where(or_(contacts.c.number == address, named))
    return list((await connection.execute(theirs)).scalars())


async def _calls_of(
    connection: AsyncConnection, address: str, dials: ColumnElement[bool]
) -> set[str]:
    own = select(calls.c.call_id).where(party_is(address))
    dialled = select(attempts.c.call_id).where(dials)
    found = [(await connection.execute(query)).scalars().all() for query in (own, dialled)]
    return {call_id for ids in found for call_id in ids if call_id is not None}


async def _delete_calls(
    connection: AsyncConnection, done: Forgotten, *, keep_evidence: bool
) -> None:
    ids = done.call_ids
    of_calls = select(streams.c.stream_id).where(streams.c.call_id.in_(ids))
    for part in PARTS:
        done.deleted[part.name] = await _delete(connection, part, part.c.stream_id.in_(of_calls))
    for table in (streams, calls):
        done.deleted[table.name] = await _delete(connection, table, table.c.call_id.in_(ids))
    if keep_evidence:
        count = select(func.count()).where(evidence.c.call_id.in_(ids))
        done.kept["evidence"] = int((await connection.execute(count)).scalar() or 0)
    else:
        done.deleted["evidence"] = await _delete(connection, evidence, evidence.c.call_id.in_(ids))


async def _blank_contacts(
    connection: AsyncConnection, people: Sequence[int], done: Forgotten
) -> None:
    """They are never dialled again."""
    for contact_id in people:
        blank: dict[str, Any] = {
            "number": f"{FORGOTTEN}:{contact_id}",
            **{"numbers": [], "zones": [], "variables": {}, "consent": None},
            **{"state": "never", "outcome": FORGOTTEN, "why_rule": FORGOTTEN, "why": None},
            **{"worker": None, "lease_until_ms": None},
        }
        this = contacts.c.contact_id == contact_id
        await connection.execute(update(contacts).where(this).values(blank))
    done.blanked["contacts"] = len(people)


async def _delete(connection: AsyncConnection, table: Table, which: ColumnElement[bool]) -> int:
    return await _changed(connection, delete(table).where(which))


async def _changed(connection: AsyncConnection, statement: Any) -> int:
    return int((await connection.execute(statement)).rowcount)
