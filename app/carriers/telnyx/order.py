"""Telnyx does not promise that media comes in its order: sorted by chunk, within a short window."""

from typing import Final, Generic, TypeVar

WINDOW: Final = 3
"""Frames that are waited with for one before them: 60 ms."""
MOST_LATE: Final = 10
"""So many in a row that all come too late are counted anew from there: the caller is not to be
deaf to us for the rest of the call because of one wild number, or a count that began again."""

T = TypeVar("T")


class InOrder(Generic[T]):
    """What comes too late to be sorted in is dropped, and counted."""

    def __init__(self) -> None:
        self.late = 0
        self._late_in_a_row = 0
        self._next: int | None = None
        self._waiting: dict[int, T] = {}

    def take(self, chunk: int, frame: T) -> list[T]:
        """The frames that may go on now, in order."""
        if self._next is None:
            self._next = chunk
        if chunk < self._next or chunk in self._waiting:
            if self._late_in_a_row < MOST_LATE:
                self._late_in_a_row += 1
                self.late += 1
                return []
            self._next, self._waiting = chunk, {}
        self._late_in_a_row = 0
        self._waiting[chunk] = frame
        ready = self._ready()
        while len(self._waiting) >= WINDOW:
            self._next = min(self._waiting)
            ready += self._ready()
        return ready

    def _ready(self) -> list[T]:
        ready: list[T] = []
        assert self._next is not None, "asked once a frame has come"
        while self._next in self._waiting:
            ready.append(self._waiting.pop(self._next))
            self._next += 1
        return ready
