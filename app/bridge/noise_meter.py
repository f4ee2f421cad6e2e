"""How loud a caller's line is while nobody speaks: the quieter frames of its first two seconds."""

from collections.abc import Callable
from typing import Final

from telecodecs.levels import ulaw_dbfs

MEASURED_BYTES: Final = 2 * 8_000
FRAME_BYTES: Final = 160
QUIET_SHARE: Final = 0.2
"""Speech has pauses: so many of the frames are taken to be without it."""


class NoiseMeter:
    """Fed with caller audio until it has measured; `done` is told the level in dBFS, once."""

    __slots__ = ("_done", "_heard")

    def __init__(self, done: Callable[[float], None]) -> None:
        self._done = done
        self._heard = bytearray()

    @property
    def measuring(self) -> bool:
        return len(self._heard) < MEASURED_BYTES

    def feed(self, ulaw: bytes) -> None:
        """Only while `measuring`."""
        self._heard += ulaw
        if self.measuring:
            return
        starts = range(0, MEASURED_BYTES, FRAME_BYTES)
        levels = sorted(ulaw_dbfs(bytes(self._heard[at : at + FRAME_BYTES])) for at in starts)
        self._done(levels[int(QUIET_SHARE * len(levels))])
