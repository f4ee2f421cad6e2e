"""A key or words choose one thing or nothing: what may mean two is no choice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.onward.choosing import AGAIN, MESSAGE, PERSON, TEXT, chosen, hints, offered, spoken
from app.onward.ways import MenuOption, MenuWays, VoicemailWays, Way, Ways

REST = VoicemailWays("", 60, "")
ALL = Ways(transfers={"desk": Way("desk")}, person="desk", voicemail=REST, text="Hello.")
MENU = (
    MenuOption("1", "for sales", ("for sales", "new car"), "transfer", "desk"),
    MenuOption("2", "repairs", ("repairs", "my car"), "transfer", "desk"),
    MenuOption("#", "the end", ("the end",), "hang_up"),
)


def test_there_is_a_choice_for_each_way() -> None:
    options = offered(ALL)
    assert [(o.key, o.label) for o in options] == [
        ("1", PERSON), ("2", MESSAGE), ("3", TEXT), ("4", AGAIN),
    ]  # fmt: skip
    assert [o.does for o in options] == ["transfer", "voicemail", "sms", "agent"]
    assert options[0].value == "desk"


def test_the_assistant_alone_is_no_choice() -> None:
    assert offered(Ways()) == ()
    assert offered(Ways(person="nobody")) == ()
    assert [o.label for o in offered(Ways(voicemail=REST))] == [MESSAGE, AGAIN]


def test_the_operators_own_choices_replace_them() -> None:
    assert offered(Ways(voicemail=REST, menu=MenuWays(options=MENU))) == MENU


def test_choices_are_read_as_sentences() -> None:
    assert spoken(MENU) == "Press 1 for sales. Press 2 for repairs. Press # for the end."
    assert spoken(offered(Ways(voicemail=REST))).startswith("Press 1 to leave a message.")


def test_each_word_is_hinted_at_once() -> None:
    twice = (MENU[0], MENU[0])
    assert hints(twice) == ("for sales", "new car")


@pytest.mark.parametrize(
    ("key", "words", "choice"),
    [
        ("1", "", "1"),
        ("#", "", "#"),
        ("2", "new car", "2"),
        ("9", "new car", ""),
        ("", "New car!", "1"),
        ("", "I need REPAIRS, now", "2"),
        ("", "two", "2"),
        ("", "2.", "2"),
        ("", "number two please", "2"),
        ("", "press one", "1"),
        ("", "seven", ""),
        ("", "one or two", ""),
        ("", "my car or a new car", ""),
        ("", "car", ""),
        ("", "newcar", ""),
        ("", "", ""),
        ("", "?!", ""),
    ],
)
def test_one_is_meant_or_none(key: str, words: str, choice: str) -> None:
    option = chosen(MENU, key, words)
    assert (option.key if option else "") == choice


@given(st.text(max_size=30), st.text(max_size=60))
def test_nothing_that_callers_press_or_say_breaks_it(key: str, words: str) -> None:
    assert chosen(MENU, key, words) in (None, *MENU)
