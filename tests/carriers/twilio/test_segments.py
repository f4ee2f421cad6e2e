"""A text is counted as networks count it; no piece of it is too long and no word is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.carriers.twilio.segments import MOST_CHARACTERS, length, segments, split

ASTRONAUT = "👩🏽‍🚀"


@pytest.mark.parametrize(
    ("text", "alphabet", "count"),
    [
        ("", "gsm-7", 0),
        ("a" * 160, "gsm-7", 1),
        ("a" * 161, "gsm-7", 2),
        ("a" * 306, "gsm-7", 2),
        ("a" * 307, "gsm-7", 3),
        ("€" * 80, "gsm-7", 1),
        ("€" * 81, "gsm-7", 2),
        ("a" * 152 + "€" + "a" * 152, "gsm-7", 3),  # no escape stands at a segment's end
        ("ç" * 70, "ucs-2", 1),
        ("ç" * 71, "ucs-2", 2),
        ("é à ö ñ Ω", "gsm-7", 1),
        ("😀" * 35, "ucs-2", 1),
        ("😀" * 36, "ucs-2", 2),
        ("😀" * 67, "ucs-2", 3),  # 33 to a segment: a pair is not torn apart
        ("“quoted”", "ucs-2", 1),
    ],
)
def test_segments_are_counted_by_the_alphabet_that_the_text_needs(
    text: str, alphabet: str, count: int
) -> None:
    found = segments(text)
    assert (found.alphabet, found.count) == (alphabet, count)


def test_a_text_is_cut_after_a_sentence_where_there_is_one() -> None:
    assert split("First. Second one. Third", 20) == ["First. Second one.", "Third"]
    assert split("alpha beta gamma", 11) == ["alpha beta", "gamma"]
    assert split("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]
    assert split("  \n ") == []


def test_an_emoji_of_several_parts_is_never_cut() -> None:
    pieces = split(ASTRONAUT * 30, 20)
    assert "".join(pieces) == ASTRONAUT * 30
    assert all(piece.replace(ASTRONAUT, "") == "" for piece in pieces)


@given(st.text(max_size=400), st.integers(10, 60))
def test_no_piece_is_too_long_and_nothing_but_blanks_is_lost(text: str, most: int) -> None:
    pieces = split(text, most)
    assert all(0 < length(piece) <= most for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_by_default_a_piece_is_what_twilio_takes() -> None:
    assert [length(piece) for piece in split("word " * 800)] == [1_599, 1_599, 799]
    assert MOST_CHARACTERS == 1_600
