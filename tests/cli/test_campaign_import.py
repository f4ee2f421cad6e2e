"""`earshot campaign import` says what each column is, what became of every row and how to mend
what is wrong, and its exit code tells whether something is."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from app.cli.campaign_import import SOME_INVALID, import_command
from app.records.database import Database, sql_url
from app.records.tables import campaign_log, contacts
from tests.campaigns.importing.conftest import add_campaign

CONTENT = "Name,Tel. privat\nAda,2125550100\nBob,911\nCy,2125550100\n"


@pytest.fixture
def file(bare_machine: None, tmp_path: Path) -> Path:
    """A list, and a campaign for it."""

    async def prepare(database: Database) -> None:
        await database.upgrade()
        await add_campaign(database, "spring")

    with_database(prepare)
    path = tmp_path / "contacts.csv"
    path.write_text(CONTENT)
    return path


def with_database(act: Callable[[Database], Any]) -> Any:
    async def run() -> Any:
        database = Database(sql_url("", Path("earshot-data")))
        try:
            return await act(database)
        finally:
            await database.close()

    return asyncio.run(run())


def rows(table: Any) -> list[Any]:
    async def read(database: Database) -> list[Any]:
        async with database.reading() as connection:
            return list((await connection.execute(select(table))).all())

    found: list[Any] = with_database(read)
    return found


def load(*arguments: object) -> Result:
    return CliRunner().invoke(import_command, [str(each) for each in arguments])


def test_a_list_with_a_mistake(file: Path) -> None:
    result = load("spring", file)
    assert result.exit_code == SOME_INVALID, result.output
    assert [line.split(maxsplit=1) for line in result.stdout.splitlines()[:3]] == [
        ["COLUMN", "IS"],
        ["Name", "{{name}}"],
        ["Tel.", "privat  phone"],
    ]
    assert [line.split(maxsplit=1) for line in result.stdout.splitlines()[4:8]] == [
        ["1", "loaded"],
        ["1", "duplicates within the file"],
        ["1", "invalid"],
        ["3", "rows"],
    ]
    assert "row 3, Tel. privat: emergency numbers are never dialled (got '911')" in result.stderr
    assert "1 rows are in" in result.stderr
    repair = file.with_name("contacts.errors.csv")
    repair.write_text(repair.read_text("utf-8-sig").replace(",911", ",2125550101"))
    mended = load("spring", repair)
    assert mended.exit_code == 0, mended.output
    assert [row.number for row in rows(contacts)] == ["+12125550100", "+12125550101"]
    assert [entry.detail["loaded"] for entry in rows(campaign_log)] == [1, 1]


def test_a_dry_run_loads_nobody_and_notes_nothing(file: Path) -> None:
    result = load("spring", file, "--dry-run")
    assert result.exit_code == SOME_INVALID
    assert "nobody was loaded" in result.stdout
    assert "1  loaded" in result.stdout
    assert file.with_name("contacts.errors.csv").exists()
    assert rows(contacts) == rows(campaign_log) == []


def test_the_plans_region_counts_until_another_is_given(file: Path) -> None:
    file.write_text("phone\n0171 1234567\n")
    assert load("spring", file).exit_code == SOME_INVALID
    assert load("spring", file, "--region", "de").exit_code == 0
    assert [row.number for row in rows(contacts)] == ["+491711234567"]


@pytest.mark.parametrize(
    ("arguments", "content", "why"),
    [
        (("autumn",), CONTENT, "there is no campaign 'autumn'"),
        (("spring",), "name\nAda\n", "--map phone="),
        (("spring", "--map", "phone"), CONTENT, "KEY=HEADER"),
        (("spring", "--region", "Germany"), CONTENT, "two capital letters"),
        (("spring", "--sheet", "one"), CONTENT, "--sheet"),
        (("spring", "--errors", "contacts.csv"), CONTENT, "another file"),
        (("spring", "--errors", "none/e.csv"), CONTENT, "no folder"),
    ],
)
def test_what_keeps_an_import_from_beginning(
    file: Path, arguments: tuple[str, ...], content: str, why: str
) -> None:
    file.write_text(content)
    result = load(arguments[0], "contacts.csv", *arguments[1:])
    assert result.exit_code == 1, result.output
    assert why in result.stderr
    assert "Traceback" not in result.output
    assert rows(contacts) == []


def test_a_database_that_is_away(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    result = load("spring", file)
    assert result.exit_code == 1
    assert "does not answer" in result.stderr


def test_an_import_that_is_stopped_says_that_it_can_be_run_again(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.campaigns.importing.run.BATCH_ROWS", 1)

    def stop(source: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.campaigns.importing.csv_file.CsvFile.read_bytes", stop)
    result = load("spring", file)
    assert result.exit_code == 1
    assert "1 rows were done, 1 of them loaded. Run the same import again" in result.stderr


def test_numbers_are_in_no_output_but_that_of_faults(file: Path) -> None:
    file.write_text("phone\n2125550100\n")
    assert "555" not in load("spring", file).output
