"""Every row within the time is in the file once, in order, in each format; memory holds some."""

import csv
import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import insert

from app.records.database import Database
from app.records.export import BATCH, TABLES, ExportError, Format, batches, export, exported
from app.records.rows import stream_rows
from app.records.tables import calls, metadata
from app.records.writing import write_stream
from tests.records.stories import AT_MS, CALLER, chain, entry, timeline


async def fill(database: Database, count: int = 3) -> None:
    for n in range(count):
        each = entry(f"CA{n}", f"MZ{n}", at_ms=AT_MS + n)
        rows = stream_rows(each, timeline(f"CA{n}", f"MZ{n}", end_detail="=1+1"), chain=chain())
        async with database.writing() as connection:
            await write_stream(connection, each, rows)


Row = dict[str, Any]


async def read(database: Database, format_: Format, name: str, **given: int) -> list[Row]:
    file = io.BytesIO()
    count = await export(database, exported(name, **given), format_, file)
    file.seek(0)
    found: list[Row]
    match format_:
        case "csv":
            found = list(csv.DictReader(io.StringIO(file.read().decode(), newline="")))
        case "jsonl":
            found = [json.loads(line) for line in file.read().splitlines()]
        case "parquet":
            found = pq.read_table(file).to_pylist()
    assert count == len(found)
    return found


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet"])
async def test_every_table_in_every_format(database: Database, format_: Format) -> None:
    await fill(database)
    for name in TABLES:
        found = await read(database, format_, name)
        wanted = {"calls": 3, "streams": 3, "turns": 6, "interruptions": 3, "tool_runs": 3}
        wanted |= {"model_legs": 3, "usage": 6, "evidence": 6}
        assert len(found) == wanted.get(name, 0), name
    assert len(TABLES) == len(metadata.tables)


async def test_values_come_through(database: Database) -> None:
    await fill(database, 1)
    [line] = await read(database, "jsonl", "calls")
    [row] = await read(database, "csv", "calls")
    [column] = await read(database, "parquet", "calls")
    assert (line["caller"], line["started_at_ms"], line["end_detail"]) == (CALLER, AT_MS, "=1+1")
    assert (row["caller"], row["started_at_ms"], row["end_detail"]) == (CALLER, str(AT_MS), "'=1+1")
    assert (column["started_at_ms"], column["summary"]) == (AT_MS, None)
    [stream] = await read(database, "parquet", "streams")
    assert json.loads(stream["document"])["call_id"] == "CA0"


async def test_what_hangs_on_a_stream_names_its_call(database: Database) -> None:
    await fill(database)
    found = await read(database, "jsonl", "turns", from_ms=AT_MS + 1, to_ms=AT_MS + 2)
    assert [(row["call_id"], row["began_at_ms"], row["turn"]) for row in found] == [
        ("CA1", AT_MS + 1, 1),
        ("CA1", AT_MS + 1, 2),
    ]


async def test_rows_come_in_parts(database: Database) -> None:
    rows = [
        {"call_id": f"CA{n:05}", "direction": "inbound", "agent": "desk", "started_at_ms": n}
        for n in range(2 * BATCH + 1)
    ]
    async with database.writing() as connection:
        await connection.execute(insert(calls), rows)
    sizes = [len(part) async for part in batches(database, exported("calls"))]
    assert sizes == [BATCH, BATCH, 1]


async def test_an_empty_file_has_its_head(database: Database) -> None:
    file = io.BytesIO()
    assert await export(database, exported("calls"), "csv", file) == 0
    assert file.getvalue().decode().startswith("call_id,direction,agent,")


def test_what_does_not_exist_is_told() -> None:
    with pytest.raises(ExportError, match="expected one of abandonment"):
        exported("secrets")
    with pytest.raises(ExportError, match="have no time"):
        exported("contacts", from_ms=1)
