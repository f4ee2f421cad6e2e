"""A variable is one line without unseen characters; a contact has no more than a call carries."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.campaigns.importing.variables import MOST_VARIABLES_BYTES, cleaned, size_bytes
from app.carriers.twilio import caller


def test_a_call_carries_as_much() -> None:
    assert MOST_VARIABLES_BYTES == caller.MOST_VARIABLES_BYTES


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (" plain ", "plain"),
        ("two\r\nlines\tand\u00a0more", "two lines and more"),
        ("Zoë\u202e\u200b\x00\x07", "Zoë"),
        ("\ufeff", ""),
    ],
)
def test_cleaned(text: str, clean: str) -> None:
    assert cleaned(text) == clean


def test_bytes_that_are_no_text_are_told() -> None:
    with pytest.raises(UnicodeEncodeError):
        cleaned("brok\udcff")


@given(st.text())
def test_nothing_unseen_stays(text: str) -> None:
    clean = cleaned(text)
    assert clean == cleaned(clean)
    assert not any(unicodedata.category(letter)[0] == "C" for letter in clean)
    assert "\n" not in clean


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=9)))
def test_size(variables: dict[str, str]) -> None:
    whole = sum(len(name.encode()) + len(value.encode()) for name, value in variables.items())
    names_in_ascii = all(name.isascii() for name in variables)
    assert not names_in_ascii or size_bytes(variables) == whole
