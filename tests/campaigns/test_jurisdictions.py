"""The shipped rules of law load, each with its source, and say what they are known to say; what is
wrong in a file is named by file, rule and key."""

from datetime import date
from pathlib import Path

import pytest

from app.campaigns.jurisdictions import SHIPPED, LawFileError, load_law
from app.policy.dialing.law import LawRule
from app.policy.dialing.words import Person

BOOK = load_law()
RULE = """about = "x"
[must]
identify = "Say who."
[[rule]]
name = "one"
regions = ["US"]
text = "t"
source = "s"
checked = 2026-11-22
verified = true
"""


def named(name: str) -> LawRule:
    return next(rule for rule in BOOK.rules if rule.name == name)


def test_the_file_says_that_it_is_no_advice() -> None:
    assert "NOT LEGAL ADVICE" in SHIPPED.read_text("utf-8")


def test_every_rule_has_words_a_source_and_a_day() -> None:
    for rule in BOOK.rules:
        assert rule.sourced.text and rule.sourced.source, rule.name
        assert date(2026, 1, 1) <= rule.sourced.checked, rule.name
        assert not rule.verified or rule.sourced.details.get("url"), rule.name


def test_every_duty_is_used_and_explained() -> None:
    assert {name for rule in BOOK.rules for name in rule.must} == set(BOOK.must)


def test_what_is_hearsay_only_makes_it_stricter() -> None:
    """It has hours, caps, or wants consent; none of them opens anything."""
    for rule in BOOK.rules:
        if not rule.verified:
            assert rule.hours is not None or rule.caps or rule.consent, rule.name


def test_what_is_known_for_certain() -> None:
    florida = named("us_fl_hours")
    assert florida.hours is not None
    assert (florida.hours[6][0].start, florida.hours[6][0].end) == (8 * 60, 20 * 60)
    assert named("eu_ai_act").since == date(2026, 8, 2)
    assert named("fr_hours").no_holidays
    france = named("fr_hours").hours
    assert france is not None and set(france) == {0, 1, 2, 3, 4} and len(france[0]) == 2
    assert named("us_debt").caps[0].dials == 7


def test_a_floridian_has_the_federal_rules_too() -> None:
    person = Person(
        number="", number_type="mobile", region="US", zones=("America/New_York",), subdivision="FL"
    )
    names = {rule.name for rule in BOOK.for_person(person, "marketing")}
    assert names == {"us_hours", "us_artificial_voice", "us_opt_out", "us_fl_hours", "us_fl_calls"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('must = ["dance"]', 'one: must: .* got "dance"'),
        ('hours = { monday = ["09:00-10:00"] }', 'one: hours: .* got "monday"'),
        ('hours = { fri-mon = ["09:00-10:00"] }', 'one: hours: .* got "fri-mon"'),
        ('hours = { mon-fri = ["09:00-10:00"], fri = ["09:00-10:00"] }', "expected fri once"),
        ('hours = { every = ["9-10"] }', 'got "9-10"'),
        ('hours = { every = ["22:00-02:00"] }', "an end on the same day"),
        ("since = 2026-02-01\nuntil = 2026-02-01", "until: expected a day after since"),
        ('purposes = ["spam"]', "purposes"),
        ("caps = [{ dials = 0, hours = 24 }]", "dials"),
        ("surprise = 1", "surprise"),
        ('subdivision = "FL"\nuntil = "never"', "until"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, more: str, said: str) -> None:
    file = tmp_path / "law.toml"
    file.write_text(RULE + more + "\n", encoding="utf-8")
    with pytest.raises(LawFileError, match=said) as error:
        load_law(file)
    assert str(file) in str(error.value)


def test_a_state_belongs_to_one_country(tmp_path: Path) -> None:
    file = tmp_path / "law.toml"
    file.write_text(RULE.replace('["US"]', '["US", "CA"]') + 'subdivision = "FL"\n')
    with pytest.raises(LawFileError, match="one country"):
        load_law(file)


def test_two_rules_of_one_name_and_no_file_at_all(tmp_path: Path) -> None:
    file = tmp_path / "law.toml"
    file.write_text(RULE + "[[rule]]" + RULE.split("[[rule]]")[1])
    with pytest.raises(LawFileError, match="one: expected one rule"):
        load_law(file)
    with pytest.raises(LawFileError, match="expected a TOML file"):
        load_law(tmp_path / "none.toml")
