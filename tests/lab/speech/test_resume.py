"""Invariant: an answer that was cut goes on with the sentence that broke off, and nothing that says
a call goes on is taken for a wish to be greeted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lab.speech.resume import (
    goes_on,
    last_sentence,
    rest_of,
    told_in_progress,
    told_to_begin_with,
    without_first_sentence,
)

WHOLE = "We open at noon. The last seating is at nine. You find us at the ferry."


@pytest.mark.parametrize(
    ("heard", "rest"),
    [
        ("", WHOLE),
        ("[interrupted]", WHOLE),
        ("We open [interrupted]", WHOLE),
        ("We open at noon. [interrupted]", WHOLE[17:]),
        ("We open at noon. The last [interrupted]", WHOLE[17:]),
        (WHOLE, "You find us at the ferry."),
        ("Sorry, we were cut off. We open at noon. The last [interrupted]", WHOLE[17:]),
        ("The last seating [interrupted]", WHOLE[17:]),
        ("Something else entirely", WHOLE),
    ],
)
def test_the_rest_begins_with_the_sentence_that_broke_off(heard: str, rest: str) -> None:
    assert rest_of(WHOLE, heard) == rest


@given(st.integers(0, len(WHOLE)))
def test_what_was_heard_and_the_rest_hold_the_whole(end: int) -> None:
    rest = rest_of(WHOLE, WHOLE[:end].rsplit(" ", 1)[0])
    assert WHOLE.endswith(rest)
    assert len(rest) >= len(WHOLE) - end


@pytest.mark.parametrize(
    "told",
    [
        "The call is in progress: go on where it stands.",
        "You have spoken with them. Do not greet them or introduce yourself again.",
        "Continue without greeting.",
        "The call goes on from here.",
        'Summary of the call:\n{"facts": ["Ada"]}',
        '{"facts": ["Ada"], "open": []}',
    ],
)
def test_a_call_in_progress_is_known_by_what_is_said_of_it(told: str) -> None:
    assert told_in_progress(told)


@pytest.mark.parametrize("told", ["", "Greet the caller.", "You answer calls.", '{"size": 4}'])
def test_a_call_that_begins_is_not_in_progress(told: str) -> None:
    assert not told_in_progress(told)


def test_going_on_needs_to_be_asked_for_and_something_that_broke_off() -> None:
    assert goes_on("Continue from there.", cut=True)
    assert goes_on("You were cut off. Go on.", cut=False)
    assert not goes_on("Go on where the call stands.", cut=False)
    assert not goes_on("Answer.", cut=True)


def test_a_phrase_to_begin_with_is_the_one_in_quotes() -> None:
    told = 'The line broke. Say so in a phrase, such as "Sorry, we were cut off.", and go on.'
    assert told_to_begin_with(told) == "Sorry, we were cut off."
    assert told_to_begin_with("Go on.") == ""


def test_what_is_quoted_in_a_later_sentence_is_no_beginning() -> None:
    told = 'If you did not catch it, say so and ask again. To book, say "One moment" first.'
    assert told_to_begin_with(told) == ""


def test_sentences() -> None:
    assert last_sentence(WHOLE) == "You find us at the ferry."
    assert without_first_sentence("Hello! How can I help?") == "How can I help?"
    assert without_first_sentence("Hello!") == ""
