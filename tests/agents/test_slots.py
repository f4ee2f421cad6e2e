"""The appointment desk: a time is given once, nothing is lost when a change fails, and what is
declined is told with what is possible."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.agents import load_agent
from app.tools import Toolbox, ToolError
from app.tools.references import load_function

AGENTS = Path(__file__).parents[2] / "agents"
find, book, look_up, move, cancel = (
    load_function(f"slots.py:{name}", AGENTS)
    for name in (
        "find_free_times",
        "book_appointment",
        "find_appointment",
        "move_appointment",
        "cancel_appointment",
    )
)
desk = book.__globals__
kept = cast(dict[str, Any], desk["appointments"])
FRIDAY = date(2026, 11, 20)
MONDAY, TUESDAY = FRIDAY + timedelta(days=3), FRIDAY + timedelta(days=4)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It is Friday, a quarter past ten, and the book is empty."""
    moment = datetime(2026, 11, 20, 10, 15, tzinfo=desk["ZONE"])
    monkeypatch.setitem(desk, "now", lambda: moment)
    kept.clear()
    yield
    kept.clear()


def test_free_times_are_told_a_few_at_a_time() -> None:
    assert find(MONDAY) == {
        "day": "Monday 23 November",
        "free": ["09:00", "09:30", "10:00", "10:30"],
    }
    assert find(MONDAY, "afternoon")["free"] == ["14:00", "14:30", "15:00", "15:30"]


def test_today_only_what_is_to_come_is_free() -> None:
    assert find(FRIDAY, "morning")["free"] == ["10:30", "11:00", "11:30"]


def test_what_is_booked_is_not_free_any_more() -> None:
    told = book(MONDAY, "9:30", " Mary Brown ")
    assert (told["day"], told["time"], told["name"]) == (
        "Monday 23 November",
        "09:30",
        "Mary Brown",
    )
    assert "09:30" not in find(MONDAY)["free"]
    with pytest.raises(
        ToolError, match=r"09:30 on Monday 23 November is not free. Offer 09:00 or 10:00"
    ):
        book(MONDAY, "09:30", "John Smith")
    assert len(kept) == 1


def test_a_full_day_names_the_next_one() -> None:
    for n in range(6):
        book(MONDAY, f"{9 + n // 2:02}:{n % 2 * 30:02}", "Mary Brown")
    assert find(MONDAY, "morning") == {
        "day": "Monday 23 November",
        "free": [],
        "next_day_with_free_times": "Tuesday 24 November",
    }


@pytest.mark.parametrize(
    ("day", "told"),
    [
        (FRIDAY - timedelta(days=1), "That day is over; today is Friday 20 November"),
        (FRIDAY + timedelta(days=1), "at the weekend"),
        (FRIDAY + timedelta(days=61), "next 60 days only"),
    ],
)
def test_a_day_without_appointments_is_told(day: date, told: str) -> None:
    with pytest.raises(ToolError, match=told):
        find(day)
    with pytest.raises(ToolError, match=told):
        book(day, "09:00", "Mary Brown")


@pytest.mark.parametrize("at", ["", "noon", "25:00", "9.30", "half past nine", "09:15", "12:30"])
def test_what_is_no_free_time_is_declined(at: str) -> None:
    with pytest.raises(ToolError, match=r"That is not a time|is not free"):
        book(MONDAY, at, "Mary Brown")
    assert not kept


def test_an_appointment_needs_a_name() -> None:
    with pytest.raises(ToolError, match="needs a name"):
        book(MONDAY, "09:00", "  ")


def test_an_appointment_is_moved_and_cancelled_by_its_code() -> None:
    code = book(MONDAY, "09:00", "Mary Brown")["confirmation_code"]
    spoken = " ".join(code)
    assert look_up(spoken)["time"] == "09:00"
    assert move(code, TUESDAY, "14:30")["day"] == "Tuesday 24 November"
    assert "09:00" in find(MONDAY)["free"]
    assert cancel(code)["status"] == "cancelled"
    assert not kept
    changes: list[tuple[Any, tuple[object, ...]]]
    changes = [(look_up, ()), (move, (MONDAY, "09:00")), (cancel, ())]
    for change, more in changes:
        with pytest.raises(ToolError, match="no appointment with this code"):
            change(code, *more)


def test_a_move_that_fails_loses_nothing() -> None:
    code = book(MONDAY, "09:00", "Mary Brown")["confirmation_code"]
    book(MONDAY, "10:00", "John Smith")
    with pytest.raises(ToolError, match="not free"):
        move(code, MONDAY, "10:00")
    assert look_up(code)["time"] == "09:00"
    assert move(code, MONDAY, "09:00")["time"] == "09:00", "its own time is free for it"


@given(st.lists(st.tuples(st.sampled_from([MONDAY, TUESDAY]), st.integers(0, 23)), max_size=60))
def test_no_time_is_given_twice(wishes: list[tuple[date, int]]) -> None:
    kept.clear()
    for day, hour in wishes:
        try:
            book(day, f"{hour:02}:00", "Mary Brown")
        except ToolError:
            continue
    times = [(made.day, made.at) for made in kept.values()]
    assert len(times) == len(set(times))


def test_the_agent_offers_all_of_them_to_its_model() -> None:
    agent = load_agent("appointments", [AGENTS])
    schemas = {s["name"]: s for s in Toolbox.load(agent.tools, agent.folder).schemas()}
    assert schemas["book_appointment"]["parameters"]["required"] == ["day", "at", "name"]
    assert schemas["find_free_times"]["parameters"]["properties"]["day"]["format"] == "date"
