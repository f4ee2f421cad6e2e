"""When somebody wants to be called back is worked out by the clock where they are; what cannot be
meant is no time at all."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.campaigns.asked_times import DAYS, FURTHEST, Asked

LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
SAID_MS = 1_795_000_000_000
"""2026-11-18 11:06:40 UTC, a Wednesday; 06:06 in New York."""


def told(said: dict[str, Any], zone: ZoneInfo = LONDON) -> str:
    asked = Asked(said_at_ms=SAID_MS, **said)
    at_ms = asked.instant_ms(zone)
    return "" if at_ms is None else f"{datetime.fromtimestamp(at_ms / 1_000, UTC):%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ({"in_minutes": 30}, "11-18 11:36"),
        ({"time": "15:30"}, "11-18 15:30"),
        ({"time": "09:00"}, "11-19 09:00"),
        ({"day": "today", "time": "15:30"}, "11-18 15:30"),
        ({"day": "tomorrow", "time": "08:15"}, "11-19 08:15"),
        ({"day": "tomorrow"}, "11-19 09:00"),
        ({"day": "friday", "time": "10:00"}, "11-20 10:00"),
        ({"day": "wednesday", "time": "10:00"}, "11-25 10:00"),
        ({"day": "wednesday", "time": "17:00"}, "11-18 17:00"),
        ({"day": "2026-12-01", "time": "10:00"}, "12-01 10:00"),
    ],
)
def test_what_people_say_is_a_time(said: dict[str, Any], at: str) -> None:
    assert told(said) == at


def test_the_clock_is_the_persons() -> None:
    assert told({"time": "09:00"}, NEW_YORK) == "11-18 14:00"
    assert told({"day": "tomorrow", "time": "09:00"}, NEW_YORK) == "11-19 14:00"


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"day": "today", "time": "09:00"},
        {"day": "2026-11-17", "time": "10:00"},
        {"day": "2026-02-30"},
        {"day": "someday"},
        {"time": "25:00"},
        {"day": "2031-01-01"},
        {"in_minutes": 10**12},
    ],
)
def test_what_cannot_be_meant_is_no_time(said: dict[str, Any]) -> None:
    assert told(said) == ""


@given(
    st.integers(0, 600_000),
    st.sampled_from(["", "today", "tomorrow", *DAYS, "2026-12-24"]),
    st.times().map(lambda at: f"{at:%H:%M}"),
    st.sampled_from([LONDON, NEW_YORK, ZoneInfo("Pacific/Chatham")]),
)
def test_it_is_always_yet_to_come(minutes: int, day: str, time: str, zone: ZoneInfo) -> None:
    asked = Asked(said_at_ms=SAID_MS, in_minutes=minutes, day=day, time=time)
    at_ms = asked.instant_ms(zone)
    if at_ms is not None:
        assert SAID_MS < at_ms <= SAID_MS + FURTHEST.total_seconds() * 1_000
    assert Asked.of(asked.as_json()) == asked


@pytest.mark.parametrize("kept", [None, {}, {"said_at_ms": 1, "year": 2026}])
def test_what_is_not_kept_whole_is_nothing(kept: dict[str, int] | None) -> None:
    assert Asked.of(kept) is None
