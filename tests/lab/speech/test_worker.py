"""Invariant: a worker answers in order on its output and ends when nobody asks any more."""

import subprocess
import sys

from app.lab.speech.frames import Answer, Question, frame

WORKER = [sys.executable, "-m", "tests.lab.speech.odd_worker"]


def test_answers_come_in_order_and_the_end_of_input_ends_the_worker() -> None:
    asked = b"".join(
        frame(question)
        for question in (Question(1, b"say a"), Question(2, b"refuse b"), Question(3, b"say c"))
    )
    done = subprocess.run(WORKER, input=asked, capture_output=True, check=True)
    assert done.stdout == b"".join(
        frame(answer)
        for answer in (
            Answer(0),
            Answer(1, b"a"),
            Answer(2, fault="asker", message="no such thing: b"),
            Answer(3, b"c"),
        )
    )


def test_a_missing_part_is_the_first_and_last_message() -> None:
    done = subprocess.run([*WORKER, "missing"], input=b"", capture_output=True, check=False)
    assert done.returncode == 1
    message = "the part is missing; mend it with: buy one"
    assert done.stdout == frame(Answer(0, fault="worker", message=message))
