"""A phrase is found whatever its case, accents and punctuation, and only where it stands whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.word_lists import Phrases, WordListError, plain_words, spoken_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Uh-huh!", ("uh", "huh")),
        ("  d’accord, J'AI compris… ", ("daccord", "jai", "compris")),
        ("Schöne Grüße", ("schone", "grusse")),
        ("¿Qué? ¡Sí!", ("que", "si")),
        ("e\u0301te\u0301", ("ete",)),
        ("sœur", ("soeur",)),
        ("Hmmmm, yeahhh", ("hm", "yeah")),
        ("see 1000", ("see", "1000")),
        ("so_so", ("so", "so")),
        (" ... ", ()),
    ],
)
def test_words_are_told_from_how_they_are_written(text: str, words: tuple[str, ...]) -> None:
    assert plain_words(text) == words


def test_what_a_hyphen_joins_is_spoken_as_one_word() -> None:
    assert [spoken_words(text) for text in ("uh-huh, uh-huh", "ah - oui", "…")] == [2, 2, 0]


@given(st.text())
def test_plain_words_are_plain_already(text: str) -> None:
    words = plain_words(text)

    assert plain_words(" ".join(words)) == words


LIST = Phrases("wait [for] [just] (a | one) (moment | second)", "uh-huh | ok")


@pytest.mark.parametrize(
    "text",
    ["wait a moment", "wait for one second", "Wait just a second!", "wait for just a moment", "OK"],
)
def test_each_choice_and_what_may_be_left_out_is_a_phrase(text: str) -> None:
    words = plain_words(text)

    assert LIST.once(words, {0}) == {len(words)}


@pytest.mark.parametrize("text", ["wait", "wait a", "wait a minute", "a moment", "uh", ""])
def test_a_part_of_a_phrase_is_none(text: str) -> None:
    assert LIST.once(plain_words(text), {0}) == set()


def test_phrases_are_found_from_any_of_the_places_asked_for() -> None:
    assert LIST.once(("ok", "ok", "no"), {0, 2}) == {1}
    assert LIST.once(("ok",), {1, 7}) == set()


def test_repeated_phrases_end_wherever_one_of_them_does() -> None:
    assert LIST.repeated(plain_words("ok uh-huh no ok"), {0}) == {0, 1, 3}


def test_the_ways_to_read_the_words_do_not_multiply() -> None:
    twice = Phrases("ok [ok] [ok]", "ok ok")
    words = ("ok",) * 2_000

    assert 2_000 in twice.repeated(words, {0})


@pytest.mark.parametrize(
    "pattern",
    ["(a", "a)", "[a", "(a]", "a |", "| a", "()", "", "[a]", "[a] [b]", "a (b | )", "a - b"],
)
def test_a_list_that_is_written_wrong_is_refused(pattern: str) -> None:
    with pytest.raises(WordListError, match="expected"):
        Phrases(pattern)
