"""Invariant: WebRTC's detector hears speech and not silence, each stream for itself."""

import pytest

from app.lab.speech.voices import voice_clip
from app.speech.vad.webrtc import WebRtcScorer

SPEECH = voice_clip("opening_hours_slt").ulaw
FRAME = WebRtcScorer.window_bytes


def frames_of(ulaw: bytes) -> list[bytes]:
    return [ulaw[at : at + FRAME] for at in range(0, len(ulaw) - FRAME + 1, FRAME)]


def test_it_hears_speech_beside_a_silent_stream() -> None:
    scorer = WebRtcScorer()
    silent, spoken = scorer.open(), scorer.open()
    scores = [scorer.score([silent, spoken], [b"\xff" * FRAME, f]) for f in frames_of(SPEECH)]
    assert sum(score for score, _ in scores) == 0
    assert sum(score for _, score in scores) > 0.5 * len(scores)


def test_a_slot_can_be_closed_and_used_again() -> None:
    scorer = WebRtcScorer()
    slot = scorer.open()
    first = [scorer.score([slot], [frame])[0] for frame in frames_of(SPEECH)]
    scorer.close(slot)
    assert scorer.open() == slot
    assert [scorer.score([slot], [frame])[0] for frame in frames_of(SPEECH)] == first


def test_a_mode_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 3"):
        WebRtcScorer(4)
