"""The carrier's playout buffer: audio in order, marks behind it, emptied by `clear`.

Rules (Twilio docs: websocket messages):
- media is appended, any payload size, and played 160 bytes per 20 ms tick of the phone's clock;
- a mark comes back when everything queued before it has been played, at once if nothing is queued;
- `clear` empties the buffer and brings back all pending marks right away.

Our reading where the documentation is silent: a mark is due at the end of the 20 ms frame that
holds the last byte before it; a frame that began to sound is heard to its end, also after `clear`;
a short last frame is filled up with silence.
"""

from collections import deque
from collections.abc import Callable

from app.lab.phone.truth import (
    ClearRecord,
    DrySpell,
    MarkFate,
    MarkRecord,
    Played,
)
from telecodecs.g711 import FRAME_BYTES

COMPACT_BYTES = 1 << 16
"""Played bytes are dropped from the buffer's head in pieces of this size."""


class Playout:
    """Pure: time comes in as `carrier_ms`, echoes go out through `echo(name)`."""

    def __init__(self, played: Played, echo: Callable[[str], None]) -> None:
        self._played = played
        self._echo = echo
        self._buffer = bytearray()
        self._head = 0
        self._queued_end = 0  # axis of everything ever appended
        self._done = 0  # same axis: played or dropped
        self._sounding = 0  # same axis: end of the frame now being heard
        self._marks: deque[tuple[int, str, float]] = deque()
        self._dry_since_ms: float | None = None
        self._dry_marked = False
        self._last = b""

    @property
    def queued_bytes(self) -> int:
        return len(self._buffer) - self._head

    def append(self, audio: bytes, carrier_ms: float) -> None:
        self._played.arrivals.append((carrier_ms, len(audio)))
        self._buffer += audio
        self._queued_end += len(audio)

    def mark(self, name: str, carrier_ms: float) -> None:
        if self._done >= self._queued_end:
            self._return_mark(name, "at_once", carrier_ms, carrier_ms)
            self._dry_marked = self._dry_marked or self._dry_since_ms is not None
        else:
            self._marks.append((self._queued_end, name, carrier_ms))

    def clear(self, carrier_ms: float) -> None:
        dropped = self.queued_bytes
        pending = tuple(self._marks)
        self._buffer.clear()
        self._head = 0
        self._marks.clear()
        self._done = self._sounding = self._queued_end
        self._dry_since_ms = None
        self._last = b""
        self._played.clears.append(
            ClearRecord(carrier_ms, self._played.position, dropped, tuple(m[1] for m in pending))
        )
        for _, name, received_ms in pending:
            self._return_mark(name, "flushed", received_ms, carrier_ms)

    def tick(self, carrier_ms: int, at_s: float) -> None:
        """The frame that was sounding is over; take the next one."""
        self._finish(carrier_ms)
        frame = self._take()
        if frame:
            self._note_sound(frame, carrier_ms)
        elif self._last and self._dry_since_ms is None:
            self._dry_since_ms = carrier_ms
        self._played.tick(frame or None, at_s)

    def _finish(self, carrier_ms: int) -> None:
        self._done = self._sounding
        while self._marks and self._marks[0][0] <= self._done:
            position, name, received_ms = self._marks.popleft()
            self._dry_marked = self._dry_marked or position == self._done
            self._return_mark(name, "played", received_ms, carrier_ms)

    def _take(self) -> bytes:
        frame = bytes(self._buffer[self._head : self._head + FRAME_BYTES])
        self._head += len(frame)
        self._sounding += len(frame)
        if self._head >= COMPACT_BYTES:
            del self._buffer[: self._head]
            self._head = 0
        return frame

    def _note_sound(self, frame: bytes, carrier_ms: int) -> None:
        if self._dry_since_ms is not None:
            self._played.dry_spells.append(
                DrySpell(
                    position=self._played.position,
                    began_ms=self._dry_since_ms,
                    ended_ms=carrier_ms,
                    marked=self._dry_marked,
                    before=self._last,
                    after=frame,
                )
            )
        self._dry_marked = False
        short = len(frame) < FRAME_BYTES
        self._dry_since_ms = carrier_ms + len(frame) / 8 if short else None
        self._last = frame

    def _return_mark(self, name: str, fate: MarkFate, received_ms: float, echoed_ms: float) -> None:
        self._played.marks.append(
            MarkRecord(name, fate, received_ms, echoed_ms, self._played.position)
        )
        self._echo(name)
