"""No row is lost: each is loaded, a duplicate, or in the file for repair, in whatever order they
come, also where an import is killed in its middle and run again."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.campaigns.importing import run
from app.campaigns.importing.checking import Contact, RowChecker, Rules
from app.campaigns.importing.columns import columns_of
from app.campaigns.importing.loading import Duplicates, Fate, Loader
from app.campaigns.importing.opening import open_source
from app.campaigns.importing.repairing import Repair, path_for_repair
from app.campaigns.importing.report import MOST_EXAMPLES, MOST_KINDS, Report
from app.campaigns.importing.rows import Row
from app.campaigns.importing.run import import_rows, note_import
from app.records.database import Database, DatabaseAwayError
from app.records.tables import campaign_log, contacts
from tests.campaigns.importing.conftest import NOW_MS

ROOT = Path(__file__).parents[3]


async def imported(
    path: Path, loader: Any, duplicates: Duplicates = "skip"
) -> tuple[Report, Path, list[int]]:
    """The report, where its repairs are, and the progress that was told."""
    source = open_source(path)
    told: list[int] = []
    try:
        report = await import_rows(
            source,
            RowChecker(columns_of(source.headers), Rules(region="US"), NOW_MS),
            loader,
            repair := Repair(path_for_repair(path, source.kind), source),
            duplicates=duplicates,
            on_progress=told.append,
        )
    finally:
        source.close()
    return report, repair.path, told


async def into(database: Database, path: Path, duplicates: Duplicates = "skip") -> Any:
    loader = Loader(database, "spring", duplicates=duplicates)
    await loader.begin()
    return await imported(path, loader, duplicates)


async def count(database: Database) -> int:
    async with database.reading() as connection:
        counted = await connection.execute(select(func.count()).select_from(contacts))
        return counted.scalar_one()


@pytest.mark.usefixtures("spring")
async def test_what_is_wrong_is_mended_and_imported(
    database: Database, written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH_ROWS", 2)
    path = written("phone,name\n911,Ada\n2125550100,Bob\n212555010,Cy\n2125550100,Dee\n")
    report, repair, told = await into(database, path)
    assert report.as_json() == {
        **{"rows": 4, "loaded": 1, "updated": 0, "again_in_file": 1},
        **{"in_campaign": 0, "elsewhere": 0, "invalid": 2},
    }
    assert report.adds_up
    assert told[-1] == path.stat().st_size
    mended = repair.read_text("utf-8-sig").replace(",911,", ",2125550111,")
    repair.write_text(mended.replace(",212555010,", ",2125550112,"))
    report, again, _ = await into(database, repair)
    assert (report.rows, report.loaded) == (2, 2)
    assert not again.exists()
    assert await count(database) == 3


@pytest.mark.usefixtures("spring")
async def test_duplicates_as_errors(database: Database, written: Callable[..., Path]) -> None:
    path = written("phone,name\n2125550100,Ada\n2125550100,Bob\n")
    report, repair, _ = await into(database, path, "error")
    assert (report.loaded, report.invalid) == (1, 1)
    assert "row 3: expected each number once, got that of row 2 again" in repair.read_text()
    changed = written("phone,name\n2125550100,Cy\n", "changed.csv")
    assert (await into(database, changed, "error"))[0].invalid == 1
    same = written("phone,name\n2125550100,Ada\n", "same.csv")
    assert (await into(database, same, "error"))[0].in_campaign == 1


class Nowhere:
    """Loads nobody, and knows each number once."""

    def __init__(self, away_after: int = 1 << 30) -> None:
        self.numbers: set[str] = set()
        self.left = away_after

    async def load(self, batch: list[Contact]) -> list[Fate]:
        self.left -= 1
        if self.left < 0:
            raise DatabaseAwayError("gone")
        fates = []
        for contact in batch:
            fates.append(Fate("again_in_file" if contact.number in self.numbers else "loaded"))
            self.numbers.add(contact.number)
        return fates


LINE = st.sampled_from(
    ["2125550100,a", "2125550101,b", "911,c", '2125550102,"open', "", ",", "x,y,z", "2125550103"]
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines=st.lists(LINE, max_size=30), mode=st.sampled_from(["skip", "update", "error"]))
async def test_every_row_is_accounted_for(
    written: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    lines: list[str],
    mode: Duplicates,
) -> None:
    monkeypatch.setattr(run, "BATCH_ROWS", 4)
    path = written("\n".join(["phone,name", *lines]))
    report, repair, _ = await imported(path, Nowhere(), mode)
    in_repair = 0
    if repair.exists():
        source = open_source(repair)
        in_repair = len(list(source.rows()))
        source.close()
        repair.unlink()
    held = sum(1 for line in lines if line.strip(","))
    assert report.rows == held
    assert report.adds_up
    assert in_repair == report.invalid


async def test_an_import_that_breaks_off_leaves_no_file_for_repair(
    written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH_ROWS", 1)
    path = written("phone\n911\n2125550100\n2125550101\n")
    with pytest.raises(DatabaseAwayError):
        await imported(path, Nowhere(away_after=1))
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.usefixtures("spring")
async def test_an_import_is_noted_in_the_campaigns_log(database: Database) -> None:
    report = Report(rows=2, loaded=1, invalid=1)
    await note_import(database, "spring", report, by="cli", file="a.csv", now_ms=NOW_MS)
    async with database.reading() as connection:
        (entry,) = (await connection.execute(select(campaign_log))).mappings()
    assert (entry["what"], entry["by"], entry["at_ms"]) == ("import", "cli", NOW_MS)
    assert entry["detail"] == {"file": "a.csv", **report.as_json()}


def test_a_report_stays_small() -> None:
    checker = RowChecker(columns_of(["phone"]), Rules(), NOW_MS)
    report = Report()
    for at in range(3 * MOST_KINDS):
        found = checker.check(Row(at, ["x"], broken=f"broken in its own way {at}"))
        assert not isinstance(found, Contact)
        report.add_faults(found)
    assert len(report.examples) == MOST_EXAMPLES
    assert len(report.faults) <= MOST_KINDS + 1
    assert sum(report.faults.values()) == report.invalid == 3 * MOST_KINDS


_KILLED = """
import asyncio, sys
from pathlib import Path
from app.campaigns.importing import run
from app.records.database import Database, sql_url
from tests.campaigns.importing.test_run import into

run.BATCH_ROWS = 50
async def main():
    database = Database(sql_url(sys.argv[1]))
    print("begins", flush=True)
    await into(database, Path(sys.argv[2]))
asyncio.run(main())
"""


@pytest.mark.usefixtures("spring")
async def test_an_import_that_is_killed_can_be_run_again(
    database: Database, database_url: str, written: Callable[..., Path]
) -> None:
    path = written("phone\n" + "".join(f"212555{at:04}\n" for at in range(9_000)))
    command = [sys.executable, "-c", _KILLED, database_url, str(path)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"begins\n"
    async with asyncio.timeout(60):
        while not await count(database):
            assert process.returncode is None
    process.kill()
    await process.wait()
    there = await count(database)
    assert there % 50 == 0, "a batch is whole or not there"
    assert there < 9_000, "it was killed too late to tell anything"
    report, _, _ = await into(database, path)
    assert (report.loaded, report.in_campaign) == (9_000 - there, there)
    assert await count(database) == 9_000
