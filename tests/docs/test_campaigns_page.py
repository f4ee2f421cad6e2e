"""Invariant: what the page of campaigns says of keys, defaults, mistakes and words is so."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest

from app.campaigns.loading import PlanError, load_plan
from app.campaigns.outcomes import Outcome
from app.campaigns.plan import (
    USUAL_STEPS,
    CallerIds,
    Caps,
    Law,
    Limits,
    Machines,
    Pacing,
    Plan,
    Schedule,
    Step,
    Windows,
)
from app.campaigns.states import TRANSITIONS, CampaignState
from tests.docs.pages import codes, example, following, page, table

TEXT = page("campaigns")
MISTAKES, STEPS = example(TEXT, "mistakes"), example(TEXT, "steps")
LEAST = 'agent = "appointments"\n[caller_ids]\nnumbers = ["+442079460101"]\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    campaigns = tmp_path / "campaigns"
    campaigns.mkdir()
    return campaigns


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        (Plan, "<!-- keys: Plan"),
        (CallerIds, "`[caller_ids]`:"),
        (Windows, "`[windows]`:"),
        (Schedule, "`[schedule]`:"),
        (Pacing, "`[pacing]`:"),
        (Machines, "`[machines]`:"),
        (Caps, "`[caps]`:"),
        (Limits, "`[limits]`:"),
        (Law, "`[law]`:"),
        (Step, "`[[steps]]`: what"),
    ],
)
def test_every_key_stands_with_its_default(kind: type, after: str) -> None:
    told = {codes(row[0])[0]: row[1] for row in table(TEXT, after)}
    given = {field.name: field for field in dataclasses.fields(cast(Any, kind))}
    assert set(told) == set(given) - {"name"}
    for name, cell in told.items():
        default = given[name].default
        if not cell:
            assert default is dataclasses.MISSING or kind is Plan
            continue
        value = tomllib.loads(f"x = {codes(cell)[0]}")["x"]
        assert (tuple(value) if isinstance(value, list) else value) == default


def told_of(folder: Path, text: str) -> str:
    (folder / "bad.toml").write_text(text, encoding="utf-8")
    with pytest.raises(PlanError) as error:
        load_plan("bad")
    return str(error.value)


def test_the_mistakes_are_told_as_the_page_says(folder: Path) -> None:
    told = following(TEXT, MISTAKES)
    assert told_of(folder, MISTAKES.text) == told.rstrip("\n")


def test_the_steps_on_the_page_are_those_of_a_file_without_any(folder: Path) -> None:
    (folder / "spring.toml").write_text(f"{LEAST}{STEPS.text}", encoding="utf-8")
    assert load_plan("spring").steps == USUAL_STEPS


def test_the_states_are_those_of_the_table() -> None:
    told = {codes(row[0])[0]: set(codes(row[1])) for row in table(TEXT, "<!-- states:")}
    moves: dict[str, set[str]] = {state.value: set() for state in CampaignState}
    for (before, _), after in TRANSITIONS.items():
        moves[before.value].add(after.value)
    assert told == moves


def test_the_outcomes_are_all_there_are() -> None:
    told = [codes(row[0])[0] for row in table(TEXT, "<!-- outcomes:")]
    assert told == [outcome.value for outcome in Outcome]
