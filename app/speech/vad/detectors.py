"""Which detectors there are, each with the settings that suit it."""

from typing import Literal, TypeAlias, assert_never

from app.speech.vad.engine import VoiceEngine
from app.speech.vad.gate import Gate
from app.speech.vad.hearing import HearingSettings

Detector: TypeAlias = Literal["silero", "webrtc", "energy"]


def voice_engine(
    detector: Detector = "silero", settings: HearingSettings | None = None
) -> VoiceEngine:
    """One for a worker. The library that a detector needs is loaded here, not before.

    Only Silero is gated: the others cost no more than the gate, and hear silence to learn from it.
    """
    match detector:
        case "silero":
            from app.speech.vad.silero import SileroScorer  # noqa: PLC0415

            return VoiceEngine(SileroScorer(), settings, Gate())
        case "webrtc":
            from app.speech.vad.webrtc import WebRtcScorer  # noqa: PLC0415

            return VoiceEngine(WebRtcScorer(), settings)
        case "energy":
            from app.speech.vad.energy import EnergyScorer  # noqa: PLC0415

            return VoiceEngine(EnergyScorer(), settings)
    assert_never(detector)
