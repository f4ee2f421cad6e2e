"""Invariant: every fault of the lab's speech can be caught as one, and says its message plainly."""

import pytest

from app.lab.speech.faults import (
    ChildCrashedError,
    DialogError,
    GrammarError,
    MissingPartError,
    SpeechError,
    TextError,
    UnknownClipError,
)


@pytest.mark.parametrize(
    "kind",
    [
        ChildCrashedError,
        DialogError,
        GrammarError,
        MissingPartError,
        TextError,
        UnknownClipError,
    ],
)
def test_a_fault_is_a_speech_error_and_shows_its_message(kind: type[SpeechError]) -> None:
    assert issubclass(kind, SpeechError)
    assert str(kind("what went wrong")) == "what went wrong"
