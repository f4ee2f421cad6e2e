"""Open is what the clock on the wall of the place says, also when clocks change and nights pass
midnight; what cannot be known is closed; the next opening is the first instant of being open."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.policy.hours import HoursError, HoursRules, OpeningHours, Span, zone_of
from app.policy.spoken_time import spoken

BERLIN = ZoneInfo("Europe/Berlin")
DAY = Span(9 * 60, 12 * 60), Span(14 * 60, 18 * 60)
NIGHT = Span(22 * 60, 26 * 60)
ALWAYS = {day: (Span(0, 24 * 60),) for day in range(7)}


def hours(
    week: Mapping[int, tuple[Span, ...]],
    holidays: Mapping[date | tuple[int, int], tuple[Span, ...]] | None = None,
    zone: str = "Europe/Berlin",
) -> OpeningHours:
    return OpeningHours(HoursRules(timezone=zone, week=week, holidays=holidays or {}))


def at(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold)


def test_several_spans_a_day_are_open_from_their_start_to_before_their_end() -> None:
    friday = hours({4: DAY})
    for text, is_open in (
        ("2026-11-20T08:59:59", False), ("2026-11-20T09:00", True), ("2026-11-20T11:59:59", True),
        ("2026-11-20T12:00", False), ("2026-11-20T14:00", True), ("2026-11-20T18:00", False),
        ("2026-11-21T10:00", False),
    ):  # fmt: skip
        assert friday.is_open(at(text)) == is_open, text


def test_the_callers_own_zone_does_not_matter() -> None:
    assert hours({4: DAY}).is_open(datetime(2026, 11, 20, 8, 30, tzinfo=UTC))
    assert not hours({4: DAY}).is_open(datetime(2026, 11, 20, 11, 30, tzinfo=UTC))


def test_a_night_goes_on_into_the_next_day_also_into_a_holiday() -> None:
    friday = hours({4: (NIGHT,)}, {date(2026, 11, 21): ()})
    assert friday.is_open(at("2026-11-20T23:00"))
    assert friday.is_open(at("2026-11-21T01:59"))
    assert not friday.is_open(at("2026-11-21T02:00"))
    assert not friday.is_open(at("2026-11-20T01:00"))


def test_a_holiday_is_closed_or_has_hours_of_its_own_and_a_date_wins_over_every_year() -> None:
    shop = hours(
        {day: DAY for day in range(7)},
        {(12, 24): (Span(9 * 60, 10 * 60),), (12, 25): (), date(2027, 12, 25): DAY},
    )
    assert shop.is_open(at("2026-12-24T09:30"))
    assert not shop.is_open(at("2026-12-24T10:30"))
    assert not shop.is_open(at("2026-12-25T09:30"))
    assert shop.is_open(at("2027-12-25T09:30"))


def test_a_skipped_hour_counts_as_the_moment_of_the_change() -> None:
    """In Berlin 02:00 became 03:00 on March 29, 2026."""
    assert hours({6: (Span(150, 300),)}).is_open(at("2026-03-29T03:00"))
    assert not hours({6: (Span(150, 300),)}).is_open(at("2026-03-29T01:59:59"))
    early = hours({6: (Span(60, 150),)})
    assert early.is_open(at("2026-03-29T01:59:59"))
    assert not early.is_open(at("2026-03-29T03:00"))
    gone = hours({6: (Span(130, 170),)})
    assert not gone.is_open(at("2026-03-29T03:00"))
    found = gone.next_opening(at("2026-03-28T12:00"))
    assert found == at("2026-04-05T02:10")


def test_an_hour_that_comes_twice_counts_the_first_time() -> None:
    """In Berlin 03:00 became 02:00 on October 25, 2026."""
    sunday = hours({6: (Span(150, 240),)})
    assert not sunday.is_open(at("2026-10-25T02:29"))
    assert sunday.is_open(at("2026-10-25T02:30"))
    assert sunday.is_open(at("2026-10-25T02:15", fold=1))
    assert sunday.is_open(at("2026-10-25T03:59"))
    until = hours({6: (Span(60, 150),)})
    assert not until.is_open(at("2026-10-25T02:15", fold=1))


def test_an_unknown_zone_is_closed_and_says_so() -> None:
    for name in ("Europe/Atlantis", "", "../../etc/passwd", "Europe", "\x00"):
        lost = hours(ALWAYS, zone=name)
        assert not lost.is_open(at("2026-11-20T10:00"))
        assert lost.next_opening(at("2026-11-20T10:00")) is None
        assert "expected a time zone" in lost.error
        with pytest.raises(HoursError, match="does not know"):
            zone_of(name)
    assert hours(ALWAYS).error == ""


def test_a_time_without_a_zone_is_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="time zone"):
        hours(ALWAYS).is_open(datetime(2026, 11, 20))


def test_who_never_opens_has_no_next_opening() -> None:
    assert hours({}).next_opening(at("2026-11-20T10:00")) is None
    late = datetime.max.replace(tzinfo=UTC) - timedelta(days=3)
    assert hours({}).next_opening(late) is None


def test_it_opens_next_on_the_same_day_on_another_or_is_open() -> None:
    friday = hours({4: DAY})
    assert friday.next_opening(at("2026-11-20T12:30")) == at("2026-11-20T14:00")
    assert friday.next_opening(at("2026-11-20T18:00")) == at("2026-11-27T09:00")
    assert friday.next_opening(at("2026-11-20T15:00")) == at("2026-11-20T15:00")


def test_a_yearly_opening_is_found() -> None:
    yearly = hours({}, {(2, 28): DAY})
    assert yearly.next_opening(at("2026-03-01T00:00")) == at("2027-02-28T09:00")


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (1440, 1500), (60, 60), (60, 30), (60, 1501)])
def test_spans_that_cannot_be_meant_are_not_made(start: int, end: int) -> None:
    with pytest.raises(HoursError):
        Span(start, end)


def test_days_that_are_none_are_refused() -> None:
    with pytest.raises(HoursError):
        HoursRules(timezone="UTC", week={7: ()})


SPANS = st.integers(0, 1439).flatmap(
    lambda start: st.integers(start + 1, start + 1440).map(lambda end: Span(start, end))
)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")


@settings(max_examples=150)
@given(
    st.dictionaries(st.integers(0, 6), st.lists(SPANS, max_size=2).map(tuple), max_size=4),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
)
def test_the_next_opening_is_the_first_moment_of_being_open(
    week: dict[int, tuple[Span, ...]], zone: str, now: datetime
) -> None:
    place = hours(week, zone=zone)
    opening = place.next_opening(now)
    if opening is None:
        assert not any(week.values())
        return
    assert place.is_open(opening)
    assert opening >= now
    if opening > now:
        assert not place.is_open(now)
        assert not place.is_open(opening - timedelta(seconds=1))
        for part in range(1, 40):
            assert not place.is_open(now + (opening - now) * part / 40)


@pytest.mark.parametrize(
    ("opening", "now", "said"),
    [
        ("2026-11-20T09:00", "2026-11-20T08:00", "today at nine"),
        ("2026-11-21T09:00", "2026-11-20T20:00", "tomorrow at nine"),
        ("2026-11-23T08:30", "2026-11-20T20:00", "on Monday at half past eight"),
        ("2026-11-23T07:45", "2026-11-20T20:00", "on Monday at quarter to eight"),
        ("2026-11-23T10:15", "2026-11-20T20:00", "on Monday at quarter past ten"),
        ("2026-11-21T14:00", "2026-11-20T20:00", "tomorrow at two in the afternoon"),
        ("2026-11-21T18:05", "2026-11-20T20:00", "tomorrow at six oh five in the evening"),
        ("2026-11-21T06:20", "2026-11-20T20:00", "tomorrow at six twenty in the morning"),
        ("2026-11-21T12:00", "2026-11-20T20:00", "tomorrow at noon"),
        ("2026-11-21T00:00", "2026-11-20T20:00", "tomorrow at midnight"),
        ("2026-11-21T11:45", "2026-11-20T20:00", "tomorrow at quarter to twelve"),
        ("2026-11-21T09:37", "2026-11-20T20:00", "tomorrow at nine thirty-seven"),
        ("2026-11-27T09:00", "2026-11-20T20:00", "on Friday, November twenty-seventh, at nine"),
        ("2027-01-02T09:00", "2026-12-20T20:00", "on Saturday, January second, at nine"),
        ("2027-01-30T09:00", "2026-12-20T20:00", "on Saturday, January thirtieth, at nine"),
    ],
)
def test_an_opening_is_said_as_people_say_it(opening: str, now: str, said: str) -> None:
    assert spoken(at(opening), at(now).astimezone(UTC)) == said
