"""Invariant: a stream of questions is read back whole, or ends; nothing is read past its end."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lab.speech.frames import MAX_FRAME_BYTES, Question, body_length, frame, read_question

QUESTIONS = st.builds(Question, number=st.integers(0, 2**32), payload=st.binary(max_size=200))


@given(st.lists(QUESTIONS))
def test_questions_are_read_back_in_order(questions: list[Question]) -> None:
    stream = io.BytesIO(b"".join(frame(question) for question in questions))
    assert [read_question(stream) for _ in questions] == questions
    assert read_question(stream) is None


@given(QUESTIONS, st.data())
def test_a_stream_that_ends_inside_a_question_is_at_its_end(
    question: Question, data: st.DataObject
) -> None:
    whole = frame(question)
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert read_question(io.BytesIO(whole[:cut])) is None


def test_a_length_that_is_none_of_ours_is_refused() -> None:
    assert body_length(b"\x00\x00\x00\x07") == 7
    with pytest.raises(ValueError, match=f"may hold {MAX_FRAME_BYTES} bytes, got 4294967295"):
        body_length(b"\xff\xff\xff\xff")
