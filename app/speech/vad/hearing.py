"""From the probabilities of voice, window by window, to where a voice began and stopped. Pure."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class HearingSettings:
    """Raises ValueError for values out of range."""

    onset_threshold: float = 0.5
    """A voice begins with windows at least this probable ..."""
    onset_ms: int = 64
    """... that last this long without a break (rounded up to whole windows)."""
    offset_threshold: float = 0.35
    """Once it has begun, windows at least this probable go on with it."""
    hangover_ms: int = 200
    """It has stopped when none came for this long. Shorter pauses belong to the voice."""

    def __post_init__(self) -> None:
        if not 0 < self.offset_threshold <= self.onset_threshold < 1:
            raise ValueError(
                "Expected 0 < offset_threshold <= onset_threshold < 1; "
                f"got {self.offset_threshold} and {self.onset_threshold}."
            )
        if not 0 < self.onset_ms <= 1000:
            raise ValueError(f"Expected onset_ms of 1 to 1000; got {self.onset_ms}.")
        if not 0 < self.hangover_ms <= 10_000:
            raise ValueError(f"Expected hangover_ms of 1 to 10,000; got {self.hangover_ms}.")


class Hearing:
    """One per stream. Windows follow one another without gaps, all `window_ms` long."""

    __slots__ = (
        "_run",
        "_settings",
        "_voiced",
        "_window_ms",
        "_windows_to_begin",
        "began_ms",
        "ended_ms",
        "in_voice",
    )

    def __init__(self, settings: HearingSettings, window_ms: int) -> None:
        self._settings = settings
        self._window_ms = window_ms
        self._windows_to_begin = -(-settings.onset_ms // window_ms)
        self.reset()

    def reset(self) -> None:
        """Forget a voice that goes on."""
        self.in_voice = False
        self.began_ms = 0
        self.ended_ms = 0
        self._run = 0
        self._voiced = 0

    @property
    def voiced_ms(self) -> int:
        """How much voice the newest one held."""
        return self._voiced * self._window_ms

    def hear(self, probability: float, end_ms: int) -> Literal["began", "stopped"] | None:
        """Take the window that ends at `end_ms`; what changed with it stands in the attributes."""
        if self.in_voice:
            return self._go_on(probability, end_ms)
        if probability < self._settings.onset_threshold:
            self._run = 0
            return None
        self._run += 1
        if self._run < self._windows_to_begin:
            return None
        self.in_voice = True
        self.began_ms = end_ms - self._run * self._window_ms
        self.ended_ms = end_ms
        self._voiced = self._run
        return "began"

    def _go_on(self, probability: float, end_ms: int) -> Literal["stopped"] | None:
        if probability >= self._settings.offset_threshold:
            self.ended_ms = end_ms
            self._voiced += 1
            return None
        if end_ms - self.ended_ms < self._settings.hangover_ms:
            return None
        self.in_voice = False
        self._run = 0
        return "stopped"
