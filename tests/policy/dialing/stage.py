"""What the tests of dialling share: a person, rules, a book of law, and instants as text."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

from app.policy.dialing.deciding import Law
from app.policy.dialing.law import LawBook, LawRule
from app.policy.dialing.words import Consent, DialRules, Person, Sourced
from app.policy.hours import DAY_MINUTES, Span

ALL_DAY = Span(0, DAY_MINUTES)
CONSENT = Consent(date(2026, 1, 2), "web form")
NEW_YORKER = Person(
    number="+12125550123",
    number_type="fixed_or_mobile",
    region="US",
    zones=("America/New_York",),
    subdivision="NY",
    consent=CONSENT,
)
ALWAYS = DialRules(
    purpose="marketing",
    week={day: (ALL_DAY,) for day in range(7)},
    skip_holidays=False,
    per_day=9,
    per_week=99,
    total=999,
    all_per_day=9,
    all_per_week=99,
    consent_required=True,
    from_numbers=("+14155550100",),
)


class FewHolidays:
    """Of one country, on the days that a test names."""

    def __init__(self, days: Mapping[tuple[str, date], str] | None = None) -> None:
        self.days = days or {}

    def knows(self, region: str) -> bool:
        return region == "US"

    def name_of(self, region: str, subdivision: str, day: date) -> str:
        return self.days.get((subdivision, day), "")


def law_of(*rules: LawRule, holidays: FewHolidays | None = None) -> Law:
    """Besides, one rule that says nothing makes every country known."""
    return Law(
        LawBook((rule("nothing", "*"), rule("no_words", "US"), *rules)), holidays or FewHolidays()
    )


def rule(name: str, *regions: str, **more: object) -> LawRule:
    plain = LawRule(
        name=name,
        regions=frozenset(regions),
        sourced=Sourced("words", "source", date(2026, 11, 22)),
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def week(*spans: tuple[int, int]) -> dict[int, tuple[Span, ...]]:
    """The same every day; in hours."""
    return {day: tuple(Span(a * 60, b * 60) for a, b in spans) for day in range(7)}


def ms(text: str) -> int:
    """ISO 8601, UTC where it names no zone."""
    at = datetime.fromisoformat(text)
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
