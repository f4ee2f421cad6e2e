"""A campaign's file says the same as the rules made of it, and what cannot be meant is named."""

from dataclasses import replace

import pytest

from app.campaigns.plan import CallerIds, Caps, Law, Plan, Schedule, Windows
from app.campaigns.rules_of_plan import PlanRulesError, rules_of, span_of
from app.policy.hours import Span
from tests.policy.dialing.stage import ms

PLAN = Plan(agent="reception", caller_ids=CallerIds(numbers=("+14155550100",)))


def test_the_usual_plan() -> None:
    rules = rules_of(PLAN)
    assert rules.week == {day: (Span(9 * 60, 20 * 60),) for day in range(5)}
    assert (rules.per_day, rules.per_week, rules.total) == (1, 3, 6)
    assert (rules.all_per_day, rules.all_per_week) == (1, 3)
    assert rules.skip_holidays and rules.consent_required
    assert rules.purpose == "marketing"
    assert rules.from_numbers == ("+14155550100",)
    assert rules.starts_ms is None and rules.ends_ms is None


def test_every_key_arrives() -> None:
    plan = replace(
        PLAN,
        windows=Windows(days=("sat", "mon"), hours=("14:00-18:00", "09:00-12:30"), holidays="dial"),
        schedule=Schedule(starts="2026-12-01T09:00:00+01:00", ends="2026-12-24T00:00:00Z"),
        caps=Caps(per_day=2, per_week=4, total=5, all_per_day=6, all_per_week=7),
        law=Law(
            purpose="service", consent="not_required", consent_days=30, number_types=("mobile",)
        ),
    )
    rules = rules_of(plan)
    spans = (Span(9 * 60, 12 * 60 + 30), Span(14 * 60, 18 * 60))
    assert rules.week == {0: spans, 5: spans}
    assert (rules.starts_ms, rules.ends_ms) == (ms("2026-12-01T08:00"), ms("2026-12-24T00:00"))
    assert (rules.per_day, rules.per_week, rules.total) == (2, 4, 5)
    assert (rules.all_per_day, rules.all_per_week) == (6, 7)
    assert not rules.skip_holidays and not rules.consent_required
    assert (rules.purpose, rules.consent_days) == ("service", 30)
    assert rules.number_types == frozenset({"mobile"})


def test_spans() -> None:
    assert span_of("00:00-24:00") == Span(0, 1440)
    assert span_of("22:00-02:00") == Span(1320, 1560)
    for wrong in (
        "9:00-10:00",
        "09:00",
        "25:00-26:00",
        "10:00-10:00",
        "09:00-24:30",
        "09:60-10:00",
    ):
        with pytest.raises(PlanRulesError, match=wrong):
            span_of(wrong)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (replace(PLAN, windows=Windows(hours=())), "windows.hours"),
        (replace(PLAN, windows=Windows(days=())), "windows.days"),
        (replace(PLAN, schedule=Schedule(starts="tomorrow")), "schedule.starts"),
        (replace(PLAN, schedule=Schedule(ends="2026-12-01T09:00")), "schedule.ends"),
        (
            replace(PLAN, schedule=Schedule(starts="2026-12-01T09:00Z", ends="2026-12-01T09:00Z")),
            "schedule.ends",
        ),
    ],
)
def test_what_cannot_be_meant_is_named(plan: Plan, said: str) -> None:
    with pytest.raises(PlanRulesError, match=said):
        rules_of(plan)
