"""Server-side voice activity detection on levels: when the caller begins and when they stop.

An energy detector with hysteresis stands in for the vendor's model. A threshold of 0.5 (the
default) means -40 dBFS; each 0.1 is 4 dB. Speech begins after three loud frames in a row and
lasts until `silence_ms` without a frame that comes within 6 dB of the threshold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

FRAME_MS: Final = 20
ONSET_FRAMES: Final = 3
_LOWEST_DBFS: Final = -60.0
_RANGE_DB: Final = 40.0
_HYSTERESIS_DB: Final = 6.0
_SEMANTIC_SILENCE_MS: Final = {"low": 1200, "medium": 600, "auto": 600, "high": 350}

Change: TypeAlias = Literal["started", "stopped"]


@dataclass(frozen=True, slots=True)
class VadSettings:
    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_ms: int = 500
    idle_timeout_ms: int | None = None
    create_response: bool = True
    interrupt_response: bool = True

    @classmethod
    def from_config(cls, turn_detection: Mapping[str, Any]) -> "VadSettings":
        """From an effective `turn_detection` object. Semantic VAD is approximated: an eager model
        waits for a shorter silence."""
        common = {
            "create_response": turn_detection["create_response"],
            "interrupt_response": turn_detection["interrupt_response"],
        }
        if turn_detection["type"] == "semantic_vad":
            return cls(silence_ms=_SEMANTIC_SILENCE_MS[turn_detection["eagerness"]], **common)
        return cls(
            threshold=turn_detection["threshold"],
            prefix_padding_ms=turn_detection["prefix_padding_ms"],
            silence_ms=turn_detection["silence_duration_ms"],
            idle_timeout_ms=turn_detection["idle_timeout_ms"],
            **common,
        )


class VoiceDetector:
    """Feed it the level of every 20 ms frame; it says when speech starts and stops."""

    __slots__ = ("_loud_frames", "_off_dbfs", "_on_dbfs", "_quiet_ms", "settings", "speaking")

    def __init__(self, settings: VadSettings) -> None:
        self.settings = settings
        self.speaking = False
        self._on_dbfs = _LOWEST_DBFS + _RANGE_DB * settings.threshold
        self._off_dbfs = self._on_dbfs - _HYSTERESIS_DB
        self._loud_frames = 0
        self._quiet_ms = 0

    def reset(self) -> None:
        self.speaking = False
        self._loud_frames = 0
        self._quiet_ms = 0

    def feed(self, level_dbfs: float) -> Change | None:
        return self._feed_speech(level_dbfs) if self.speaking else self._feed_silence(level_dbfs)

    def _feed_silence(self, level_dbfs: float) -> Change | None:
        if level_dbfs < self._on_dbfs:
            self._loud_frames = 0
            return None
        self._loud_frames += 1
        if self._loud_frames < ONSET_FRAMES:
            return None
        self.reset()
        self.speaking = True
        return "started"

    def _feed_speech(self, level_dbfs: float) -> Change | None:
        if level_dbfs >= self._off_dbfs:
            self._quiet_ms = 0
            return None
        self._quiet_ms += FRAME_MS
        if self._quiet_ms < self.settings.silence_ms:
            return None
        self.reset()
        return "stopped"
