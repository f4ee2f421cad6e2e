"""Invariant: a summary is one JSON object that holds what the caller said word for word, and what
an earlier summary held is never lost."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.lab.realtime.ports import Turn
from app.lab.speech.summary import KEYS, last_summary, summarise, texts_of

SAID = "My name is Ada King, born on 24 March, code 4071."
BOOKING = [
    Turn("user", SAID),
    Turn("function_call", '{"party_size":4}', "book_table"),
    Turn("function_call_output", '{"confirmation_code":"77"}'),
    Turn("assistant", "Your table is booked."),
]


def written(*turns: Turn, told: str = "") -> dict[str, Any]:
    value = json.loads(summarise(turns, told))
    assert isinstance(value, dict)
    return value


def test_a_summary_has_all_keys_and_holds_what_was_said_word_for_word() -> None:
    summary = written(*BOOKING)
    assert tuple(summary) == KEYS
    assert summary["facts"] == [SAID]
    assert summary["agreed"] == ["Your table is booked."]
    assert summary["tools"] == ['book_table {"party_size":4} -> {"confirmation_code":"77"}']
    assert SAID in summary["who"]
    assert summary["open"] == []


def test_what_is_open_is_said() -> None:
    asked = [*BOOKING, Turn("assistant", "Is there anything else?")]
    assert written(*asked)["open"] == ["the agent asked: Is there anything else?"]
    waiting = [*asked, Turn("user", "are you open on sunday")]
    assert written(*waiting)["open"] == ["not answered yet: are you open on sunday"]
    assert written(*BOOKING[:2])["open"] == ["the result of book_table is awaited"]


def test_an_earlier_summary_is_carried_over_however_often() -> None:
    told = summarise(BOOKING, "")
    for number in range(5):
        turns = [Turn("user", f"fact {number}")]
        told = summarise(turns, f"Keep what holds:\n{told}")
    summary = json.loads(told)
    assert summary["facts"] == [SAID, *(f"fact {number}" for number in range(5))]
    assert summary["agreed"] == ["Your table is booked."]
    assert "77" in str(summary["tools"])
    assert SAID in summary["who"]


def test_what_was_open_is_not_open_for_ever() -> None:
    earlier = json.dumps({"open": ["which day?"], "facts": ["Ada"]})
    assert written(told=earlier)["open"] == ["which day?"]
    assert written(Turn("system", "Be kind."), told=earlier)["open"] == ["which day?"]
    assert written(Turn("user", "monday"), Turn("assistant", "Good."), told=earlier)["open"] == []


def test_the_last_summary_of_a_text_counts_and_other_objects_do_not() -> None:
    old, new = json.dumps({"facts": ["old"]}), json.dumps({"facts": "new", "tools": ["f {} -> {}"]})
    told = f'Use {{braces}} and {{"size": 4}}.\n{old}\nthen {new} and {{"size": 5}} {{'
    assert texts_of(last_summary(told), "facts") == ["new"]
    assert last_summary('no {"size": 4} here') == {}


@given(st.text())
def test_any_text_can_be_searched_for_a_summary(text: str) -> None:
    assert isinstance(last_summary(text), dict)
    told = summarise([Turn("user", "Ada")], "")
    assert texts_of(last_summary(text.replace("{", "") + told), "facts") == ["Ada"]


@given(st.lists(st.text(min_size=1), max_size=8), st.lists(st.text(min_size=1), max_size=8))
def test_no_fact_is_lost_between_two_summaries(first: list[str], second: list[str]) -> None:
    told = summarise([Turn("user", text) for text in first], "")
    both = written(*(Turn("user", text) for text in second), told=told)
    assert set(both["facts"]) == {*first, *second}
