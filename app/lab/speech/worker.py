"""The inside of a worker process: answer questions one after another until the asker goes away."""

import os
import sys
from collections.abc import Callable
from typing import BinaryIO, TypeAlias

from app.lab.speech.faults import SpeechError
from app.lab.speech.frames import Answer, frame, read_question

Handler: TypeAlias = Callable[[bytes], bytes]


def serve(make_handler: Callable[[], Handler]) -> int:
    """Answer on standard output what arrives on standard input; returns the exit status.

    `make_handler` does the slow set-up. A `SpeechError` is the asker's fault and is told to it; any
    other exception ends the process, so that a broken state never answers a second question.
    """
    questions = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # C libraries may print; nothing but answers may reach the asker.
    os.dup2(2, 1)
    try:
        handler = make_handler()
    except SpeechError as error:
        _send(answers, Answer(0, fault="worker", message=str(error)))
        return 1
    _send(answers, Answer(0))
    while (question := read_question(questions)) is not None:
        try:
            answer = Answer(question.number, payload=handler(question.payload))
        except SpeechError as error:
            answer = Answer(question.number, fault="asker", message=str(error))
        _send(answers, answer)
    return 0


def _send(answers: BinaryIO, answer: Answer) -> None:
    try:
        answers.write(frame(answer))
        answers.flush()
    except BrokenPipeError:
        sys.exit(0)  # the asker is gone: nobody to tell
