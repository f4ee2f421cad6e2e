"""Where a call is comes back as it was sent, and nothing else is taken for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.onward.journey import MOST_CHARS, Journey, JourneyError, Stop, read_journey

SMALL = st.integers(0, 999)
TEXT = st.text(max_size=40)


@given(
    st.builds(
        Journey,
        agent=TEXT,
        direction=st.sampled_from(["inbound", "outbound"]),
        stop=st.sampled_from(list(Stop)),
        to=TEXT,
        fell=st.booleans(),
        rung=SMALL,
        tries=SMALL,
        steps=SMALL,
        hold=TEXT,
        facts=TEXT,
    )
)
def test_a_journey_comes_back_as_it_was_sent(journey: Journey) -> None:
    assert read_journey(journey.as_query()) == journey


def test_only_what_is_something_travels() -> None:
    sent = Journey("house").as_query()
    assert sent == {"agent": "house", "direction": "inbound", "stop": "start"}


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"agent": "house"},
        {"stop": "nowhere"},
        {"stop": "START"},
        {"stop": "menu", "direction": "sideways"},
        {"stop": "menu", "rung": "-1"},
        {"stop": "menu", "tries": "1000"},
        {"stop": "menu", "steps": "1.5"},
        {"stop": "menu", "steps": "٣"},
        {"stop": "menu", "rung": "²"},
        {"stop": "menu", "facts": "x" * (MOST_CHARS + 1)},
        {"stop": "menu", "any": "x" * (MOST_CHARS + 1)},
    ],
)
def test_nonsense_is_no_journey(query: dict[str, str]) -> None:
    with pytest.raises(JourneyError, match="expected"):
        read_journey(query)


def test_what_else_stands_in_the_url_is_left_alone() -> None:
    assert read_journey({"stop": "menu", "asked": "1", "fell": "yes"}) == Journey(
        "", stop=Stop.MENU
    )


def test_each_stop_begins_its_tries_anew() -> None:
    journey = Journey("house", stop=Stop.MENU, tries=2, steps=4)
    moved = journey.at(Stop.TRANSFER, to="desk")
    assert (moved.stop, moved.to, moved.tries, moved.steps) == (Stop.TRANSFER, "desk", 0, 5)
    assert journey.at(Stop.MENU, tries=3).tries == 3
