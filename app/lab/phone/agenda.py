"""One timer for all lines: what is due, in order of time."""

import asyncio
import heapq
import time
from collections.abc import Callable
from itertools import count
from typing import Protocol

EARLY_S = 0.0005
"""A timer that fires this little too early is on time: event loops round to a millisecond."""


class Clock(Protocol):
    """Time and the means to be called at a time; the real `Agenda` or a test's virtual one."""

    def now_s(self) -> float:
        """Seconds on a monotonic axis."""
        ...

    def at(self, due_s: float, action: Callable[[], None]) -> None:
        """Run `action` at `due_s`. Actions due at the same time run in the order of the calls."""
        ...


class Agenda:
    """A heap of due actions behind a single event loop timer.

    A hundred lines wake the loop a few thousand times a second at most, whatever the number of
    delayed messages: everything that is due runs in one go.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.loop = loop or asyncio.get_running_loop()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None
        self._armed_s = float("inf")

    def now_s(self) -> float:
        return time.monotonic()

    def at(self, due_s: float, action: Callable[[], None]) -> None:
        """Run `action` at `due_s` (seconds, `time.monotonic`), or as soon after as possible."""
        heapq.heappush(self._heap, (due_s, next(self._order), action))
        if due_s < self._armed_s:
            self._arm(due_s)

    def _arm(self, due_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed_s = due_s
        self._timer = self.loop.call_later(max(0.0, due_s - self.now_s()), self._run)

    def _run(self) -> None:
        self._timer = None
        self._armed_s = float("-inf")  # actions add to the heap without arming anew
        try:
            limit_s = self.now_s() + EARLY_S
            while self._heap and self._heap[0][0] <= limit_s:
                heapq.heappop(self._heap)[2]()
        finally:
            self._armed_s = float("inf")
            if self._heap:
                self._arm(self._heap[0][0])
