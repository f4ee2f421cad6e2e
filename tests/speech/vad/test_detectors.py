"""Invariant: every detector that can be chosen hears a caller begin and stop, through the same
interface, and says so at about the right places."""

from typing import get_args

import pytest

from app.lab.speech.voices import voice_clip
from app.speech.vad.changes import VoiceChange, VoiceStarted, VoiceStopped
from app.speech.vad.detectors import Detector, voice_engine

CLIP = voice_clip("opening_hours_slt")


@pytest.mark.parametrize("detector", get_args(Detector))
def test_a_caller_who_speaks_once_is_heard_once(detector: Detector) -> None:
    engine = voice_engine(detector)
    told: list[VoiceChange] = []
    stream = engine.open(told.append)
    ulaw = b"\xff" * 8000 + CLIP.ulaw + b"\xff" * 8000
    for at in range(0, len(ulaw), 160):
        stream.feed(ulaw[at : at + 160])
        while engine.due:
            engine.run()
    started, stopped = told
    assert isinstance(started, VoiceStarted)
    assert isinstance(stopped, VoiceStopped)
    assert 1000 <= started.began_ms < 1300
    assert -26 < started.level_dbfs < -14
    assert started.began_ms < stopped.ended_ms <= 1000 + CLIP.duration_ms + 100
    assert stopped.voiced_ms > 0.6 * CLIP.duration_ms
