"""Server-side voice activity detection on levels: when the caller begins and when they stop.

An energy detector with hysteresis stands in for the vendor's model. A threshold of 0.5 (the
default) means -40 dBFS; each 0.1 is 4 dB. Speech begins after three loud frames in a row and
lasts until `silence_ms` without a frame that comes within 6 dB of the threshold. With a longest
wait (semantic detection) each pause is asked about, and the answer says how long it may last.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

FRAME_MS: Final = 20
ONSET_FRAMES: Final = 3
ASK_AFTER_MS: Final = 200
"""So long a pause is asked about, where words end a turn."""
_RANGE_DB: Final = 40.0
_HYSTERESIS_DB: Final = 6.0
_SEMANTIC_SILENCE_MS: Final = {"low": 1200, "medium": 600, "auto": 600, "high": 350}
_SEMANTIC_LONGEST_MS: Final = {"low": 8000, "medium": 4000, "auto": 4000, "high": 2000}
_NOISE_FRAMES: Final = 100
"""The line's noise is what the quietest tenth of the last 2 s exceeds."""

Change: TypeAlias = Literal["started", "paused", "stopped"]


@dataclass(frozen=True, slots=True)
class VadSettings:
    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_ms: int = 500
    """Ends a turn. With `longest_wait_ms`: a turn whose words sound finished."""
    longest_wait_ms: int | None = None
    """Ends a turn whatever its words; None: words do not count."""
    idle_timeout_ms: int | None = None
    create_response: bool = True
    interrupt_response: bool = True

    @classmethod
    def from_config(cls, turn_detection: Mapping[str, Any]) -> "VadSettings":
        """From an effective `turn_detection` object.

        The longest waits of semantic detection are the vendor's; how long it waits when the words
        sound finished is not published, so those figures are the lab's own.
        """
        common = {
            "create_response": turn_detection["create_response"],
            "interrupt_response": turn_detection["interrupt_response"],
        }
        if turn_detection["type"] == "semantic_vad":
            eagerness = turn_detection["eagerness"]
            return cls(
                silence_ms=_SEMANTIC_SILENCE_MS[eagerness],
                longest_wait_ms=_SEMANTIC_LONGEST_MS[eagerness],
                **common,
            )
        return cls(
            threshold=turn_detection["threshold"],
            prefix_padding_ms=turn_detection["prefix_padding_ms"],
            silence_ms=turn_detection["silence_duration_ms"],
            idle_timeout_ms=turn_detection["idle_timeout_ms"],
            **common,
        )


@dataclass(frozen=True, slots=True)
class Sense:
    """How well the detector tells speech from noise, and how late it says so."""

    half_dbfs: float = -40.0
    """What a threshold of 0.5 stands for. Lower: it takes the line's noise for speech."""
    noise_margin_db: float | None = None
    """Speech is that much louder than the line's noise, too; None: the noise does not count."""
    notice_delay_ms: int = 0
    """After so much more audio it says that speech began."""


class VoiceDetector:
    """Feed it the level of every 20 ms frame; it says when speech starts, pauses and stops."""

    __slots__ = (
        "_levels",
        "_loud_frames",
        "_off_dbfs",
        "_on_dbfs",
        "_patience_ms",
        "_quiet_ms",
        "_sense",
        "asked",
        "settings",
        "speaking",
    )

    def __init__(self, settings: VadSettings, sense: Sense | None = None) -> None:
        self.settings = settings
        self._sense = sense or Sense()
        self._on_dbfs = self._sense.half_dbfs + _RANGE_DB * (settings.threshold - 0.5)
        self._off_dbfs = self._on_dbfs - _HYSTERESIS_DB
        self._levels: deque[float] = deque(maxlen=_NOISE_FRAMES)
        self.reset()

    def reset(self) -> None:
        self.speaking = False
        self._loud_frames = 0
        self._go_on()

    def _go_on(self) -> None:
        longest_ms = self.settings.longest_wait_ms
        self._quiet_ms = 0
        self._patience_ms = self.settings.silence_ms if longest_ms is None else longest_ms
        self.asked = False
        """The pause that lasts now was reported."""

    def feed(self, level_dbfs: float) -> Change | None:
        on_dbfs, off_dbfs = self._thresholds(level_dbfs)
        if self.speaking:
            return self._feed_speech(level_dbfs >= off_dbfs)
        return self._feed_silence(level_dbfs >= on_dbfs)

    def wait(self, wait_ms: int) -> bool:
        """How long the pause that was reported may last. True: it ended the speech now."""
        self._patience_ms = wait_ms
        return self._ended()

    def _thresholds(self, level_dbfs: float) -> tuple[float, float]:
        margin_db = self._sense.noise_margin_db
        if margin_db is None:
            return self._on_dbfs, self._off_dbfs
        self._levels.append(level_dbfs)
        noise_dbfs = sorted(self._levels)[len(self._levels) // 10]
        on_dbfs = max(self._on_dbfs, noise_dbfs + margin_db)
        return on_dbfs, max(self._off_dbfs, noise_dbfs + margin_db / 2)

    def _feed_silence(self, loud: bool) -> Change | None:
        self._loud_frames = self._loud_frames + 1 if loud else 0
        if self._loud_frames < ONSET_FRAMES:
            return None
        self.reset()
        self.speaking = True
        return "started"

    def _feed_speech(self, loud: bool) -> Change | None:
        if loud:
            self._go_on()
            return None
        self._quiet_ms += FRAME_MS
        if self._ended():
            return "stopped"
        by_words = self.settings.longest_wait_ms is not None
        if by_words and not self.asked and self._quiet_ms >= ASK_AFTER_MS:
            self.asked = True
            return "paused"
        return None

    def _ended(self) -> bool:
        if self._quiet_ms < self._patience_ms:
            return False
        self.reset()
        return True
