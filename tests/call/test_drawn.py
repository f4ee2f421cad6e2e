"""The page of state machines shows the tables that the code runs on."""

from pathlib import Path

from app.call.drawn import page
from app.call.phases import TRANSITIONS

PAGE = Path(__file__).parents[2] / "docs" / "state-machines.md"


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text() == page(), "run: python -m app.call.drawn > docs/state-machines.md"


def test_every_transition_of_the_call_is_drawn() -> None:
    for (state, happening), then in TRANSITIONS.items():
        assert f"{state} --> {then}: {happening}" in page()
