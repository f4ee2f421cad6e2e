"""Invariant: the pieces of an utterance are the utterance, whatever their sizes and pauses."""

import random

from hypothesis import given
from hypothesis import strategies as st

from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.pacing import audio_steps, text_steps

TEXT = st.text(max_size=80)
STALL = st.none() | st.tuples(st.integers(0, 3000), st.integers(1, 5000))


@given(
    text=TEXT,
    n_bytes=st.integers(0, 30_000),
    bytes_per_ms=st.sampled_from([8, 48]),
    lead_ms=st.integers(0, 1000),
    stall=STALL,
    seed=st.integers(),
)
def test_bytes_and_words_come_once_and_in_order(
    text: str,
    n_bytes: int,
    bytes_per_ms: int,
    lead_ms: int,
    stall: tuple[int, int] | None,
    seed: int,
) -> None:
    text = text.strip()
    behaviour = Behaviour(transcript_lead_ms=lead_ms)
    dice = random.Random(seed)
    steps = list(audio_steps(text, n_bytes, bytes_per_ms, behaviour, dice, stall))
    assert "".join(step.text for step in steps) == text
    ends = [0, *(step.end for step in steps)]
    assert [step.start for step in steps] == ends[:-1]
    assert ends[-1] == n_bytes
    assert [step.due_ms for step in steps] == sorted(step.due_ms for step in steps)


def test_audio_is_sent_faster_than_real_time_by_the_factor_asked_for() -> None:
    steps = list(audio_steps("", 8 * 6000, 8, Behaviour(speed=6.0), random.Random(1)))
    for step in steps:
        assert step.due_ms == step.start / 8 / 6.0


def test_pieces_keep_their_size_limits() -> None:
    behaviour = Behaviour(delta_min_ms=120, delta_max_ms=180)
    steps = list(audio_steps("", 8 * 5000, 8, behaviour, random.Random(2)))
    sizes_ms = [(step.end - step.start) // 8 for step in steps]
    assert all(120 <= size <= 180 for size in sizes_ms[:-1])
    assert len(set(sizes_ms)) > 3


def test_a_stall_lies_exactly_where_it_was_asked_for() -> None:
    stalled = list(
        audio_steps("", 8 * 3000, 8, Behaviour(speed=10.0), random.Random(3), (1000, 700))
    )
    before = [step for step in stalled if step.end <= 8000]
    after = [step for step in stalled if step.end > 8000]
    assert before[-1].end == 8000
    assert after[0].due_ms == 100 + 700


def test_a_stall_of_zero_comes_before_the_first_piece() -> None:
    first = next(audio_steps("", 800, 8, Behaviour(), random.Random(4), (0, 900)))
    assert (first.start, first.due_ms) == (0, 900)


def test_words_run_ahead_of_the_audio() -> None:
    words = "one two three four five six seven eight nine ten"
    steps = list(audio_steps(words, 8 * 4000, 8, Behaviour(), random.Random(5)))
    shown, n_said = 0, len(words)
    for step in steps[:-1]:
        shown += len(step.text)
        assert shown / n_said >= step.end / (8 * 4000)


@given(TEXT)
def test_a_written_answer_comes_word_by_word(text: str) -> None:
    text = text.strip()
    assert "".join(step.text for step in text_steps(text, 20)) == text
    assert all(len(step.text.split()) == 1 for step in text_steps(text, 20))
