"""What the carrier was given to play, and when: the reference that an echo is looked for in.

The carrier plays one piece after the other, so a piece that is dated before the end of the one
before it follows that end; so does one that is dated a little after it, because clocks are read in
whole milliseconds and late, and a hole of a millisecond that never was would spoil every
comparison.
"""

from collections import deque

import numpy as np
import numpy.typing as npt

from telecodecs import BYTES_PER_MS, ULAW_SILENCE, ulaw_to_pcm

Samples = npt.NDArray[np.float64]
"""Full scale is 1.0; 8 samples are 1 ms."""

KEPT_MS = 3_500
"""How long a piece is remembered after its end: the longest lead, echo delay and window together.
"""
JOINED_MS = 20
"""A piece dated no later than this after the end of the one before it follows without a gap."""
_NEVER = -(1 << 62)


class Played:
    """Pieces of μ-law on one axis: the call clock, in samples."""

    __slots__ = ("_end", "_pieces")

    def __init__(self) -> None:
        self._pieces: deque[tuple[int, bytes]] = deque()
        self._end = _NEVER

    def add(self, ulaw: bytes, at_ms: int) -> None:
        """The carrier plays `ulaw` from this time on, or when it has played what it has."""
        start = at_ms * BYTES_PER_MS
        forgotten = start - KEPT_MS * BYTES_PER_MS
        if start < self._end + JOINED_MS * BYTES_PER_MS:
            start = self._end
        pieces = self._pieces
        pieces.append((start, ulaw))
        self._end = start + len(ulaw)
        while pieces[0][0] + len(pieces[0][1]) < forgotten:
            pieces.popleft()

    def cut(self, at_ms: int) -> None:
        """Nothing that was added is played after this time."""
        end = at_ms * BYTES_PER_MS
        while self._pieces and self._pieces[-1][0] >= end:
            self._pieces.pop()
        if self._pieces:
            start, ulaw = self._pieces[-1]
            self._pieces[-1] = (start, ulaw[: end - start])
        self._end = min(self._end, end)

    def stretch(self, start: int, end: int) -> Samples:
        """What was played between two places of the axis; silence where nothing was."""
        ulaw = bytearray(ULAW_SILENCE * (end - start))
        for begin, piece in self._pieces:
            if begin < end and begin + len(piece) > start:
                first = max(begin, start)
                part = piece[first - begin : end - begin]
                ulaw[first - start : first - start + len(part)] = part
        return samples(bytes(ulaw))

    def __len__(self) -> int:
        """Bytes that are kept."""
        return sum(len(piece) for _, piece in self._pieces)


def samples(ulaw: bytes) -> Samples:
    """Decode μ-law to numbers between -1 and 1."""
    return np.frombuffer(ulaw_to_pcm(ulaw), "<i2") / 32_768
