"""The next instant and the end of the present stretch are exact, in every zone and over every
change of clocks: a minute-by-minute reading of the wall clocks, which knows nothing of calendars,
agrees; and no cap is ever overstepped at the instant that is promised."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.policy.dialing.deciding import may_dial
from app.policy.dialing.law import LawCap
from app.policy.dialing.words import (
    Allowed,
    DialRule,
    DialRules,
    History,
    Never,
    NotNow,
    Person,
)
from app.policy.hours import DAY_MINUTES, Span
from tests.policy.dialing.stage import ALWAYS, NEW_YORKER, FewHolidays, law_of, ms, rule, week

ZONES = (
    "America/New_York", "America/Phoenix", "America/St_Johns", "America/Santiago", "Africa/Cairo",
    "Asia/Kathmandu", "Asia/Tehran", "Australia/Lord_Howe", "Europe/Berlin", "Pacific/Apia",
    "Pacific/Chatham", "Africa/Casablanca", "America/Havana", "Atlantic/Azores",
)  # fmt: skip
CHANGES = tuple(
    ms(text)
    for text in (
        "2026-03-08T07:00", "2026-11-01T06:00", "2026-03-29T01:00", "2026-10-25T01:00",
        "2026-04-04T15:00", "2026-10-03T15:30", "2026-09-06T04:00", "2026-04-05T03:00",
        "2026-04-23T22:00", "2026-10-29T21:00", "2027-02-07T02:00",
    )
)  # fmt: skip
MINUTE = 60_000
LAW = law_of(
    rule("hours", "US", hours=week((8, 21))),
    rule(
        "sundays", "US", subdivision="AL", hours={day: (Span(0, DAY_MINUTES),) for day in range(6)}
    ),
)


@st.composite
def spans(draw: st.DrawFn) -> tuple[Span, ...]:
    start = draw(st.integers(0, 95)) * 15
    length = draw(st.integers(1, 96)) * 15
    return (Span(start, start + length),)


weeks = st.dictionaries(st.integers(0, 6), spans(), min_size=1, max_size=7)
instants = st.builds(
    lambda base, minutes: base + minutes * MINUTE,
    st.sampled_from(CHANGES),
    st.integers(-2 * DAY_MINUTES, 2 * DAY_MINUTES),
)


def open_by_the_walls(person: Person, rules: DialRules, at_ms: int) -> bool:
    """Asks every clock what it shows, and the week what it says of that."""
    return all(
        any(
            span.start <= minute + ago * DAY_MINUTES < span.end
            for ago in (0, 1)
            for span in rules.week.get((wall.weekday() - ago) % 7, ())
        )
        and 8 * 60 <= minute < 21 * 60
        and not (person.subdivision == "AL" and wall.weekday() == 6)
        for zone in person.zones
        for wall in (datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)),)
        for minute in (wall.hour * 60 + wall.minute,)
    )


@given(
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=2, unique=True),
    hours=weeks,
    now_ms=instants,
    state=st.sampled_from(("AL", "NY")),
)
@settings(max_examples=120, deadline=None)
def test_the_walls_agree_minute_by_minute(
    zones: list[str], hours: dict[int, tuple[Span, ...]], now_ms: int, state: str
) -> None:
    person = replace(NEW_YORKER, zones=tuple(zones), subdivision=state)
    rules = replace(ALWAYS, week=hours)
    answer = may_dial(person, History(), rules, LAW, now_ms)
    if isinstance(answer, Never):
        assert not any(
            open_by_the_walls(person, rules, now_ms + hour * 15 * MINUTE)
            for hour in range(4 * 24 * 8)
        )
        return
    allowed = isinstance(answer, Allowed)
    assert open_by_the_walls(person, rules, now_ms) == allowed
    edge = answer.until_ms if isinstance(answer, Allowed) else answer.again_ms
    assert open_by_the_walls(person, rules, edge) != allowed
    last = min(edge, now_ms + 9 * DAY_MINUTES * MINUTE)
    step = MINUTE if last - now_ms < DAY_MINUTES * MINUTE else 15 * MINUTE
    for at_ms in (*range(now_ms, last, step), edge - MINUTE, edge - 1):
        if now_ms <= at_ms < edge:
            assert open_by_the_walls(person, rules, at_ms) == allowed


@given(
    dials=st.lists(st.integers(0, 10 * DAY_MINUTES), max_size=6),
    caps=st.tuples(*[st.integers(1, 3)] * 4),
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True),
    now_ms=instants,
)
@example(dials=[0], caps=(1, 1, 1, 1), zones=["America/New_York"], now_ms=CHANGES[1])
@settings(max_examples=150, deadline=None)
def test_no_cap_is_overstepped_at_the_promised_instant_and_it_is_the_first(
    dials: list[int], caps: tuple[int, int, int, int], zones: list[str], now_ms: int
) -> None:
    person = replace(NEW_YORKER, zones=tuple(zones))
    made = tuple(now_ms - ago * MINUTE for ago in sorted(dials))
    history = History(here_ms=made[::2], all_ms=made)
    rules = replace(
        ALWAYS, per_day=caps[0], per_week=caps[1], all_per_day=caps[2], all_per_week=caps[3]
    )

    def within(at_ms: int) -> bool:
        for ours, per_day, per_week in (
            (history.here_ms, caps[0], caps[1]), (history.all_ms, caps[2], caps[3]),
        ):  # fmt: skip
            if sum(at_ms - 7 * 24 * 60 * MINUTE < dial for dial in ours) >= per_week:
                return False
            for zone in map(ZoneInfo, zones):
                today = datetime.fromtimestamp(at_ms / 1000, zone).date()
                days = [datetime.fromtimestamp(dial / 1000, zone).date() for dial in ours]
                if days.count(today) >= per_day:
                    return False
        return True

    answer = may_dial(person, history, rules, law_of(), now_ms)
    assert isinstance(answer, Allowed) == within(now_ms)
    if isinstance(answer, NotNow):
        assert answer.rule in (
            DialRule.CAP_DAY, DialRule.CAP_WEEK, DialRule.CAP_ALL_DAY, DialRule.CAP_ALL_WEEK
        )  # fmt: skip
        assert within(answer.again_ms)
        assert not within(answer.again_ms - 1)
        assert not any(within(at_ms) for at_ms in range(now_ms, answer.again_ms, 15 * MINUTE))


def test_a_day_is_the_persons_own_and_a_week_is_seven_times_24_hours() -> None:
    now_ms = ms("2026-11-24T03:00")  # Still the 23rd in New York.
    dial = ms("2026-11-23T15:00")
    once = replace(ALWAYS, per_day=1)
    answer = may_dial(NEW_YORKER, History(here_ms=(dial,), all_ms=(dial,)), once, law_of(), now_ms)
    assert isinstance(answer, NotNow)
    assert (answer.rule, answer.again_ms) == (DialRule.CAP_DAY, ms("2026-11-24T05:00"))
    weekly = replace(ALWAYS, per_week=1)
    answer = may_dial(
        NEW_YORKER, History(here_ms=(dial,), all_ms=(dial,)), weekly, law_of(), now_ms
    )
    assert isinstance(answer, NotNow)
    assert (answer.rule, answer.again_ms) == (DialRule.CAP_WEEK, ms("2026-11-30T15:00"))


def test_the_stricter_day_of_two_zones_decides() -> None:
    person = replace(NEW_YORKER, zones=("America/New_York", "Pacific/Apia"))
    dial = ms("2026-11-23T09:30")  # 04:30 of the 23rd in New York, 22:30 of the 23rd in Samoa.
    once = replace(ALWAYS, per_day=1)
    answer = may_dial(
        person, History(here_ms=(dial,), all_ms=(dial,)), once, law_of(), ms("2026-11-23T12:00")
    )
    assert isinstance(answer, NotNow)
    assert answer.again_ms == ms("2026-11-24T05:00")


def test_a_cap_of_the_law_counts_the_dials_of_all_campaigns() -> None:
    law = law_of(rule("florida", "US", subdivision="FL", caps=(LawCap(3, 24),)))
    dials = tuple(ms(f"2026-11-23T{hour}:00") for hour in (18, 17, 16))
    history = History(all_ms=dials)
    floridian = replace(NEW_YORKER, subdivision="FL")
    answer = may_dial(floridian, history, ALWAYS, law, ms("2026-11-23T19:00"))
    assert isinstance(answer, NotNow)
    assert (answer.rule, answer.again_ms) == (DialRule.CAP_LAW, ms("2026-11-24T16:00"))
    assert "florida" in answer.reason
    assert isinstance(may_dial(NEW_YORKER, history, ALWAYS, law, ms("2026-11-23T19:00")), Allowed)


def test_a_cap_that_lets_go_outside_the_hours_waits_for_them() -> None:
    dial = ms("2026-11-23T15:00")
    rules = replace(ALWAYS, per_day=1, week=week((9, 17)))
    answer = may_dial(
        NEW_YORKER,
        History(here_ms=(dial,), all_ms=(dial,)),
        rules,
        law_of(),
        ms("2026-11-23T16:00"),
    )
    assert isinstance(answer, NotNow)
    assert (answer.rule, answer.again_ms) == (DialRule.CAP_DAY, ms("2026-11-24T14:00"))


def test_a_span_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    friday = replace(ALWAYS, week={4: (Span(22 * 60, 26 * 60),)})
    allowed = may_dial(NEW_YORKER, History(), friday, law_of(), ms("2026-11-21T06:30"))
    assert isinstance(allowed, Allowed)
    assert allowed.until_ms == ms("2026-11-21T07:00")
    refused = may_dial(NEW_YORKER, History(), friday, law_of(), ms("2026-11-21T07:00"))
    assert isinstance(refused, NotNow)
    assert (refused.rule, refused.again_ms) == (DialRule.WEEKDAY, ms("2026-11-28T03:00"))


def test_a_holiday_goes_by_the_date_on_the_wall() -> None:
    holidays = FewHolidays({("NY", date(2026, 11, 26)): "Thanksgiving"})
    rules = replace(ALWAYS, skip_holidays=True)
    law = law_of(holidays=holidays)
    refused = may_dial(NEW_YORKER, History(), rules, law, ms("2026-11-26T05:00"))
    assert isinstance(refused, NotNow)
    assert (refused.rule, refused.again_ms) == (DialRule.HOLIDAY, ms("2026-11-27T05:00"))
    assert "Thanksgiving" in refused.reason
    before = may_dial(NEW_YORKER, History(), rules, law, ms("2026-11-26T04:59"))
    assert isinstance(before, Allowed)
    assert before.until_ms == ms("2026-11-26T05:00")
    assert isinstance(may_dial(NEW_YORKER, History(), ALWAYS, law, ms("2026-11-26T05:00")), Allowed)


def test_a_rule_of_law_begins_on_its_day_and_says_what_it_wants() -> None:
    law = law_of(
        rule("later", "US", since=date(2026, 12, 1), hours=week((9, 17)), must=("disclose_ai",)),
        rule("now", "US", until=date(2026, 12, 1), must=("identify",)),
    )
    night = may_dial(NEW_YORKER, History(), ALWAYS, law, ms("2026-12-01T04:00"))
    assert night == Allowed(ms("2026-12-01T05:00"), ("identify",))
    day = may_dial(NEW_YORKER, History(), ALWAYS, law, ms("2026-12-01T15:00"))
    assert day == Allowed(ms("2026-12-01T22:00"), ("disclose_ai",))


def test_the_campaigns_own_start_and_end() -> None:
    rules = replace(
        ALWAYS,
        week=week((9, 17)),
        starts_ms=ms("2026-11-23T02:00"),
        ends_ms=ms("2026-11-23T15:00"),
    )
    early = may_dial(NEW_YORKER, History(), rules, law_of(), ms("2026-11-20T15:00"))
    assert early == NotNow(
        DialRule.NOT_STARTED, "The campaign has not begun.", ms("2026-11-23T14:00")
    )
    last = may_dial(NEW_YORKER, History(), rules, law_of(), ms("2026-11-23T14:30"))
    assert last == Allowed(ms("2026-11-23T15:00"))
    over = may_dial(NEW_YORKER, History(), rules, law_of(), ms("2026-11-23T15:00"))
    assert isinstance(over, Never)
    assert over.rule is DialRule.CAMPAIGN_OVER
    tight = replace(rules, ends_ms=ms("2026-11-23T14:00"))
    never = may_dial(NEW_YORKER, History(), tight, law_of(), ms("2026-11-20T15:00"))
    assert isinstance(never, Never)
    assert never.rule is DialRule.CAMPAIGN_OVER


def test_hours_that_never_meet_are_said_to_be_so() -> None:
    antipodes = replace(NEW_YORKER, zones=("America/New_York", "Asia/Shanghai"))
    short = replace(ALWAYS, week=week((9, 12)))
    never = may_dial(antipodes, History(), short, law_of(), ms("2026-11-23T15:00"))
    assert isinstance(never, Never)
    assert never.rule is DialRule.WINDOW
    assert "400 days" in never.reason


@pytest.mark.parametrize("zone", ZONES)
def test_a_year_of_starts_is_nine_by_the_wall(zone: str) -> None:
    person = replace(NEW_YORKER, zones=(zone,))
    rules, law = replace(ALWAYS, week=week((9, 17))), law_of()
    now = datetime(2026, 1, 1, tzinfo=UTC)
    while now.year < 2027:
        answer = may_dial(person, History(), rules, law, round(now.timestamp() * 1000))
        if isinstance(answer, NotNow):
            wall = datetime.fromtimestamp(answer.again_ms / 1000, ZoneInfo(zone))
            assert (wall.hour, wall.minute, wall.second) == (9, 0, 0)
        now += timedelta(hours=37)
