"""Invariant: a word too many or too few in a record is found, whichever take it belongs to."""

from collections.abc import Mapping

from bench.relay_heard import word_errors
from bench.relay_takes import Piece
from bench.relay_talk import Plan, Utterance
from bench.relay_words import from_ms, text_of, whole_ms

PLAN = Plan(3, (Utterance(0, "the name is Bado", 600, 8),))
WORDS = PLAN.words("a", 0)


def line(first: int, told: int, end: int = 8, *, interrupted: bool = True) -> Mapping[str, object]:
    """An item from a word on, of which so many are said to have been heard."""
    mark = " [interrupted]" if interrupted else ""
    return {
        "speaker": "agent",
        "text": text_of(WORDS[: first + told], first) + mark,
        "unheard": text_of(WORDS[:end], first + told),
        "interrupted": interrupted,
    }


def take(first: int, heard: int, at_ms: float) -> Piece:
    last = WORDS[first + heard - 1]
    return Piece(0, from_ms(WORDS, first), last.ended_ms if heard else 30, at_ms)


def test_words_too_many_and_too_few_are_told_with_their_sign() -> None:
    for told in range(8):
        assert word_errors(PLAN, [line(0, told)], [take(0, 4, 100)]) == [told - 4]


def test_each_line_is_compared_with_its_own_take() -> None:
    lines = [line(0, 3), line(2, 4)]
    pieces = [take(0, 3, 100), take(2, 5, 9_000)]
    assert word_errors(PLAN, lines, pieces) == [0, -1]
    again = [line(0, 1), line(0, 8, interrupted=False)]
    whole = Piece(0, 0, whole_ms(WORDS), 9_000)
    assert word_errors(PLAN, again, [take(0, 2, 100), whole]) == [-1]


def test_a_line_of_which_nothing_sounded_was_not_heard() -> None:
    assert word_errors(PLAN, [line(0, 0)], []) == [0]
    assert word_errors(PLAN, [line(0, 2)], []) == [2]


def test_a_line_that_did_not_sound_does_not_take_the_sound_of_the_next_one() -> None:
    lines = [line(0, 0), line(0, 7)]
    assert word_errors(PLAN, lines, [take(0, 8, 9_000)]) == [0, -1]
    assert word_errors(PLAN, lines, [take(0, 1, 100), take(0, 8, 9_000)]) == [-1, -1]


def test_other_lines_are_passed_over() -> None:
    others = [
        {"speaker": "caller", "text": "c03u00", "unheard": "", "interrupted": False},
        {"speaker": "agent", "text": "Hello.", "unheard": "", "interrupted": True},
    ]
    assert word_errors(PLAN, others, [take(0, 4, 100)]) == []
