"""The jitter buffer: packets come when they come, frames leave every 20 ms. Sans-I/O.

Sound lies on the axis of the sender's timestamps, so packets of any length, reordered, doubled or
overlapping ones all find their place. Frames begin a short delay after the first packet. A packet
that comes too late makes the delay longer by a frame (up to a limit); sound that lies waiting for
five seconds without need makes it shorter again. What is missing is concealed, and after a longer
gap frames stop until sound comes: a worker must see that the caller's phone is silent.
"""

from bisect import insort
from collections import deque
from dataclasses import dataclass
from typing import Final

from app.sip_line.concealing import concealed
from app.sip_line.rtp import Unwrapped
from telecodecs import FRAME_BYTES, FRAME_MS, ULAW_SILENCE

JUMP_SAMPLES: Final = 8_000
"""A step of the timestamps by more than this second is a new beginning, not a delay."""
GAP_FRAMES: Final = 10
"""So long (200 ms) a gap is concealed; then the stream counts as stopped."""
HOLES: Final = 50
"""So many concealed places are remembered, to know what came late from what came twice."""
WINDOW_FRAMES: Final = 250
"""Five seconds: for so long sound must have lain waiting before the delay is cut."""


@dataclass(frozen=True, slots=True)
class Delay:
    """How long sound waits for what comes late."""

    first_ms: int = 40
    most_ms: int = 200


@dataclass(slots=True)
class Counts:
    """What happened so far, in frames or packets."""

    packets: int = 0
    late: int = 0
    doubled: int = 0
    concealed: int = 0
    skipped: int = 0


class JitterBuffer:
    """`put` what arrives, `pop` every 20 ms. One for each stream; μ-law bytes are samples."""

    def __init__(self, delay: Delay | None = None) -> None:
        self._delay = delay or Delay()
        self.counts = Counts()
        self.restart()

    def restart(self) -> None:
        """Forget the stream: the next packet begins one."""
        self._axis = Unwrapped()
        self._pieces: list[tuple[int, bytes]] = []
        self._next: int | None = None
        self._wait_frames = 0
        self._stretch_frames = 0
        self._gap_frames = 0
        self._holes: deque[int] = deque(maxlen=HOLES)
        self._delay_ms = self._delay.first_ms
        self._last = b""
        self._quiet_window()

    @property
    def delay_ms(self) -> int:
        """The delay that is kept now."""
        return self._delay_ms

    def put(self, timestamp: int, sound: bytes) -> None:
        """Take a packet's μ-law with its RTP timestamp."""
        self.counts.packets += 1
        start = self._axis.of(timestamp)
        if self._next is not None and abs(start - self._next) > JUMP_SAMPLES:
            self.restart()
            start = self._axis.of(timestamp)
        if self._next is None:
            self._begin(start)
        if self._next is not None and start + len(sound) <= self._next:
            self._came_late(start, start + len(sound))
        elif any(at == start for at, _ in self._pieces):
            self.counts.doubled += 1
        elif sound:
            insort(self._pieces, (start, sound))

    def pop(self) -> bytes | None:
        """The next frame of 160 bytes; None while there is no stream. Call it every 20 ms."""
        if self._next is None:
            return None
        if self._wait_frames:
            self._wait_frames -= 1
            return None
        if self._stretch_frames:
            self._stretch_frames -= 1
            return self._stand_in()
        self._shorten()
        frame, whole = self._cut(self._next)
        self._next += FRAME_BYTES
        if not whole:
            self._holes.append(self._next - FRAME_BYTES)
        if not frame:
            return self._missing()
        self._gap_frames = 0
        self.counts.concealed += not whole
        self._last = frame
        return frame

    def _begin(self, start: int) -> None:
        self._next = start
        self._wait_frames = self._delay_ms // FRAME_MS
        self._gap_frames = 0

    def _came_late(self, start: int, end: int) -> None:
        """Too late to be played; or a double of what was played, which left no hole."""
        hole = next((at for at in self._holes if start < at + FRAME_BYTES and at < end), None)
        if hole is None:
            self.counts.doubled += 1
            return
        self._holes.remove(hole)
        self.counts.late += 1
        if self._delay_ms + FRAME_MS <= self._delay.most_ms:
            self._delay_ms += FRAME_MS
            self._stretch_frames += 1

    def _cut(self, begin: int) -> tuple[bytes, bool]:
        """The sound of the frame from `begin` on and whether it is whole; b"" if there is none."""
        end = begin + FRAME_BYTES
        frame = bytearray()
        while self._pieces and self._pieces[0][0] < end:
            start, sound = self._pieces.pop(0)
            sound = sound[max(0, begin + len(frame) - start) :]
            if not sound:
                continue
            start = max(start, begin + len(frame))
            frame += ULAW_SILENCE * (start - begin - len(frame))
            frame += sound[: end - start]
            if rest := sound[end - start :]:
                insort(self._pieces, (end, rest))
                break
        whole = len(frame) == FRAME_BYTES
        return bytes(frame) + ULAW_SILENCE * (FRAME_BYTES - len(frame)) if frame else b"", whole

    def _missing(self) -> bytes | None:
        if self._gap_frames >= GAP_FRAMES and not self._pieces:
            self._next = None
            return None
        return self._stand_in()

    def _stand_in(self) -> bytes:
        self._gap_frames += 1
        self.counts.concealed += 1
        return concealed(self._last, self._gap_frames - 1)

    def _quiet_window(self) -> None:
        self._window_frames = 0
        self._least_waiting: int | None = None

    def _shorten(self) -> None:
        """Skip a frame when there was always more waiting than the delay asks for."""
        assert self._next is not None
        newest = self._pieces[-1] if self._pieces else (self._next, b"")
        waiting = newest[0] + len(newest[1]) - self._next
        least = self._least_waiting
        self._least_waiting = waiting if least is None else min(least, waiting)
        self._window_frames += 1
        if self._window_frames < WINDOW_FRAMES:
            return
        if self._least_waiting > (self._delay.first_ms + 2 * FRAME_MS) * 8:
            self._cut(self._next)
            self._next += FRAME_BYTES
            self._delay_ms = max(self._delay.first_ms, self._delay_ms - FRAME_MS)
            self.counts.skipped += 1
        self._quiet_window()
