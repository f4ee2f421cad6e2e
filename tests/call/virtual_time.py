"""Virtual time, ordered wires and audio whose every byte carries its identity."""

import heapq
import random
from array import array
from collections.abc import Callable
from typing import TypeAlias

BYTES_PER_MS = 8
ITEM_SHIFT = 32
SILENCE = -1
SOUND = -2
Audio: TypeAlias = "array[int]"
"""One entry a byte: item number << ITEM_SHIFT | offset within the item, or SILENCE."""
NO_AUDIO: Audio = array("q")


class Heap:
    """Happenings in order of time, then of arrival. Times are milliseconds, fractions allowed."""

    def __init__(self) -> None:
        self.now_ms = 0.0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0

    def at(self, at_ms: float, work: Callable[[], object]) -> None:
        self._count += 1
        heapq.heappush(self._due, (max(at_ms, self.now_ms), self._count, work))

    def run_until(self, end_ms: float) -> None:
        while self._due and self._due[0][0] <= end_ms:
            self.now_ms, _, work = heapq.heappop(self._due)
            work()
        self.now_ms = end_ms


class Wire:
    """One direction of an ordered socket: delay and uniform jitter, nothing overtakes."""

    def __init__(self, heap: Heap, chance: random.Random, delay_ms: float, jitter_ms: float):
        self._heap, self._chance = heap, chance
        self._delay_ms, self._jitter_ms = delay_ms, jitter_ms
        self._newest_ms = 0.0

    def send(self, work: Callable[[], object]) -> None:
        delay_ms = self._delay_ms + self._chance.uniform(0, self._jitter_ms)
        self._newest_ms = max(self._newest_ms, self._heap.now_ms + delay_ms)
        self._heap.at(self._newest_ms, work)
