"""Twilio's end of a media stream in virtual time, from its documentation (websocket messages).

Our reading where that is silent: the carrier takes 160 bytes at each tick of its own 20 ms clock; a
frame that began to sound is heard to its end, also after `clear`; a mark is due when the frame with
the last byte before it has ended.
"""

import random
from array import array
from collections import deque
from collections.abc import Callable

from tests.call.virtual_time import Audio, Heap, Wire

FRAME_MS = 20
FRAME_BYTES = 160
QUIET_MS = 60
"""Without caller media for longer than this the adapter carries the carrier's clock on."""


class Carrier:
    """Playout buffer, marks, `clear`, and the caller's media, on the carrier's own clock."""

    def __init__(self, heap: Heap, up: Wire, chance: random.Random) -> None:
        self.played: Audio = array("q")
        """Every byte that sounded, in order, fill-up silence of the carrier left out."""
        self.frames: list[tuple[float, int]] = []
        """When each frame began to sound, in milliseconds, and its first byte."""
        self.gaps: list[tuple[float, float]] = []
        """From and to when no caller media is sent, in milliseconds."""
        self.clears_ms: list[float] = []
        self.on_media: Callable[[int], None] = lambda timestamp_ms: None
        self.on_echo: Callable[[str], None] = lambda name: None
        self._heap, self._up = heap, up
        self._queue: deque[array[int] | str] = deque()
        self._sounding = False
        heap.at(chance.uniform(0, FRAME_MS), self._tick)
        self._media_phase_ms = chance.uniform(0, FRAME_MS)
        self._media_count = 0
        heap.at(self._media_phase_ms + FRAME_MS, self._media)

    def media(self, audio: Audio) -> None:
        self._queue.append(audio)

    def mark(self, name: str) -> None:
        if self._queue or self._sounding:
            self._queue.append(name)
        else:
            self._echo(name)

    def clear(self) -> None:
        self.clears_ms.append(self._heap.now_ms)
        pending = [entry for entry in self._queue if isinstance(entry, str)]
        self._queue.clear()
        self._sounding = False
        for name in pending:
            self._echo(name)

    def _tick(self) -> None:
        self._heap.at(self._heap.now_ms + FRAME_MS, self._tick)
        self._sounding = False
        self._return_marks()
        frame: Audio = array("q")
        while self._queue and len(frame) < FRAME_BYTES:
            head = self._queue[0]
            if isinstance(head, str):
                break
            wanted = FRAME_BYTES - len(frame)
            frame += head[:wanted]
            if len(head) > wanted:
                self._queue[0] = head[wanted:]
            else:
                self._queue.popleft()
        self._sounding = bool(frame)
        self.played += frame
        if frame:
            self.frames.append((self._heap.now_ms, frame[0]))

    def _return_marks(self) -> None:
        while self._queue and isinstance(head := self._queue[0], str):
            self._queue.popleft()
            self._echo(head)

    def _echo(self, name: str) -> None:
        self._up.send(lambda: self.on_echo(name))

    def _media(self) -> None:
        now_ms = self._heap.now_ms
        timestamp_ms = FRAME_MS * self._media_count
        self._media_count += 1
        self._heap.at(now_ms + FRAME_MS, self._media)
        if not any(start <= now_ms < end for start, end in self.gaps):
            self._up.send(lambda: self.on_media(timestamp_ms))


class CarrierTime:
    """The bounds on an echo's carrier time, as the Twilio adapter gives them."""

    def __init__(self) -> None:
        self._end_ms = 0
        self._seen_ms = 0

    def on_media(self, timestamp_ms: int, now_ms: int) -> None:
        self._end_ms, self._seen_ms = timestamp_ms + FRAME_MS, now_ms

    def at(self, now_ms: int) -> tuple[int, int]:
        quiet_ms = now_ms - self._seen_ms
        return self._end_ms, self._end_ms + (quiet_ms if quiet_ms > QUIET_MS else FRAME_MS)
