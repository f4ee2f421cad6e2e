"""What a campaign's file says of whom it dials and when, as the rules that decide before a dial."""

import re
from datetime import datetime
from typing import Final

from app.campaigns.plan import Plan, Windows
from app.policy.dialing.words import DialRules
from app.policy.hours import DAY_MINUTES, HoursError, Span

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN: Final = re.compile(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)")


class PlanRulesError(ValueError):
    """The operator's fault: the message names the key, what was expected and what came."""


def rules_of(plan: Plan) -> DialRules:
    """Raises `PlanRulesError`."""
    starts_ms = _instant("schedule.starts", plan.schedule.starts)
    ends_ms = _instant("schedule.ends", plan.schedule.ends)
    if starts_ms is not None and ends_ms is not None and ends_ms <= starts_ms:
        raise PlanRulesError(
            f'schedule.ends: expected a time after schedule.starts, got "{plan.schedule.ends}"'
        )
    return DialRules(
        purpose=plan.law.purpose,
        week=_week(plan.windows),
        skip_holidays=plan.windows.holidays == "skip",
        per_day=plan.caps.per_day,
        per_week=plan.caps.per_week,
        total=plan.caps.total,
        all_per_day=plan.caps.all_per_day,
        all_per_week=plan.caps.all_per_week,
        consent_required=plan.law.consent == "required",
        consent_days=plan.law.consent_days,
        number_types=frozenset(plan.law.number_types),
        from_numbers=plan.caller_ids.numbers,
        starts_ms=starts_ms,
        ends_ms=ends_ms,
    )


def span_of(text: str) -> Span:
    """Such as "09:00-12:30"; "20:00-02:00" ends on the next day, "00:00-24:00" is all day. Raises
    `PlanRulesError`."""
    found = _SPAN.fullmatch(text.strip())
    if found:
        hours = [int(part) for part in found.groups()]
        start, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
        if start < DAY_MINUTES and end <= DAY_MINUTES and start != end:
            try:
                return Span(start, end if end > start else end + DAY_MINUTES)
            except HoursError:
                pass  # Said below, in the operator's words.
    raise PlanRulesError(f'windows.hours: expected a span such as "09:00-12:30", got "{text}"')


def _week(windows: Windows) -> dict[int, tuple[Span, ...]]:
    spans = tuple(sorted(span_of(text) for text in windows.hours))
    for name, given in (("hours", windows.hours), ("days", windows.days)):
        if not given:
            raise PlanRulesError(f"windows.{name}: expected one or more, got none")
    return {number: spans for number, day in enumerate(_DAYS) if day in windows.days}


def _instant(key: str, text: str) -> int | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise PlanRulesError(
            f'{key}: expected a time with its offset, such as "2026-12-01T09:00:00+01:00", got '
            f'"{text}"'
        )
    return round(at.timestamp() * 1000)
