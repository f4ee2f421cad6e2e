"""The bench of the heard words finds what it promises, and its truth is whole."""

import pytest

from bench.words import measure
from bench.words_sent import Condition, Fate
from bench.words_spoken import spoken, units


def test_every_word_that_was_spoken_has_its_time() -> None:
    for said in spoken():
        assert [(word.start, word.end) for word in said.words] == units(said.text)
        edges = [edge for word in said.words for edge in (word.began_ms, word.ended_ms)]
        assert edges == sorted(edges)
        assert edges[-1] <= said.total_ms


@pytest.mark.parametrize("fate", ["whole", "unfinished"])
@pytest.mark.parametrize("lead_ms", [0, 300, 800])
def test_the_track_is_right_to_a_word_and_much_better_than_an_even_spread(
    fate: Fate, lead_ms: int
) -> None:
    even, track = measure(Condition(fate, lead_ms=lead_ms), rounds=2)

    assert track.p95_words <= 1
    assert track.mean_words < 0.5 * even.mean_words


def test_text_that_does_not_run_along_with_the_audio_misleads_less_than_an_even_spread() -> None:
    for delivery in ("once", "faster"):
        even, track = measure(Condition("unfinished", delivery), rounds=1)
        assert track.mean_words < 0.5 * even.mean_words
