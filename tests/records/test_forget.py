"""Nothing of a forgotten person is left in any row; nobody else loses anything; what the law needs
stays."""

import json

import pytest
from sqlalchemy import insert, select

from app.records.database import Database
from app.records.forget import FORGOTTEN, Forgotten, forget
from app.records.rows import stream_rows
from app.records.tables import attempts, campaigns, contacts, do_not_call, metadata
from app.records.writing import write_stream
from tests.records.stories import CALLED, CALLER, chain, entry, timeline

OTHER, SECOND = "+15550100009", "+15550100007"
OURS = CALLED


async def fill(database: Database) -> None:
    """CALLER called us, was called by us, and is in a campaign; so is somebody else."""
    told = (
        entry("CA1", "MZ1"),
        entry("CA2", "MZ2", direction="outbound", caller=OURS, called=CALLER),
        entry("CA3", "MZ3", caller=OTHER),
        entry("CA4", "MZ4", caller=f"sip:{CALLER}@example.com"),
        entry("CA5", "MZ5", direction="outbound", caller=OURS, called=SECOND),
    )
    for each in told:
        document = timeline(each.call_id, each.stream_id, direction=each.direction)
        async with database.writing() as connection:
            rows = stream_rows(each, document, chain=chain())
            await write_stream(connection, each, rows)
    async with database.writing() as connection:
        at = {"created_at_ms": 1, "changed_at_ms": 1}
        campaign = {"campaign_id": "spring", "state": "running", "plan": {}, "plan_version": "1"}
        await connection.execute(insert(campaigns), [{**campaign, **at}])
        people = ((1, SECOND, [CALLER, SECOND]), (2, OTHER, [OTHER]))
        await connection.execute(insert(contacts), [_contact(*person) for person in people])
        dials = (("a1", 1, 1, SECOND, "CA5"), ("a2", 1, 2, CALLER, None), ("a3", 2, 1, OTHER, None))
        await connection.execute(insert(attempts), [_attempt(*dial) for dial in dials])
        listed = [{"number": n, "source": "own", "at_ms": 1, "note": f"of {n}"} for n in (CALLER,)]
        await connection.execute(insert(do_not_call), listed)


def _contact(contact_id: int, number: str, numbers: list[str]) -> dict[str, object]:
    return {
        **{"contact_id": contact_id, "campaign_id": "spring", "number": number},
        **{"numbers": numbers, "zones": [], "variables": {"name": number}, "row": contact_id},
        **{"consent": {"source": number}, "state": "waiting", "due_at_ms": 1},
    }


def _attempt(
    attempt_id: str, contact_id: int, ordinal: int, number: str, call_id: str | None
) -> dict[str, object]:
    return {
        **{"attempt_id": attempt_id, "contact_id": contact_id, "campaign_id": "spring"},
        **{"ordinal": ordinal, "number": number, "from_number": OURS, "state": "ended"},
        **{"intended_at_ms": 1, "worker": "w", "call_id": call_id, "detail": f"rang {number}"},
    }


async def whole(database: Database) -> dict[str, str]:
    """Each table as a text."""
    found = {}
    async with database.reading() as connection:
        for table in metadata.sorted_tables:
            rows = (await connection.execute(select(table))).mappings()
            found[table.name] = json.dumps([dict(row) for row in rows])
    return found


async def forgotten(database: Database, address: str, *, keep_evidence: bool = False) -> Forgotten:
    async with database.writing() as connection:
        return await forget(connection, address, keep_evidence=keep_evidence)


async def test_nothing_of_the_person_is_left(database: Database) -> None:
    await fill(database)
    done = await forgotten(database, CALLER)
    left = await whole(database)
    assert CALLER in left.pop("do_not_call")
    everywhere = "".join(left.values())
    for word in (CALLER, SECOND, '"CA1"', '"CA2"', '"CA4"', "MZ1", "MZ2"):
        assert word not in everywhere.replace('"call_id": "CA5"', ""), word
    assert done.call_ids == ("CA1", "CA2", "CA4", "CA5")
    assert done.deleted["calls"] == 4
    assert done.deleted["turns"] == 8
    assert done.deleted["evidence"] == 8
    assert done.blanked == {"contacts": 1, "attempts": 2}
    assert done.kept == {"do_not_call": 1}


async def test_nobody_else_loses_anything(database: Database) -> None:
    await fill(database)
    async with database.reading() as connection:
        others = select(contacts).where(contacts.c.number == OTHER)
        before = (await connection.execute(others)).all()
    await forgotten(database, CALLER)
    left = await whole(database)
    assert len(json.loads(left["calls"])) == 1
    assert len(json.loads(left["turns"])) == 2
    async with database.reading() as connection:
        assert (await connection.execute(others)).all() == before
        dials = select(attempts.c.detail).where(attempts.c.number == OTHER)
        assert (await connection.execute(dials)).scalars().all() == [f"rang {OTHER}"]


async def test_a_forgotten_contact_is_never_dialled_and_that_it_was_is_known(
    database: Database,
) -> None:
    await fill(database)
    await forgotten(database, CALLER)
    async with database.reading() as connection:
        query = select(contacts).where(contacts.c.contact_id == 1)
        [contact] = (await connection.execute(query)).mappings()
        assert (contact["state"], contact["number"]) == ("never", f"{FORGOTTEN}:1")
        assert (contact["variables"], contact["consent"]) == ({}, None)
        dials = select(attempts.c.number, attempts.c.state).where(attempts.c.contact_id == 1)
        assert (await connection.execute(dials)).all() == [(FORGOTTEN, "ended")] * 2


async def test_our_own_number_forgets_no_one(database: Database) -> None:
    await fill(database)
    before = await whole(database)
    done = await forgotten(database, OURS)
    assert done.call_ids == ()
    assert await whole(database) == before


async def test_a_like_pattern_is_no_pattern(database: Database) -> None:
    await fill(database)
    assert (await forgotten(database, "+1555010000_")).call_ids == ()
    assert (await forgotten(database, "%")).call_ids == ()


@pytest.mark.parametrize("keep", [True, False])
async def test_evidence_stays_where_it_is_wanted(database: Database, keep: bool) -> None:
    await fill(database)
    done = await forgotten(database, CALLER, keep_evidence=keep)
    left = json.loads((await whole(database))["evidence"])
    assert len(left) == (10 if keep else 2)
    assert done.kept.get("evidence") == (8 if keep else None)


async def test_once_more_finds_nothing(database: Database) -> None:
    await fill(database)
    await forgotten(database, CALLER)
    again = await forgotten(database, CALLER)
    assert again.call_ids == ()
    assert not any(again.deleted.values())
    assert again.blanked == {"contacts": 0, "attempts": 0}
