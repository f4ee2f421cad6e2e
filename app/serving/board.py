"""What the workers of one machine know of each other: a few numbers in memory that all of them map.

Every worker has a slot that it alone writes; the supervisor clears the slot of one that is dead.
A number is one aligned machine word, so a reader sees the old one or the new one. Nothing is locked
and nobody waits: the numbers may be a moment old, and what is decided from them bears that.
"""

import mmap
import os
import sys
import tempfile
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

SLOTS: Final = 128
"""Workers at once: a rolling restart needs one more than are wanted, deaths some more."""
MOST_WORKERS: Final = 64

_FREE, _OPEN, _DRAINING = 0, 1, 2
_STATE, _LOAD, _CALLS, _OFFERED, _SEATS, _ARRIVED = range(6)
_RING: Final = 250
"""Newest arrivals that a slot remembers; seats are kept for 30 s, so 8 calls a second."""
_WORDS: Final = 6 + _RING
BOARD_BYTES: Final = SLOTS * _WORDS * 8


def new_board() -> int:
    """A file descriptor of an empty board, for `Board` in all processes that have it."""
    if sys.platform == "linux":
        fd = os.memfd_create("earshot-board")
        os.truncate(fd, BOARD_BYTES)
        return fd
    with tempfile.TemporaryFile() as file:
        file.truncate(BOARD_BYTES)
        return os.dup(file.fileno())


class Board:
    """One process's view. The word of slot s, field f stands at s * _WORDS + f."""

    def __init__(self, fd: int) -> None:
        self._words = memoryview(mmap.mmap(fd, BOARD_BYTES)).cast("q")

    def clear(self, slot: int) -> None:
        """Nobody is in this slot now."""
        first = slot * _WORDS
        self._words[first] = _FREE
        for word in range(first + 1, first + _WORDS):
            self._words[word] = 0

    def calls(self, slot: int) -> int:
        return self._words[slot * _WORDS + _CALLS]

    def seat(self, slot: int) -> "Seat":
        """The view of the worker in `slot`."""
        return Seat(self._words, slot)


class Seat:
    """A worker's place on the board: `app.bridge.switchboard.Fleet`, and what its door asks."""

    def __init__(self, words: "memoryview[int]", slot: int) -> None:
        self._words = words
        self._first = slot * _WORDS

    def post(self, *, calls: int, offered: int, seats: int, draining: bool) -> None:
        words, first = self._words, self._first
        words[first + _CALLS], words[first + _OFFERED], words[first + _SEATS] = (
            calls,
            offered,
            seats,
        )
        words[first + _STATE] = _DRAINING if draining else _OPEN

    def free_seats(self) -> int:
        seats = sum(self._words[slot + _SEATS] for slot in self._in_use(_OPEN))
        offered = sum(self._words[slot + _OFFERED] for slot in self._in_use(_OPEN, _DRAINING))
        return max(0, seats - offered)

    def others(self) -> int:
        return sum(slot != self._first for slot in self._in_use(_OPEN))

    def arrived(self, call_id: str) -> None:
        at = self._words[self._first + _ARRIVED]
        self._words[self._first + 6 + at % _RING] = _number(call_id)
        self._words[self._first + _ARRIVED] = at + 1

    def arrivals(self) -> Callable[[str], bool]:
        words = self._words
        seen: set[int] = set()
        for slot in self._in_use(_OPEN, _DRAINING):
            seen.update(words[slot + 6 : slot + 6 + min(_RING, words[slot + _ARRIVED])])
        return lambda call_id: _number(call_id) in seen

    def post_load(self, load: int) -> None:
        """How busy this worker is, in open connections."""
        self._words[self._first + _LOAD] = load

    def least_load_of_others(self) -> int | None:
        """Of the workers that have seats; None when there is none but this one."""
        loads = [
            self._words[slot + _LOAD]
            for slot in self._in_use(_OPEN)
            if slot != self._first and self._words[slot + _SEATS] > 0
        ]
        return min(loads, default=None)

    def _in_use(self, *states: int) -> list[int]:
        words = self._words
        return [slot for slot in range(0, SLOTS * _WORDS, _WORDS) if words[slot] in states]


def _number(call_id: str) -> int:
    return int.from_bytes(blake2b(call_id.encode(), digest_size=8).digest(), signed=True)
