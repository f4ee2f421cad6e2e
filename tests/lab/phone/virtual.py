"""A clock that stands still until a test moves it."""

import heapq
from collections.abc import Callable
from itertools import count


class VirtualClock:
    """Runs what is due, in order, when told to; time jumps from one action to the next."""

    def __init__(self, now_s: float = 1000.0) -> None:
        self._now_s = now_s
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def now_s(self) -> float:
        return self._now_s

    def at(self, due_s: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (due_s, next(self._order), action))

    def advance(self, ms: float) -> None:
        end_s = self._now_s + ms / 1000
        while self._heap and self._heap[0][0] <= end_s:
            due_s, _, action = heapq.heappop(self._heap)
            self._now_s = max(self._now_s, due_s)
            action()
        self._now_s = end_s

    def freeze(self, ms: float) -> None:
        """Time passes and nothing runs, as on a busy machine; what was due runs late."""
        self._now_s += ms / 1000
