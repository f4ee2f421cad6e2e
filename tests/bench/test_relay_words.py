"""Invariant: each word of the bench is found again by itself, takes as long as a voice needs, and
has its place in time whatever part of the answer it is said in."""

from itertools import pairwise
from statistics import mean

import pytest

from bench.relay_words import (
    APART,
    MOST_ANSWERS,
    MOST_WORDS,
    ONSET_MS,
    Letter,
    Place,
    found_in,
    from_ms,
    heard_words,
    text_of,
    whole_ms,
    words_of,
)


def test_every_word_is_found_again_by_itself() -> None:
    answers: list[tuple[Letter, int]] = [("g", number) for number in APART]
    answers += [("a", n) for n in range(MOST_ANSWERS)] + [("p", n) for n in range(MOST_ANSWERS)]
    for letter, number in answers:
        for index, word in enumerate(words_of(letter, number, MOST_WORDS)):
            assert found_in(word.text) == [Place(letter, number, index)]


def test_a_part_of_an_answer_is_found_in_what_else_stands_there() -> None:
    words = words_of("a", 4, 12)
    found = found_in(f"Agent: {text_of(words[:7], 3)} [interrupted]")
    assert found == [Place("a", 4, index) for index in range(3, 7)]


def test_words_take_as_long_as_a_voice_needs() -> None:
    lengths = [
        (last.ended_ms - first.began_ms) / len(words)
        for number in range(MOST_ANSWERS)
        if (words := words_of("a", number, 14))
        for first, last in [(words[0], words[-1])]
    ]
    assert 300 < mean(lengths) < 420, "150 to 200 words a minute"
    every = [w for number in range(MOST_ANSWERS) for w in words_of("a", number, MOST_WORDS)]
    taken_ms = {w.ended_ms - w.began_ms for w in every}
    assert min(taken_ms) > ONSET_MS, "or a breath would pass for a word"
    assert len(taken_ms) > 100


def test_where_a_word_lies_does_not_hang_on_how_many_follow() -> None:
    short, long = words_of("a", 2, 5), words_of("a", 2, 20)
    assert [w.began_ms for w in short] == [w.began_ms for w in long[:5]]
    assert all(before.ended_ms <= after.began_ms for before, after in pairwise(long))


def test_a_word_is_heard_when_all_of_it_was() -> None:
    words = words_of("a", 1, 6)
    assert heard_words(words, 0, whole_ms(words)) == range(6)
    assert heard_words(words, 0, words[3].ended_ms) == range(4)
    assert heard_words(words, 0, words[3].ended_ms - 1) == range(3)
    assert heard_words(words, from_ms(words, 2), whole_ms(words)) == range(2, 6)
    assert from_ms(words, 0) == 0
    assert from_ms(words, 2) == words[2].began_ms - ONSET_MS, "a breath before it"
    assert len(heard_words(words, 0, words[0].ended_ms - 1)) == 0


def test_an_answer_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="24 words at most"):
        words_of("a", 1, MOST_WORDS + 1)
