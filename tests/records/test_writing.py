"""The same stream written twice, in any order, by workers at once, gives the same rows; a call's
row says what its streams say together."""

import asyncio
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import insert, select

from app.call.prices import Prices
from app.records.database import Database
from app.records.rows import stream_rows
from app.records.spool import Entry
from app.records.tables import (
    attempts,
    calls,
    campaigns,
    contacts,
    evidence,
    interruptions,
    metadata,
    model_legs,
    streams,
    tool_runs,
    turns,
    usage,
)
from app.records.writing import write_after, write_call, write_stream
from tests.records.stories import (
    AT_MS,
    CALLED,
    CALLER,
    after_entry,
    after_record,
    chain,
    entry,
    timeline,
)

PRICES = Prices(1.0, 0.1, 10.0, 1.0, 4.0, 20.0)
RECORD = (evidence, calls, streams, turns, interruptions, tool_runs, model_legs, usage)


async def all_rows(database: Database) -> dict[str, list[dict[str, Any]]]:
    found = {}
    async with database.reading() as connection:
        for table in RECORD:
            rows = await connection.execute(select(table).order_by(*table.primary_key.columns))
            found[table.name] = [dict(row) for row in rows.mappings()]
    return found


async def written(database: Database, entries: Sequence[Entry]) -> None:
    for each in entries:
        async with database.writing() as connection:
            if each.kind == "after":
                await write_after(connection, each, after_record(each.call_id))
                continue
            told = timeline(each.call_id, each.stream_id)
            rows = stream_rows(each, told, lambda model: PRICES, chain())
            await write_stream(connection, each, rows)


async def test_what_stands_in_the_timeline_stands_in_the_rows(database: Database) -> None:
    await written(database, [entry()])
    found = await all_rows(database)
    [call] = found["calls"]
    assert (call["caller"], call["called"], call["direction"]) == (CALLER, CALLED, "inbound")
    assert (call["started_at_ms"], call["ended_at_ms"]) == (AT_MS, AT_MS + 5_000)
    assert (call["end_reason"], call["end_fault"]) == ("caller_hung_up", "nobody")
    paid = sum(row["cost_usd"] for row in found["usage"]) + 0.001
    assert call["cost_usd"] == pytest.approx(paid)
    assert found["streams"][0]["document"] == timeline()
    counts = {name: len(rows) for name, rows in found.items()}
    assert counts == {
        **{"calls": 1, "streams": 1, "turns": 2, "interruptions": 1, "evidence": 2},
        **{"tool_runs": 1, "model_legs": 1, "usage": 2},
    }


async def test_any_order_and_any_repetition_gives_the_same(database: Database) -> None:
    later = entry(stream_id="MZ2", at_ms=AT_MS + 60_000)
    everything = [entry(), later, after_entry()]
    expected: dict[str, list[dict[str, Any]]] | None = None
    for order in permutations(everything):
        await written(database, [*order, order[0]])
        found = await all_rows(database)
        expected = expected or found
        assert found == expected
        async with database.writing() as connection:
            await connection.execute(calls.delete())
    assert expected is not None
    [call] = expected["calls"]
    assert call["ended_at_ms"] == AT_MS + 65_000
    assert (call["summary"], call["fields"]) == ("A table was booked.", {"guests": 4})
    assert len(expected["turns"]) == 4


async def test_workers_that_write_the_same_at_once_write_it_once(database: Database) -> None:
    many = [entry(stream_id=f"MZ{n % 3}", at_ms=AT_MS + n % 3) for n in range(12)]
    await asyncio.gather(*(written(database, [each]) for each in many))
    found = await all_rows(database)
    assert (len(found["calls"]), len(found["streams"]), len(found["turns"])) == (1, 3, 6)


async def test_a_stream_that_is_written_again_loses_what_it_does_not_have_any_more(
    database: Database,
) -> None:
    await written(database, [entry()])
    async with database.writing() as connection:
        told = timeline(turns=[], transcript=[], legs=[])
        await write_stream(connection, entry(), stream_rows(entry(), told))
    found = await all_rows(database)
    assert [found[t.name] for t in (turns, interruptions, tool_runs, model_legs, usage)] == [[]] * 5


async def test_a_call_whose_worker_died_is_known(database: Database) -> None:
    async with database.writing() as connection:
        await write_call(connection, entry(at_ms=AT_MS - 5_000))
    await written(database, [entry(stream_id="MZ2")])
    [call] = (await all_rows(database))["calls"]
    assert call["started_at_ms"] == AT_MS - 5_000
    assert call["end_reason"] == "caller_hung_up"


async def test_a_call_of_a_campaign_names_its_dial(database: Database) -> None:
    """Also when the dial learns of its call after the call's first stream was written."""
    await written(database, [entry()])
    async with database.writing() as connection:
        at = {"created_at_ms": 1, "changed_at_ms": 1}
        campaign = {"campaign_id": "spring", "state": "running", "plan": {}, "plan_version": "1"}
        await connection.execute(insert(campaigns), [{**campaign, **at}])
        contact = {
            **{"contact_id": 1, "campaign_id": "spring", "number": CALLER, "numbers": []},
            **{"zones": [], "variables": {}, "row": 1, "state": "held", "due_at_ms": 1},
        }
        await connection.execute(insert(contacts), [contact])
        attempt = {
            **{"attempt_id": "a1", "contact_id": 1, "campaign_id": "spring", "ordinal": 1},
            **{"number": CALLER, "from_number": CALLED, "state": "placed", "worker": "w"},
            **{"intended_at_ms": 1, "call_id": "CA1"},
        }
        await connection.execute(insert(attempts), [attempt])
    await written(database, [entry(stream_id="MZ2")])
    [call] = (await all_rows(database))["calls"]
    assert call["attempt_id"] == "a1"


async def test_odd_texts_go_in(database: Database) -> None:
    told = timeline(end_detail="a\x00b", transcript=[])
    told["turns"][1]["tools"][0]["name"] = "x" * 500
    async with database.writing() as connection:
        await write_stream(connection, entry(), stream_rows(entry(), told))
    found = await all_rows(database)
    assert found["calls"][0]["end_detail"] == "a\ufffdb"
    assert len(found["tool_runs"][0]["name"]) == 128


def test_every_table_of_the_record_is_compared_here() -> None:
    hanging = {t.name for t in metadata.sorted_tables if "stream_id" in t.c or t is calls}
    assert hanging == {t.name for t in RECORD}
