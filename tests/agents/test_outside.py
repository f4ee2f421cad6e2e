"""Words from outside stay one line of data in a prompt, and only harmless ones are spoken."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.agents.outside import (
    CLOSES,
    MOST_HEADER,
    MOST_SPOKEN,
    MOST_TOLD,
    OPENS,
    UNKNOWN,
    as_data,
    as_header,
    speakable,
    tidied,
)
from tests.agents.injections import INJECTIONS

ANY = st.text(st.characters(exclude_categories=())) | st.sampled_from(INJECTIONS)


@pytest.mark.parametrize("value", INJECTIONS)
def test_an_injection_is_one_line_of_data(value: str) -> None:
    assert_is_data(as_data(value))


@given(ANY, ANY)
def test_whatever_comes_is_one_line_of_data(one: str, other: str) -> None:
    assert_is_data(as_data(one + other))


def assert_is_data(data: str) -> None:
    if data == UNKNOWN:
        return
    assert data[0] == OPENS and data[-1] == CLOSES
    inside = data[1:-1]
    assert 0 < len(inside) <= MOST_TOLD
    assert inside == inside.strip()
    assert not set(inside) & set(f'{OPENS}{CLOSES}{{}}[]<>"`|\\')
    assert "##" not in inside and "**" not in inside and " # " not in f" {inside} "
    assert not inside.startswith(("#", "-", "=", ">", "*"))
    kinds = {unicodedata.category(letter) for letter in inside}
    assert not kinds & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert "\n" not in inside and len(inside.splitlines()) == 1


@pytest.mark.parametrize(
    "name",
    ["Ada", "O'Brien", "Jean-Luc Müller", "Dr. Ada B. King", "山田太郎", "أحمد", "+15550100001",
     "4711/a", "Müller & Söhne, Köln", "C# programmer"],
)  # fmt: skip
def test_ordinary_values_stay_as_they_are(name: str) -> None:
    assert as_data(name) == f"{OPENS}{name}{CLOSES}"


def test_the_end_of_a_long_value_is_cut() -> None:
    assert as_data("x" * (MOST_TOLD + 1)) == f"{OPENS}{'x' * (MOST_TOLD - 1)}…{CLOSES}"
    assert as_data("x" * MOST_TOLD) == f"{OPENS}{'x' * MOST_TOLD}{CLOSES}"


@given(ANY)
def test_what_is_spoken_holds_letters_digits_and_usual_marks(value: str) -> None:
    said = speakable(value)
    assert len(said) <= MOST_SPOKEN
    assert all(unicodedata.category(c)[0] in "LMN" or c in " .,'’-&/+" for c in said)


@pytest.mark.parametrize("value", [v for v in INJECTIONS if v.strip()])
def test_an_injection_is_not_spoken(value: str) -> None:
    assert speakable(value) == ""


@pytest.mark.parametrize("name", ["Ada", "O'Brien", "Jean-Luc  Müller ", "山田太郎", "Dr. King"])
def test_a_name_is_spoken(name: str) -> None:
    assert speakable(name) == " ".join(name.split())


@pytest.mark.parametrize("value", ["...", "- -", "Ada?", "Ada: hello", "a@b.example", "x" * 41])
def test_what_looks_like_no_name_is_not_spoken(value: str) -> None:
    assert speakable(value) == ""


@pytest.mark.parametrize(
    ("sentence", "tidy"),
    [
        ("Hello , how are you?", "Hello, how are you?"),
        ("Hello, !", "Hello!"),
        ("Good day  , madam .", "Good day, madam."),
        ("Hello, Ada. Fine.", "Hello, Ada. Fine."),
    ],
)
def test_a_gap_in_a_sentence_is_closed(sentence: str, tidy: str) -> None:
    assert tidied(sentence) == tidy


@given(st.one_of(st.text(), st.sampled_from(INJECTIONS)))
def test_a_header_is_one_short_line_of_plain_letters(value: str) -> None:
    sent = as_header(value)
    assert sent.isascii() and (sent.isprintable() or not sent)
    assert "%" not in sent, "nothing that a second reader decodes"
    assert len(sent) <= MOST_HEADER
    assert sent == as_header(sent)


def test_letters_with_marks_keep_their_letters() -> None:
    assert as_header("Zoë  Łuć\r\nX-A: 1") == "Zoe uc X-A: 1"
