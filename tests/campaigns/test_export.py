"""Everybody on the list stands in the file with what came of their dials, whatever the list's
columns were called, and nothing in a cell runs in a spreadsheet."""

import csv
import io
import json
from typing import Any

import pytest
from sqlalchemy import update

from app.campaigns import export as exporting
from app.campaigns.export import Each, export, variable_names
from app.campaigns.store import NoCampaignError
from app.records.database import Database
from app.records.tables import contacts
from tests.campaigns.lists import NOW_MS, dialled, listed, made, number, spoken


async def as_csv(database: Database, each: Each = "contact") -> list[dict[str, str]]:
    file = io.BytesIO()
    await export(database, "spring", "csv", file, each)
    return list(csv.DictReader(io.StringIO(file.getvalue().decode(), newline="")))


async def one_with_two_dials(database: Database) -> None:
    await made(database)
    await listed(database, 2)
    await dialled(database, 1)
    second = await dialled(database, 1, 2, outcome="answered", answered_at_ms=NOW_MS)
    await spoken(database, second, disposition="booked", cost_usd=0.25, summary="Came, saw.")


async def test_a_line_for_each_contact_has_the_newest_dial(database: Database) -> None:
    await one_with_two_dials(database)
    first, second = await as_csv(database)
    assert first["number"] == number(1)
    assert first["row"] == "2"
    assert first["var.first_name"] == "Ada"
    assert (first["ordinal"], first["dial_outcome"]) == ("2", "answered")
    assert first["answered_at"] == "2026-11-18T11:06:40Z"
    assert (first["disposition"], first["cost_usd"]) == ("booked", "0.25")
    assert first["summary"] == "Came, saw."
    assert second["number"] == number(2)
    assert {second[name] for name in exporting.OF_DIAL} == {""}


async def test_a_line_for_each_dial_leaves_nobody_out(database: Database) -> None:
    await one_with_two_dials(database)
    lines = await as_csv(database, "dial")
    assert [(line["number"], line["dial_outcome"]) for line in lines] == [
        (number(1), "no_answer"),
        (number(1), "answered"),
        (number(2), ""),
    ]


async def test_json_lines_are_whole(database: Database) -> None:
    await one_with_two_dials(database)
    file = io.BytesIO()
    assert await export(database, "spring", "jsonl", file) == 2
    first, second = map(json.loads, file.getvalue().splitlines())
    assert [dial["outcome"] for dial in first["dials"]] == ["no_answer", "answered"]
    assert first["consent"] == {"given": "2026-01-02", "source": "web form"}
    assert first["dials"][1]["answered_at_ms"] == NOW_MS
    assert second["dials"] == []


@pytest.mark.parametrize("evil", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1"])
async def test_nothing_runs_in_a_spreadsheet(database: Database, evil: str) -> None:
    await made(database)
    await listed(database, 1, variables={"=name": evil}, why=evil)
    (line,) = await as_csv(database)
    assert line["why"] == line["var.=name"] == f"'{evil}"
    assert line["number"] == number(1)


async def test_columns_are_those_that_anybody_has(database: Database) -> None:
    await made(database)
    await made(database, "autumn")
    await listed(database, 3)
    await listed(database, 1, "autumn", variables={"order": "7"})
    async with database.writing() as connection:
        values: dict[str, Any] = {"variables": {"number": "x", "state": "y\n"}}
        here = contacts.c.contact_id == 2
        await connection.execute(update(contacts).where(here).values(values))
    assert await variable_names(database, "spring") == ["first_name", "number", "state"]
    _, second, _ = await as_csv(database)
    assert (second["var.number"], second["var.state"]) == ("x", "y\n")
    assert second["number"] == number(2)


async def test_it_goes_by_pages(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 2)
    await made(database)
    await listed(database, 5)
    told: list[int] = []
    file = io.BytesIO()
    assert await export(database, "spring", "csv", file, progress=told.append) == 5
    assert told == [2, 2, 1]
    assert len(file.getvalue().splitlines()) == 6


async def test_a_campaign_that_is_not_there_is_told(database: Database) -> None:
    with pytest.raises(NoCampaignError):
        await export(database, "spring", "csv", io.BytesIO())
