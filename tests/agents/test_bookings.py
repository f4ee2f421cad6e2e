"""The shipped booking tool: what is confirmed is kept under its code, the rest is declined with a
sentence that the model can act on."""

from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.agents import load_agent
from app.tools import Toolbox, ToolError
from app.tools.references import load_function

AGENTS = Path(__file__).parents[2] / "agents"
book_table = load_function("bookings.py:book_table", AGENTS)
kept = cast(dict[str, Any], book_table.__globals__["bookings"])


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("19:30", "19:30"),
        ("7:30 pm", "19:30"),
        ("7 p.m.", "19:00"),
        ("7", "19:00"),
        ("7 o'clock", "19:00"),
        ("12:15pm", "12:15"),
        ("noon", "12:00"),
        ("21:00", "21:00"),
        ("1930", "19:30"),
    ],
)
def test_a_time_is_understood_as_people_say_it(said: str, meant: str) -> None:
    answer = book_table(2, said, " Ann ")
    assert answer["time"] == meant
    assert answer["party_size"] == 2
    booking = kept[str(answer["confirmation_code"])]
    assert (booking.party_size, booking.time, booking.name) == (2, meant, "Ann")


@pytest.mark.parametrize(
    "said", ["11:59", "21:01", "9 am", "07:00", "midnight", "25:00", "", "8:75"]
)
def test_another_time_is_declined_and_nothing_is_kept(said: str) -> None:
    before = len(kept)
    with pytest.raises(ToolError):
        book_table(2, said)
    assert len(kept) == before


@pytest.mark.parametrize("people", [-1, 0, 9])
def test_a_party_that_fits_no_table_is_declined(people: int) -> None:
    with pytest.raises(ToolError):
        book_table(people, "19:00")


@given(st.integers(1, 8), st.integers(12 * 60, 21 * 60))
def test_every_minute_of_the_opening_hours_can_be_booked(people: int, minute: int) -> None:
    time = f"{minute // 60}:{minute % 60:02}"
    answer = book_table(people, time)
    assert answer["time"] == time
    assert len(str(answer["confirmation_code"])) == 4


async def test_the_receptionists_toolbox_books_a_table() -> None:
    agent = load_agent("receptionist", [AGENTS])
    toolbox = Toolbox.load(agent.tools, agent.folder)
    assert [schema["name"] for schema in toolbox.schemas()] == ["book_table", "hang_up"]
    assert toolbox.schemas()[0]["parameters"]["required"] == ["party_size", "time"]
    result = await toolbox.run("book_table", '{"party_size": 4, "time": "19:00"}')
    assert result.ok
    declined = await toolbox.run("book_table", '{"party_size": 4, "time": "23:00"}')
    assert not declined.ok
    assert "noon to 9 pm" in declined.output
