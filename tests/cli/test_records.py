"""`earshot records` tells what there is, writes all of it into files, and forgets persons whole."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import earshot
from app.records.database import Database, sql_url
from app.records.rows import stream_rows
from app.records.spool import Spool
from app.records.writing import write_stream
from tests.records.stories import CALLER, entry, put_file, timeline

DATA = Path("earshot-data")


def records(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(earshot, ["records", *arguments], input=typed)


async def fill() -> None:
    database = Database(sql_url("", DATA))
    await database.upgrade()
    async with database.writing() as connection:
        await write_stream(connection, entry(), stream_rows(entry(), timeline()))
    await database.close()


@pytest.fixture
def one_call() -> None:
    asyncio.run(fill())
    for name in ("timeline.json", "events.jsonl", "recording-MZ1.wav"):
        put_file(DATA, f"calls/CA1/{name}", "x")


def test_an_empty_record_is_told() -> None:
    told = records("status")
    assert told.exit_code == 0, told.output
    assert "SQLite, version 0001" in told.output
    assert records("export").output.startswith("call_id,")
    assert records("forget", CALLER, "--yes").output.startswith("nothing was kept of this number\n")


def test_status_counts_and_warns_of_what_was_put_aside(one_call: None) -> None:
    spool = Spool(DATA)
    spool.put(entry(stream_id="MZ8"))
    spool.put(entry(stream_id="MZ9"))
    spool.put_aside("MZ9")
    told = records("status")
    assert told.exit_code == 1
    lines = {line.split("  ")[0]: line for line in told.output.splitlines()}
    assert lines["turns"].endswith("2")
    assert "1, the oldest since" in lines["waiting here"]
    assert "records retry" in lines["put aside here"]
    found = json.loads(records("status", "--json").output)
    assert (found["rows"]["calls"], found["waiting"], found["aside"]) == (1, 1, 1)
    assert records("retry").output == "1 record waits to be written\n"
    assert records("status").exit_code == 0


def test_rows_go_into_files(one_call: None, tmp_path: Path) -> None:
    [line] = records("export", "--format", "jsonl", "--table", "tool_runs").output.splitlines()
    assert json.loads(line)["name"] == "book_table"
    told = records("export", "--format", "parquet", "--out", "calls.parquet")
    assert told.output == "1 row in calls.parquet\n"
    assert (tmp_path / "calls.parquet").read_bytes()[:4] == b"PAR1"
    assert (tmp_path / "calls.parquet").stat().st_mode & 0o077 == 0
    assert not list(tmp_path.glob("*.part"))
    late = records("export", "--format", "jsonl", "--from", "2100-01-01")
    assert late.output == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export", "--format", "parquet"), "name a file with --out"),
        (("export", "--table", "contacts", "--from", "2026-01-01"), "have no time"),
        (("export", "--out", "no/such/folder/x.csv"), "No such file or directory"),
        (("forget", "nobody"), "Expected a number like"),
        (("forget", CALLER), "deleted for good"),
    ],
)
def test_what_is_wrong_is_told_plainly(arguments: tuple[str, ...], said: str) -> None:
    told = records(*arguments)
    assert told.exit_code != 0
    assert said in told.output
    assert "Traceback" not in told.output


def test_a_person_is_forgotten_rows_and_files(one_call: None) -> None:
    Spool(DATA).put(entry("CA2", "MZ2"))
    put_file(DATA, "calls/CA2/timeline.json", "x")
    put_file(DATA, "calls/CA3/timeline.json", "of somebody else")
    told = records("forget", CALLER, typed="y\n")
    assert told.exit_code == 0, told.output
    assert "deleted  1 calls" in told.output
    assert "deleted  4 files on this machine" in told.output
    assert "deleted  1 records that waited" in told.output
    left = [p.parent.name for p in DATA.glob("calls/*/*")]
    assert left == ["CA3"]
    assert Spool(DATA).count() == 0
    words = "A table for four."
    for path in DATA.glob("earshot.db*"):
        assert words.encode() not in path.read_bytes(), path
    assert "nothing was kept" in records("forget", CALLER, "--yes").output


def test_a_database_that_is_away_is_told_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/x")
    told = records("status")
    assert told.exit_code == 1
    assert "secret" not in told.output
    assert "Traceback" not in told.output
