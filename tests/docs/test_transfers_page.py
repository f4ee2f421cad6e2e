"""Invariant: the page of transfers holds every key with its default, and its example is loaded and
leads where it says."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest

from app.agents import load_agent
from app.agents.onward_tables import Ladder, Menu, Option, Speaks, Transfer, Voicemail
from app.ways import targets_of, ways_of
from tests.docs.pages import blocks, codes, page, table

TEXT = page("transfers")


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        (Transfer, "[transfers.NAME]"),
        (Ladder, "[ladder]"),
        (Menu, "[menu]"),
        (Option, "[[menu.options]]"),
        (Voicemail, "[voicemail]"),
        (Speaks, "[languages.CODE]"),
    ],
    ids=["transfer", "ladder", "menu", "option", "voicemail", "language"],
)
def test_every_key_stands_with_its_default(kind: type, heading: str) -> None:
    heading = f"| Key of `{heading}`"
    lines = TEXT[TEXT.index(heading) :].split("\n\n")[0].splitlines()[2:]
    told = {codes(line)[0]: [cell.strip() for cell in line.split("|")][2] for line in lines}
    fields = {field.name: field for field in dataclasses.fields(cast(Any, kind))}
    assert set(told) == set(fields)
    for name, default in told.items():
        if default == "none":
            assert fields[name].default is dataclasses.MISSING
        else:
            value = tomllib.loads(f"x = {codes(default)[0]}")["x"]
            assert (tuple(value) if isinstance(value, list) else value) == fields[name].default


def test_the_example_is_an_agents(tmp_path: Path) -> None:
    [example] = blocks(TEXT, "toml")
    path = tmp_path / "house.toml"
    text = example.text.replace('"transfer_call", ', "") + "\n[voicemail]\n"
    path.write_text(f'instructions = "You answer."\n{text}', encoding="utf-8")
    agent = load_agent(path)

    assert set(targets_of(agent)) == {"front-desk", "on-call"}
    ways = ways_of(agent)
    assert (ways.transfers["front-desk"].how, ways.transfers["on-call"].how) == ("cold", "warm")
    assert ways.transfers["front-desk"].name == "front desk"


def test_every_end_has_a_row() -> None:
    assert len(table(TEXT, "<!-- ends:")) == 5
