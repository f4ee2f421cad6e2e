"""Invariant: words that break off sound unfinished, and whole answers do not, however short."""

import pytest

from app.lab.realtime.completeness import sounds_finished


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ... ",
        "I'd like a table for",
        "I’ll",
        "a table on Friday and",
        "because",
        "My name is",
        "it starts with the",
        "um",
        "Friday, uh.",
        "a table,",
        "we were going to -",
        "I would",
        "five five five",
        "4 0 7",
    ],
)
def test_words_that_break_off_are_unfinished(text: str) -> None:
    assert not sounds_finished(text)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "Yes.",
        "no thanks",
        "a table for two",
        "a table for two at three",
        "for 20",
        "at 7:30",
        "4071",
        "four oh seven one",
        "yes I would",
        "I think so.",
        "Where are you from?",
        "What is that for?",
    ],
)
def test_whole_answers_are_finished(text: str) -> None:
    assert sounds_finished(text)


@pytest.mark.parametrize(
    ("text", "asked", "finished"),
    [
        ("555 018", "What is your phone number?", False),
        ("it's 555 0180 9", "What is your phone number?", True),
        ("four oh seven", "Your four-digit code, please.", False),
        ("four oh seven one", "Your four-digit code, please.", True),
        ("four oh seven", "Tell me the 3 digits on the back.", True),
        ("4242 4242", "And the card number?", False),
        ("four", "Your code is set. For how many people?", True),
        ("four", "And the code?", False),
    ],
)
def test_a_number_that_was_asked_for_is_awaited_to_its_end(
    text: str, asked: str, finished: bool
) -> None:
    assert sounds_finished(text, asked) is finished
