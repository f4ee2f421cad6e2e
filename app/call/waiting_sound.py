"""When the caller hears that the agent is at work: a sound while a slow tool runs.

silent --a tool has run for after_ms with nothing to be heard--> playing
playing --the tool is back, the agent or the caller speaks--> silent
"""

from enum import StrEnum
from typing import Literal, TypeAlias

SoundStep: TypeAlias = Literal["nothing", "play", "stop"]


class SoundState(StrEnum):
    SILENT = "silent"
    PLAYING = "playing"


TRANSITIONS: dict[tuple[SoundState, str], SoundState] = {
    (SoundState.SILENT, "play"): SoundState.PLAYING,
    (SoundState.PLAYING, "stop"): SoundState.SILENT,
}


class SlowTool:
    """One per call. Times are call-clock milliseconds."""

    __slots__ = ("_waits_since_ms", "after_ms", "state")

    def __init__(self, after_ms: int = 3_000) -> None:
        """Raises `ValueError` unless `after_ms` is at least 0. 0: there is no sound."""
        if after_ms < 0:
            raise ValueError(f"expected after_ms of at least 0, got {after_ms}")
        self.after_ms = after_ms
        """How long the caller waits in silence first."""
        self.state = SoundState.SILENT
        self._waits_since_ms: int | None = None

    @property
    def playing(self) -> bool:
        return self.state is SoundState.PLAYING

    @property
    def waiting(self) -> bool:
        """A tool ran when it was told last."""
        return self.playing or self._waits_since_ms is not None

    @property
    def due_ms(self) -> int | None:
        """When `look` will say "play" though nothing happens."""
        if self.playing or not self.after_ms or self._waits_since_ms is None:
            return None
        return self._waits_since_ms + self.after_ms

    def look(self, now_ms: int, *, running: bool, silent: bool) -> SoundStep:
        """Tell after every step. `running`: a tool is; `silent`: nobody is heard or about to be,
        the sound itself not counted."""
        if not (running and silent):
            self._waits_since_ms = None
            return self._move("stop") if self.playing else "nothing"
        if self._waits_since_ms is None:
            self._waits_since_ms = now_ms
        due_ms = self.due_ms
        return self._move("play") if due_ms is not None and now_ms >= due_ms else "nothing"

    def _move(self, step: Literal["play", "stop"]) -> SoundStep:
        self.state = TRANSITIONS[self.state, step]
        return step
