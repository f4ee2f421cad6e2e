"""What the model said in a notice's place is told to the log once, without its words."""

import logging

import pytest

from app.call.call import Call
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    Event,
    ItemAdded,
    ModelReady,
    PhraseStored,
    ResponseCreated,
    ResponseFinished,
    StreamStarted,
    TextReceived,
)
from app.call.phases import CallSettings
from app.observe.faults import Faults

NOTICE = "This call is recorded."


def said(words: str) -> list[Event]:
    return [
        StreamStarted("CA1", "MZ1"),
        ModelReady("s", "m"),
        CallerAudioBegan(0),
        PhraseStored(NOTICE, 0),
        ResponseCreated("r1", "create-1"),
        ItemAdded("r1", "i1", "message"),
        TextReceived("r1", "i1", words),
        AudioReceived("r1", "i1", 8_000),
        ResponseFinished("r1", "completed"),
    ]


@pytest.mark.parametrize(
    ("words", "lines"), [("This call is RECORDED", 0), ("We will tape you.", 1)]
)
def test_other_words_are_logged(words: str, lines: int, caplog: pytest.LogCaptureFixture) -> None:
    call, faults = Call(CallSettings(notices=(NOTICE,))), Faults()
    with caplog.at_level(logging.WARNING):
        for at_ms, event in enumerate(said(words)):
            faults.step(call, event, call.handle(event, at_ms), at_ms)

    assert [r.message for r in caplog.records] == ["a notice was not said word for word"] * lines
    assert all(vars(r)["fields"] == {"call": "CA1"} for r in caplog.records)
