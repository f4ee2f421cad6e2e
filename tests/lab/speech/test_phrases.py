"""Invariant: what the grammar lets a caller say, the matcher understands, with the same slots."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lab.speech.phrases import (
    NOTHING,
    Choice,
    Match,
    Phrase,
    PhraseError,
    Row,
    Slot,
    Values,
    Word,
    find,
    parse_phrase,
    slots_of,
    sure_slots_of,
    to_jsgf,
    words_of,
)

VALUES: Values = {
    "party": {"two": 2, "four": 4},
    "time": {"seven": "19:00", "half past seven": "19:30"},
}
WORDS = st.sampled_from(["book", "a", "table", "now", "o'clock"]).map(Word)
PHRASES: st.SearchStrategy[Phrase] = st.recursive(
    WORDS | st.sampled_from(["party", "time"]).map(Slot),
    lambda inner: (
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Row(tuple(parts)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: Choice(tuple(parts)))
        | inner.map(lambda part: Choice((part, NOTHING)))
    ),
    max_leaves=8,
)


def written(phrase: Phrase) -> str:
    match phrase:
        case Word(text):
            return text
        case Slot(name):
            return f"<{name}>"
        case Row(parts):
            return "(" + " ".join(written(part) for part in parts) + ")"
        case Choice(options):
            left, right = "[]" if NOTHING in options else "()"
            inside = " | ".join(written(option) for option in options if option != NOTHING)
            return left + inside + right


def say(phrase: Phrase, data: st.DataObject) -> list[str]:
    match phrase:
        case Word(text):
            return [text]
        case Slot(name):
            return data.draw(st.sampled_from(sorted(VALUES[name]))).split()
        case Row(parts):
            return [word for part in parts for word in say(part, data)]
        case Choice(options):
            return say(data.draw(st.sampled_from(options)), data)


@given(PHRASES, st.data())
def test_whatever_a_phrase_can_say_it_matches_wholly(phrase: Phrase, data: st.DataObject) -> None:
    words = say(phrase, data)
    match = find(phrase, words, VALUES)
    if words:
        assert match is not None
        assert match.n_words == len(words)
        assert sure_slots_of(phrase) <= set(match.slots) <= slots_of(phrase)
    else:
        assert match is None


@given(PHRASES, st.data())
def test_writing_a_phrase_and_reading_it_back_says_the_same(
    phrase: Phrase, data: st.DataObject
) -> None:
    again = parse_phrase(written(phrase))
    words = say(phrase, data)
    assert find(again, words, VALUES) == find(phrase, words, VALUES)
    assert slots_of(again) == slots_of(phrase)


@given(PHRASES)
def test_the_grammar_is_a_phrase_without_slots(phrase: Phrase) -> None:
    assert slots_of(parse_phrase(to_jsgf(phrase, VALUES))) == frozenset()


def test_slots_are_filled_with_their_values() -> None:
    phrase = parse_phrase("a table [for <party>] [at <time>]")
    words = words_of("Yes: a table for FOUR at half past seven, please.")
    assert find(phrase, words, VALUES) == Match(8, {"party": 4, "time": "19:30"})
    assert find(phrase, ["a", "table"], VALUES) == Match(2, {})
    assert find(phrase, ["a", "chair"], VALUES) is None


def test_the_grammar_writes_slots_out() -> None:
    phrase = parse_phrase("[for] <party> (people | guests)")
    assert to_jsgf(phrase, VALUES) == "[for] (two | four) (people | guests)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a word, got 'the end'"),
        ("a | ", "expected a word, got 'the end'"),
        ("(a | b", "expected '\\)', got 'the end'"),
        ("a ]", "expected the end, got '\\]'"),
        ("[a)", "expected '\\]', got '\\)'"),
        ("Book it", "expected lower-case words, .* got 'Book it'"),
        ("for 4", "got '4'"),
        ("for <Party>", "got '<Party>'"),
    ],
)
def test_what_is_no_phrase_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(PhraseError, match=said):
        parse_phrase(text)
