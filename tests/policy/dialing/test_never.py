"""What time does not change comes first, in order; whatever nobody knows fails closed; no reason
holds the number."""

from dataclasses import replace
from datetime import date

import pytest

from app.policy.dialing.deciding import Law, may_dial
from app.policy.dialing.law import LawBook
from app.policy.dialing.words import (
    Allowed,
    Consent,
    DialRule,
    DialRules,
    History,
    Never,
    Person,
)
from tests.policy.dialing.stage import ALWAYS, NEW_YORKER, FewHolidays, law_of, ms, rule

NOW = ms("2026-11-23T15:00")


def refused(
    person: Person = NEW_YORKER,
    history: History | None = None,
    rules: DialRules = ALWAYS,
    law: Law | None = None,
) -> DialRule | None:
    answer = may_dial(person, history or History(), rules, law or law_of(), NOW)
    if isinstance(answer, Allowed):
        return None
    assert isinstance(answer, Never)
    assert not any(number in answer.reason for number in (person.number, "+1415"))
    return answer.rule


def test_nothing_stands_against_an_ordinary_person() -> None:
    assert refused() is None


def test_each_rule_comes_before_the_next() -> None:
    """Everything is wrong at first; mended one by one, the next one shows."""
    person = replace(
        NEW_YORKER, valid=False, number_type="toll_free", zones=(), region="", consent=None
    )
    history = History(here_ms=(NOW - 1,) * 3, all_ms=(NOW - 1,) * 3, do_not_call="spoken")
    rules = replace(ALWAYS, from_numbers=(), total=3, ends_ms=NOW - 1)
    law = law_of(rule("ban", "US", forbidden=True))
    seen = [refused(person, history, rules, law)]
    history = replace(history, do_not_call="")
    seen.append(refused(person, history, rules, law))
    mended: dict[str, object] = {
        "valid": True,
        "number_type": "mobile",
        "consent": Consent(date(2026, 1, 1), " "),
        "zones": ("America/New_York",),
        "region": "US",
    }
    for name, value in mended.items():
        person = replace(person, **{name: value})  # type: ignore[arg-type]
        seen.append(refused(person, history, rules, law))
    person = replace(person, consent=Consent(date(2026, 1, 1), "form"))
    seen.append(refused(person, history, rules, law))
    law = law_of()
    seen.append(refused(person, history, rules, law))
    for name, value in (
        ("from_numbers", ("+14155550100", "+1415")),
        ("from_numbers", ("+14155550100",)),
        ("total", 4),
        ("ends_ms", None),
    ):
        rules = replace(rules, **{name: value})  # type: ignore[arg-type]
        seen.append(refused(person, history, rules, law))
    assert seen == [
        DialRule.DO_NOT_CALL,
        DialRule.NOT_VALID,
        DialRule.NUMBER_TYPE,
        DialRule.NO_CONSENT,
        DialRule.UNKNOWN_ZONE,
        DialRule.UNKNOWN_REGION,
        DialRule.CONSENT_UNREADABLE,
        DialRule.FORBIDDEN_HERE,
        DialRule.NO_CALLER_ID,
        DialRule.CALLER_ID_NOT_VALID,
        DialRule.CAP_TOTAL,
        DialRule.CAMPAIGN_OVER,
        None,
    ]


def test_one_unknown_zone_spoils_the_known_ones() -> None:
    person = replace(NEW_YORKER, zones=("America/New_York", "Mars/Phobos"))
    assert refused(person) is DialRule.UNKNOWN_ZONE


def test_a_country_without_a_word_in_the_book_is_not_dialled() -> None:
    law = Law(LawBook((rule("us", "US"),)), FewHolidays())
    assert refused(law=law) is None
    assert refused(replace(NEW_YORKER, region="FJ", zones=("Pacific/Fiji",)), law=law) is (
        DialRule.UNKNOWN_REGION
    )


def test_a_rule_for_all_others_does_not_hold_where_one_is_named() -> None:
    law = law_of(rule("others", "*", forbidden=True))
    assert refused(law=law) is None
    assert refused(replace(NEW_YORKER, region="FJ"), law=law) is DialRule.FORBIDDEN_HERE


def test_holidays_nobody_knows_are_not_skipped_silently() -> None:
    rules = replace(ALWAYS, skip_holidays=True)
    assert refused(replace(NEW_YORKER, region="FJ"), rules=rules) is DialRule.HOLIDAY


def test_the_law_may_want_a_consent_that_the_campaign_does_not() -> None:
    rules = replace(ALWAYS, consent_required=False)
    law = law_of(rule("artificial_voice", "US", consent=True))
    stranger = replace(NEW_YORKER, consent=None)
    assert refused(stranger, rules=rules) is None
    assert refused(stranger, rules=rules, law=law) is DialRule.NO_CONSENT
    assert refused(stranger, rules=replace(rules, purpose="emergency"), law=law) is None


def test_a_consent_ends_with_its_last_day() -> None:
    person = replace(NEW_YORKER, consent=Consent(date(2026, 11, 13), "form"))
    rules = replace(ALWAYS, consent_days=10)
    last = may_dial(person, History(), rules, law_of(), NOW)
    assert last == Allowed(ms("2026-11-24T05:00"))
    assert refused(person, rules=replace(rules, consent_days=9)) is DialRule.CONSENT_TOO_OLD


def test_a_consent_of_tomorrow_cannot_be_read() -> None:
    person = replace(NEW_YORKER, consent=Consent(date(2026, 11, 24), "form"))
    assert refused(person) is DialRule.CONSENT_UNREADABLE


def test_a_consent_that_runs_out_before_the_next_opening_is_no_promise() -> None:
    person = replace(NEW_YORKER, consent=Consent(date(2026, 11, 22), "form"))
    tuesday = {1: ALWAYS.week[1]}
    assert refused(person, rules=replace(ALWAYS, week=tuesday, consent_days=1)) is (
        DialRule.CONSENT_TOO_OLD
    )


def test_a_law_that_comes_ends_what_is_allowed() -> None:
    law = law_of(rule("opt_in", "US", consent=True, since=date(2026, 11, 25)))
    rules = replace(ALWAYS, consent_required=False)
    stranger = replace(NEW_YORKER, consent=None)
    assert may_dial(stranger, History(), rules, law, NOW) == Allowed(ms("2026-11-25T05:00"))
    assert isinstance(may_dial(stranger, History(), rules, law, ms("2026-11-25T05:00")), Never)


def test_a_state_nobody_knows_may_be_every_state() -> None:
    law = law_of(rule("alabama", "US", subdivision="AL", forbidden=True))
    assert refused(law=law) is None
    assert refused(replace(NEW_YORKER, subdivision=""), law=law) is DialRule.FORBIDDEN_HERE
    assert refused(replace(NEW_YORKER, also_in=("AL",)), law=law) is DialRule.FORBIDDEN_HERE


@pytest.mark.parametrize("cap", ["per_day", "per_week", "total", "all_per_day", "all_per_week"])
def test_a_cap_of_none_is_refused_at_once(cap: str) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        replace(ALWAYS, **{cap: 0})  # type: ignore[arg-type]
