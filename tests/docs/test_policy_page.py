"""Invariant: the policy's page names every key with its default, every rule with its words, every
level of trust, and its example is an agent whose rules are made."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest

from app.agents import Hours, Policy, PolicyLimits, PolicySpend, load_agent
from app.policy.trust import Trust
from app.policy.verdicts import REASONS
from app.rules import destination_rules, limit_rules, opening_hours, required_trust, spend_rules
from bench.policy import CASES, SEEDS, TARGETS, Found, golden
from tests.docs.pages import codes, example, page, table

TEXT = page("policy")
TABLES = {"trust", "limits", "spend"}
"""Told in sections of their own."""


@pytest.mark.parametrize(
    ("kind", "after", "elsewhere"),
    [
        (Policy, "\n`[policy]`:", TABLES),
        (PolicyLimits, "\n`[policy.limits]`", set()),
        (PolicySpend, "\n`[policy.spend]`", set()),
        (Hours, "\n## Hours", set()),
    ],
    ids=["policy", "limits", "spend", "hours"],
)
def test_every_key_stands_with_its_default(kind: type, after: str, elsewhere: set[str]) -> None:
    told = {codes(row[0])[0]: row[1] for row in table(TEXT, after)}
    fields = dataclasses.fields(cast(Any, kind))
    assert set(told) == {field.name for field in fields} - elsewhere
    for field in fields:
        if field.name not in told or told[field.name] == "none":
            continue
        default = tomllib.loads(f"x = {codes(told[field.name])[0]}")["x"]
        own = field.default_factory() if callable(field.default_factory) else field.default
        assert (tuple(default) if isinstance(default, list) else default) == own, field.name


def test_every_rule_stands_with_its_words() -> None:
    told = {codes(name)[0]: words for name, words in table(TEXT, "<!-- rules:")}
    assert told == {rule.value: reason for rule, reason in REASONS.items()}


def test_every_level_of_trust_is_told_in_order() -> None:
    told = [codes(row[0])[0] for row in table(TEXT, "\n## Trust")]
    assert told == [level.name.lower() for level in Trust]


def test_the_example_is_an_agent_and_its_rules_are_made(tmp_path: Path) -> None:
    path = tmp_path / "clinic.toml"
    path.write_text(example(TEXT, "policy").text, encoding="utf-8")
    agent = load_agent(path)
    assert destination_rules(agent, ("+4930123456",), {}).countries == ("DE", "AT")
    assert limit_rules(agent).dials_per_call == 2
    assert spend_rules(agent).cap_usd == 1.5
    assert required_trust(agent, ["hang_up"]) == {"hang_up": Trust.UNKNOWN}
    hours = opening_hours(agent)
    assert hours is not None
    assert hours.error == ""


def test_the_figures_of_the_proof_are_those_of_the_program() -> None:
    found = Found()
    golden(found)
    assert (
        f"asks for {SEEDS * TARGETS:,} fuzzed targets under {['', '', '', '', 'four'][len(CASES)]}"
        in TEXT
    )
    assert f"one of {found.golden} ordinary numbers" in TEXT
