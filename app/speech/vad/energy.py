"""Voice is what is clearly louder than the line's noise: the cheapest detector, and no judge of it.

The noise floor follows the level down at once and up slowly, so it learns a noise that stays and
does not take a sentence for one.
"""

from collections.abc import Sequence
from typing import Final

from app.speech.vad.slots import Slots
from telecodecs import BYTES_PER_MS, FRAME_BYTES, ulaw_dbfs

LOWEST_FLOOR_DBFS: Final = -60.0
RISE_DB_PER_S: Final = 3.0
CERTAIN_DB: Final = 20.0
"""So far above the floor the probability is 1; half as far, 0.5."""


class EnergyScorer:
    """Judges windows of one frame by their level."""

    window_bytes = FRAME_BYTES
    context_bytes = 0

    def __init__(self) -> None:
        self._slots = Slots()
        self._floors_dbfs: dict[int, float] = {}
        self._rise_db = RISE_DB_PER_S * self.window_bytes / BYTES_PER_MS / 1000

    def open(self) -> int:
        slot = self._slots.take()
        self.reset(slot)
        return slot

    def close(self, slot: int) -> None:
        del self._floors_dbfs[slot]
        self._slots.give_back(slot)

    def reset(self, slot: int) -> None:
        self._floors_dbfs[slot] = LOWEST_FLOOR_DBFS

    def score(self, slots: Sequence[int], windows: Sequence[bytes]) -> Sequence[float]:
        return [self._score(slot, window) for slot, window in zip(slots, windows, strict=True)]

    def _score(self, slot: int, window: bytes) -> float:
        level_dbfs = ulaw_dbfs(window)
        floor_dbfs = self._floors_dbfs[slot]
        self._floors_dbfs[slot] = max(
            LOWEST_FLOOR_DBFS, min(level_dbfs, floor_dbfs + self._rise_db)
        )
        return min(1.0, max(0.0, (level_dbfs - floor_dbfs) / CERTAIN_DB))
