"""The queue of one WebSocket channel: frames of 20 ms with marks between, played by a timer.

As a real chan_websocket was seen to do it:
- a message is cut into whole frames; what fills none is dropped, unless media is being buffered;
- each tick of 20 ms takes one frame; marks in front of it are told first and cost no time;
- XOFF when 900 frames wait, XON at the first tick with fewer than 800; a message that finds 1,000
  is dropped without a word, one that crosses the limit is taken whole;
- a flush drops frames, marks and the end of buffering without a word, and neither a pause nor the
  wish to be told of an empty queue, which is granted once, at the next tick that finds it empty.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from app.lab.phone.truth import ClearRecord, MarkRecord, Played
from telecodecs.g711 import FRAME_BYTES

MOST_FRAMES = 1_000
XOFF_FRAMES = 900
XON_FRAMES = 800


@dataclass(frozen=True, slots=True)
class _Told:
    """An event that waits for its turn."""

    event: str
    correlation_id: str
    received_ms: float


class MediaQueue:
    """Pure: time comes in as `carrier_ms`, events go out through `tell(event, **fields)`."""

    def __init__(self, played: Played, tell: Callable[..., None]) -> None:
        self._played = played
        self._tell = tell
        self._queue: deque[bytes | _Told] = deque()
        self._left_over = b""
        self._buffering = False
        self._report_drained = False
        self.paused = False
        self.full = False
        self.frames = 0
        """That wait."""
        self.dropped_bytes = 0
        """Discarded because the queue was full, or because they filled no frame."""

    def status(self) -> dict[str, object]:
        return {
            "queue_length": self.frames,
            "xon_level": XON_FRAMES,
            "xoff_level": XOFF_FRAMES,
            "queue_full": self.full,
            "bulk_media": self._buffering,
            "media_paused": self.paused,
        }

    def push(self, audio: bytes, carrier_ms: float) -> None:
        """One binary message."""
        if self.frames >= MOST_FRAMES:
            self.dropped_bytes += len(audio)
            return
        self._played.arrivals.append((carrier_ms, len(audio)))
        audio = self._left_over + audio
        whole = len(audio) // FRAME_BYTES * FRAME_BYTES
        for at in range(0, whole, FRAME_BYTES):
            self._add(audio[at : at + FRAME_BYTES])
        self._left_over = audio[whole:] if self._buffering else b""
        self.dropped_bytes += 0 if self._buffering else len(audio) - whole

    def mark(self, correlation_id: str, carrier_ms: float) -> None:
        self._queue.append(_Told("MEDIA_MARK_PROCESSED", correlation_id, carrier_ms))

    def begin_buffering(self) -> None:
        self._buffering = True

    def end_buffering(self, correlation_id: str, carrier_ms: float) -> None:
        self._buffering = False
        if self._left_over:
            self._add(self._left_over)
            self._left_over = b""
        self._queue.append(_Told("MEDIA_BUFFERING_COMPLETED", correlation_id, carrier_ms))

    def report_drained(self) -> None:
        self._report_drained = True

    def flush(self, carrier_ms: float) -> None:
        marks = [entry for entry in self._queue if isinstance(entry, _Told)]
        dropped = sum(len(entry) for entry in self._queue if isinstance(entry, bytes))
        names = tuple(mark.correlation_id for mark in marks)
        position = self._played.position
        self._played.clears.append(ClearRecord(carrier_ms, position, dropped, names))
        for mark in marks:
            self._played.marks.append(
                MarkRecord(mark.correlation_id, "flushed", mark.received_ms, carrier_ms, position)
            )
        self._queue.clear()
        self.frames, self._left_over, self._buffering = 0, b"", False

    def tick(self, carrier_ms: int, at_s: float) -> bytes | None:
        """The timer fires: the frame that goes to the caller now, or none."""
        frame = None if self.paused else self._next(carrier_ms)
        self._played.tick(frame, at_s)
        return frame

    def _next(self, carrier_ms: int) -> bytes | None:
        if self.full and self.frames < XON_FRAMES:
            self.full = False
            self._tell("MEDIA_XON")
        if not self._queue:
            if self._report_drained:
                self._report_drained = False
                self._tell("QUEUE_DRAINED")
            return None
        while self._queue:
            entry = self._queue.popleft()
            if isinstance(entry, bytes):
                self.frames -= 1
                return entry
            self._process(entry, carrier_ms)
        return None

    def _process(self, told: _Told, carrier_ms: int) -> None:
        position = self._played.position
        self._played.marks.append(
            MarkRecord(told.correlation_id, "played", told.received_ms, carrier_ms, position)
        )
        self._tell(told.event, correlation_id=told.correlation_id)

    def _add(self, frame: bytes) -> None:
        self._queue.append(frame)
        self.frames += 1
        if not self.full and self.frames >= XOFF_FRAMES:
            self.full = True
            self._tell("MEDIA_XOFF")
