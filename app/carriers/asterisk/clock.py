"""A PBX's clock, though its sound carries no time: frames are counted, and wall time corrects.

The PBX hands the caller's RTP on as it comes, in order, on one socket with its events. So the
frames between two events tell the time between them, whatever the network's delay. But there are
none while the caller's side sends none, and lost ones are not told. What is late by the clock that
wall time makes, against the least delay seen, was therefore not sent:

1. A frame that is later than `GAP_MS` comes after a gap, at once.
2. Frames that were all late by one frame or more, `SETTLED` of them in a row, follow a loss.
3. Whoever comes too early after a gap shows that the network had stood still: the time that the
   gap was given is taken back.

The least delay is forgotten slowly (1 ms a second), as two clocks never agree for an hour.
Gaps become silence, or a model's voice detection would never end a turn. Positions are bytes of
μ-law (8 bytes = 1 ms) since the call began by our clock, of which `now_ms` is any monotonic one.
"""

from collections import deque
from typing import Final

from telecodecs.g711 import BYTES_PER_MS, FRAME_BYTES, FRAME_MS

GAP_MS: Final = 150
"""A frame that is so late was not delayed but sent later."""
SETTLED: Final = 12
"""Frames in a row that tell a loss from jitter."""
JITTER_MS: Final = 60
"""While no frames come, wall time tells the PBX's to within this."""
LATE_MS: Final = 80
"""How late a frame may be before silence is written in its place."""
DOUBT_MS: Final = 1_000
"""So long after a gap it may turn out to be none."""
FORGET_MS: Final = 0.02
"""With each frame, of the least delay."""
_MOST_DUE_BYTES: Final = 1_000 * BYTES_PER_MS


class PbxClock:
    """One call's clock, from the moment at which `now_ms` is 0."""

    always_on: Final = False

    def __init__(self) -> None:
        self.gaps = 0
        """Times at which the caller's side sent nothing, or was not heard."""
        self._heard = False
        self._written = 0
        self._end = 0
        """Of the newest frame."""
        self._newest_ms = 0
        """When it came."""
        self._least_ms = 0.0
        """The least delay of a frame's end, by our clock."""
        self._late_ms: deque[float] = deque(maxlen=SETTLED)
        self._doubted = 0
        """Bytes of the newest gap that may be taken back ..."""
        self._doubted_until_ms = 0
        """... until then."""

    def on_media(self, timestamp_ms: int, n_bytes: int, now_ms: int) -> int:
        """Count one frame; returns the bytes of silence to write before it. `timestamp_ms` is not
        looked at: the PBX gives none."""
        if not self._heard:
            self._begin(n_bytes, now_ms)
        self._end += n_bytes
        self._newest_ms = now_ms
        self._correct(now_ms)
        padding = max(0, self._end - n_bytes - self._written)
        self._written += padding + n_bytes
        return padding

    def due_padding(self, now_ms: int) -> int:
        """The bytes of silence to write now because media has stopped; whole 20 ms frames."""
        if not self._heard or now_ms - self._newest_ms < LATE_MS:
            return 0
        due = self._by_wall(now_ms - LATE_MS) - self._written
        due = min(due, _MOST_DUE_BYTES) // FRAME_BYTES * FRAME_BYTES
        if due <= 0:
            return 0
        self._written += due
        return due

    def at(self, now_ms: int) -> tuple[int, int]:
        """Bounds (lowest, highest) in ms on the PBX's time of a message that arrives now: after the
        newest frame, before the next one; by wall time where frames have stopped."""
        low_ms = self._end // BYTES_PER_MS
        if self._heard and now_ms - self._newest_ms <= JITTER_MS + FRAME_MS:
            return low_ms, low_ms + FRAME_MS
        wall_ms = self._by_wall(now_ms) // BYTES_PER_MS
        return max(low_ms, wall_ms - JITTER_MS), max(low_ms, wall_ms)

    def _begin(self, n_bytes: int, now_ms: int) -> None:
        self._heard = True
        self._end = self._written = max(0, now_ms * BYTES_PER_MS - n_bytes)
        self._least_ms = now_ms - (self._end + n_bytes) / BYTES_PER_MS

    def _by_wall(self, now_ms: int) -> int:
        return int((now_ms - self._least_ms) * BYTES_PER_MS)

    def _correct(self, now_ms: int) -> None:
        """Place the newest frame by how late it is."""
        late_ms = now_ms - self._end / BYTES_PER_MS - self._least_ms
        if late_ms < 0:
            late_ms = self._early(late_ms, now_ms)
        elif late_ms >= GAP_MS:
            late_ms -= self._gap(late_ms, now_ms)
        self._late_ms.append(late_ms)
        least_ms = min(self._late_ms)
        if least_ms >= FRAME_MS and len(self._late_ms) == SETTLED:
            self._gap(least_ms, now_ms)
        self._least_ms += FORGET_MS

    def _early(self, late_ms: float, now_ms: int) -> float:
        """It came sooner than any before: after a stall that was taken for a gap, or by a quicker
        way. Returns how late it is then."""
        back = 0
        if now_ms <= self._doubted_until_ms:
            back = min(self._doubted, int(-late_ms * BYTES_PER_MS))
            self._doubted -= back
            self._end -= back
            late_ms += back / BYTES_PER_MS
        if late_ms < 0:
            self._least_ms += late_ms
        return max(0.0, late_ms)

    def _gap(self, missing_ms: float, now_ms: int) -> float:
        """Whole frames were not sent; returns how many ms."""
        gap_ms = int(missing_ms) // FRAME_MS * FRAME_MS
        self.gaps += 1
        self._end += gap_ms * BYTES_PER_MS
        self._doubted, self._doubted_until_ms = gap_ms * BYTES_PER_MS, now_ms + DOUBT_MS
        self._late_ms.clear()
        return gap_ms
