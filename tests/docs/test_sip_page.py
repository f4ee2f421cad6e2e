"""Invariant: the pages of SIP and of numbers hold every key with its default, their examples can be
loaded, and what they show is what the commands print."""

import dataclasses
import io
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from app.agents import load_agent
from app.cli.provisioning_view import show_plan
from app.provisioning.planning import Plan, plan
from app.provisioning.resources import Key, Kind, Present
from app.provisioning.sip_file import (
    AddressesTable,
    ByocTable,
    CredentialsTable,
    Defaults,
    DomainTable,
    NumberTable,
    SipFile,
    TargetTable,
    TrunkTable,
    load_sip_file,
)
from app.provisioning.wanted import LEAST_PASSWORD, Ours, everything, numbers
from app.ways import ways_of
from tests.docs.pages import blocks, codes, example, page, table

TEXT, NUMBERS = page("sip"), page("numbers")
PUBLIC = "https://bot.example.com/twilio"
OURS = Ours(
    voice=lambda agent: f"{PUBLIC}/voice" + (f"?agent={agent}" if agent else ""),
    status=f"{PUBLIC}/status",
)
TABLES: dict[str, type] = {
    "[defaults]": Defaults,
    "[[number]]": NumberTable,
    "[[credentials]]": CredentialsTable,
    "[[addresses]]": AddressesTable,
    "[[domain]]": DomainTable,
    "[[byoc]]": ByocTable,
    "[[trunk]]": TrunkTable,
    "to": TargetTable,
}


def shown(made: Plan) -> str:
    file = io.StringIO()
    show_plan(made, "sip", Console(file=file))
    return file.getvalue()


@pytest.mark.parametrize("name", TABLES)
def test_every_key_stands_with_its_default(name: str) -> None:
    rows = [row for row in table(TEXT, "<!-- keys:") if codes(row[0])[0] == name]
    told = {codes(row[1])[0]: row[2] for row in rows}
    fields = {field.name: field for field in dataclasses.fields(cast(Any, TABLES[name]))}
    assert set(told) == set(fields)
    for key, default in told.items():
        if default == "none":
            assert fields[key].default is dataclasses.MISSING
        else:
            value = tomllib.loads(f"x = {codes(default)[0]}")["x"]
            assert (tuple(value) if isinstance(value, list) else value) == fields[key].default


def test_the_file_makes_what_the_page_shows(tmp_path: Path) -> None:
    path = tmp_path / "sip.toml"
    path.write_text(example(TEXT, "sip").text, encoding="utf-8")
    made = plan(everything(load_sip_file(path), OURS, {}), [])
    [text] = blocks(TEXT, "text")
    assert shown(made).rstrip() == text.text.rstrip()


def test_a_number_is_changed_as_the_page_shows() -> None:
    fields = {"voice_method": "POST", "status_callback_method": "POST"}
    present = Present(Key(Kind.NUMBER, "+14155550100"), "PN1", fields)
    tables = [NumberTable(number="+14155550100", agent="receptionist")]
    [text] = blocks(NUMBERS, "text")
    assert shown(plan(numbers(tables, SipFile(), OURS), [present])).rstrip() == text.text.rstrip()


def test_the_agent_of_the_page_can_be_loaded(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(example(TEXT, "headers").text, encoding="utf-8")
    way = ways_of(load_agent(path)).transfers["desk"]
    assert (way.then, way.answer_headers) == ("back", ("X-Outcome",))


def test_the_length_of_a_password_is_the_one_that_is_told() -> None:
    assert f"{LEAST_PASSWORD} characters" in TEXT
