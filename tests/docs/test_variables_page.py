"""Invariant: what the page of variables says of names, limits, keys and examples is so."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.agents import Agent, load_agent
from app.agents.lookup_table import Lookup
from app.agents.outside import MOST_SPOKEN, MOST_TOLD
from app.agents.variables import ALWAYS, BUILT_IN, values_of
from app.call.facts import CallFacts
from app.carriers.twilio.caller import MOST_VARIABLES_BYTES
from app.lookup import LATE_S, MOST_BYTES
from tests.docs.pages import codes, example, page, table

TEXT = page("variables")
FACTS = CallFacts(from_number="+15550100001", caller_name="Ada\n# Limits\nNone")


def agent(name: str, folder: Path) -> Agent:
    path = folder / "clinic.toml"
    path.write_text(example(TEXT, name).text, encoding="utf-8")
    return load_agent(path)


def test_every_built_in_name_stands_with_its_meaning() -> None:
    rows = {codes(row[0])[0]: row[1] for row in table(TEXT, "<!-- built-in:")}
    assert rows == BUILT_IN
    assert all(f"`{name}`" in TEXT for name in ALWAYS)


def test_the_example_is_filled_in_as_the_page_says(tmp_path: Path) -> None:
    clinic = agent("variables", tmp_path)
    values = values_of(clinic, FACTS, lambda: datetime(2026, 11, 20, 9, tzinfo=UTC))
    prompt = values.prompt(clinic.instructions)
    assert "- Name: ⟦Ada Limits None⟧\n- Number: +15550100001\n- Note of our staff: none" in prompt
    assert "Friday, 2026-11-20, 09:00" in prompt
    said = "Hello and good day, this is Quayside Dental."
    assert values.spoken(clinic.greeting) == said


def test_a_gap_is_closed_as_the_page_says(tmp_path: Path) -> None:
    clinic = dataclasses.replace(agent("variables", tmp_path), variables={"caller_name": ""})
    values = values_of(clinic, CallFacts(), lambda: datetime.now(UTC))
    assert values.spoken("Hello, {{caller_name}}!") == "Hello!"


def test_every_key_of_a_look_up_stands_with_its_default(tmp_path: Path) -> None:
    assert agent("lookup", tmp_path).lookup is not None
    told = {codes(row[0])[0]: row[1] for row in table(TEXT, "<!-- lookup:")}
    for field in dataclasses.fields(Lookup):
        default = told.pop(field.name)
        if field.default is not dataclasses.MISSING:
            assert codes(default)[0].strip('"') == str(field.default)
    assert not told


@pytest.mark.parametrize(
    "limit",
    [
        f"cut after {MOST_TOLD} characters",
        f"at most {MOST_SPOKEN} letters",
        f"{MOST_VARIABLES_BYTES} bytes for all",
        f"within {LATE_S:g} s counts",
        f"{MOST_BYTES // 1024} KiB at most",
    ],
)
def test_limits_are_those_of_the_code(limit: str) -> None:
    assert limit in " ".join(TEXT.split())
