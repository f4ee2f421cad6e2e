"""Where an answer broke off, the next session leaves hardly a word out and repeats few; the bench
counts both as they are."""

import pytest

from bench.words_broken import CONDITIONS, Seams, measure, seams
from bench.words_sent import Condition


def test_words_left_out_and_said_again_are_counted() -> None:
    assert seams([0, 0, 1, 2]) == Seams(4, 0.25, 1), "the last word told is said again"
    assert seams([-1] * 9 + [-2]) == Seams(10, 0.0, 3)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_hardly_a_word_is_left_out(condition: Condition) -> None:
    found = measure(condition, rounds=3)

    assert found.left_out <= {"lead": 0.02, "jitter": 0.04}.get(condition.delivery, 0.08)
    assert found.p95_again <= 3
