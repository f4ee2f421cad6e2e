"""The guess that the bench compares with loses no word and breaks none."""

from hypothesis import given
from hypothesis import strategies as st

from bench.words_evenly import split_at_word

words = st.lists(st.text(alphabet="abc", min_size=1, max_size=8), min_size=1, max_size=12)


@given(words, st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_split_loses_no_word_and_breaks_none(said: list[str], heard: int, received: int) -> None:
    before, after = split_at_word(" ".join(said), heard, received)

    assert before.split() + after.split() == said


@given(words, st.integers(1, 10_000))
def test_nothing_heard_is_no_word_and_all_heard_is_every_word(
    said: list[str], received: int
) -> None:
    text = " ".join(said)

    assert split_at_word(text, 0, received) == ("", text)
    assert split_at_word(text, received, received) == (text, "")


@given(words, st.integers(0, 5_000), st.integers(0, 5_000))
def test_more_audio_is_never_fewer_words(said: list[str], one: int, other: int) -> None:
    text = " ".join(said)
    less, _ = split_at_word(text, min(one, other), 5_000)
    more, _ = split_at_word(text, max(one, other), 5_000)

    assert len(less) <= len(more)
