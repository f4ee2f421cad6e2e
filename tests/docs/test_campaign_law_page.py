"""Invariant: the page of the law names every rule before a dial, every rule of the shipped file
with its source and whether it was read, and every duty; and its example is a rule that loads."""

from pathlib import Path

from app.campaigns.jurisdictions import load_law
from app.policy.dialing.words import DialRule
from tests.docs.pages import codes, page, table

TEXT = page("campaign-law")
BOOK = load_law()


def test_every_rule_before_a_dial_is_told() -> None:
    told = [code for row in table(TEXT, "\n## What is checked") for code in codes(row[0])]
    assert sorted(told) == sorted(DialRule)


def test_every_rule_of_law_is_told_with_its_source() -> None:
    told = {codes(row[0])[0]: (row[2], row[3]) for row in table(TEXT, "\n## Where the rules")}
    assert told == {
        rule.name: (rule.sourced.source, "read" if rule.verified else "hearsay")
        for rule in BOOK.rules
    }


def test_every_duty_is_told() -> None:
    told = {codes(row[0])[0]: row[1] for row in table(TEXT, "\n## What an allowed call must do")}
    assert told == dict(BOOK.must)


def test_it_says_that_it_is_no_advice() -> None:
    assert "not legal advice" in TEXT.split("##")[0]


def test_the_example_loads(tmp_path: Path) -> None:
    after = TEXT[TEXT.index("\n## Adding a jurisdiction") :]
    example = after.split("```toml\n", 1)[1].split("```", 1)[0]
    file = tmp_path / "law.toml"
    file.write_text(f'about = "x"\n[must]\nidentify = "x"\n{example}', encoding="utf-8")
    (rule,) = load_law(file).rules
    assert (rule.name, rule.regions) == ("xx_hours", frozenset({"XX"}))
