"""One clock for the whole load: a tick every millisecond, and each client at its own phase.

Every client keeps to a fixed grid of the monotonic clock. When the process was held up, the missed
turns are made up at once and in order, and counted by how late they were.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TypeAlias

TICK_MS = 1

Turn: TypeAlias = Callable[[float], None]
"""Called with the present time, in seconds of `time.monotonic`."""


class Ring:
    """Clients that each have a turn once in `period_ms`, spread over its milliseconds."""

    def __init__(self, period_ms: int) -> None:
        self.period_ms = period_ms
        self._slots: list[list[Turn]] = [[] for _ in range(period_ms)]

    def join(self, turn: Turn) -> None:
        """Take a place in one of the emptiest milliseconds."""
        min(self._slots, key=len).append(turn)

    def leave(self, turn: Turn) -> None:
        for slot in self._slots:
            if turn in slot:
                slot.remove(turn)

    def due(self, at_ms: int) -> list[Turn]:
        return self._slots[at_ms % self.period_ms]


class Wheel:
    """Belongs to one event loop. `late_ms[n]`: ticks that came n milliseconds late."""

    def __init__(self, *rings: Ring) -> None:
        self._rings = rings
        self._next_ms = 0
        self._timer: asyncio.TimerHandle | None = None
        self.late_ms: dict[int, int] = {}

    def start(self) -> None:
        self._next_ms = int(time.monotonic() * 1000) + TICK_MS
        self._tick()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK_MS / 1000, self._tick)
        now_ms = int(time.monotonic() * 1000)
        while self._next_ms <= now_ms:
            late = now_ms - self._next_ms
            self.late_ms[late] = self.late_ms.get(late, 0) + 1
            for ring in self._rings:
                for turn in tuple(ring.due(self._next_ms)):
                    turn(time.monotonic())
            self._next_ms += TICK_MS
