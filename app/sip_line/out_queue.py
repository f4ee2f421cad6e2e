"""What waits to be played to the caller: frames and marks in one queue, as `chan_websocket` has it.

Source: protocols/pbx-media.md, sections 1.4 and 1.5 (a real Asterisk): a mark is processed when the
queue reaches it; a flush drops marks silently and leaves a pause as it is; the message that crosses
900 frames is still taken whole, later ones are dropped without a word until fewer than 800 wait.
Sans-I/O: `tick` every 20 ms says what to play and what to tell.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from telecodecs import FRAME_BYTES, ULAW_SILENCE

XOFF_FRAMES: Final = 900
XON_FRAMES: Final = 800
Kind: TypeAlias = Literal[
    "MEDIA_XOFF",
    "MEDIA_XON",
    "MEDIA_MARK_PROCESSED",
    "MEDIA_BUFFERING_COMPLETED",
    "QUEUE_DRAINED",
]


@dataclass(frozen=True, slots=True)
class Told:
    """Something that the worker is to be told."""

    kind: Kind
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """The answer to GET_STATUS."""

    queue_length: int
    """In frames; marks do not count."""
    queue_full: bool
    bulk_media: bool
    media_paused: bool


class OutQueue:
    """One for each call. Sound is μ-law at 8 kHz."""

    def __init__(self) -> None:
        self._items: deque[bytes | Told] = deque()
        self._frames = 0
        self._full = False
        self._buffering = False
        self._rest = b""
        self._paused = False
        self._drain_asked = False

    @property
    def status(self) -> Status:
        return Status(self._frames, self._full, self._buffering, self._paused)

    def put(self, sound: bytes) -> list[Told]:
        """Queue a message. A tail that fills no frame is dropped unless buffering was started."""
        if self._full:
            return []
        if self._buffering:
            sound = self._rest + sound
        whole = len(sound) - len(sound) % FRAME_BYTES
        self._rest = sound[whole:] if self._buffering else b""
        for at in range(0, whole, FRAME_BYTES):
            self._items.append(sound[at : at + FRAME_BYTES])
        self._frames += whole // FRAME_BYTES
        if self._frames >= XOFF_FRAMES:
            self._full = True
            return [Told("MEDIA_XOFF")]
        return []

    def mark(self, correlation_id: str) -> None:
        """Tell when all that was queued before has been played."""
        self._items.append(Told("MEDIA_MARK_PROCESSED", correlation_id))

    def start_buffering(self) -> None:
        """From now on messages are one stream of bytes, of any lengths."""
        self._buffering = True

    def stop_buffering(self, correlation_id: str) -> None:
        """The stream is complete: fill its last frame with silence, tell when it was played."""
        if not self._buffering:
            return
        if self._rest:
            self._items.append(self._rest.ljust(FRAME_BYTES, ULAW_SILENCE))
            self._frames += 1
        self._buffering, self._rest = False, b""
        self._items.append(Told("MEDIA_BUFFERING_COMPLETED", correlation_id))

    def flush(self) -> list[Told]:
        """Drop what waits, marks too, and end buffering. A pause stays."""
        self._items.clear()
        self._frames = 0
        self._buffering, self._rest = False, b""
        return self._relieved()

    def pause(self) -> None:
        self._paused = True

    def go_on(self) -> None:
        self._paused = False

    def ask_drained(self) -> None:
        """Tell once when nothing waits any more."""
        self._drain_asked = True

    def tick(self) -> tuple[bytes | None, list[Told]]:
        """The frame to play now, None for none; and what to tell before."""
        told: list[Told] = []
        if self._paused:
            return None, told
        while self._items:
            item = self._items.popleft()
            if isinstance(item, bytes):
                self._frames -= 1
                return item, told + self._relieved()
            told.append(item)
        if self._drain_asked:
            self._drain_asked = False
            told.append(Told("QUEUE_DRAINED"))
        return None, told

    def _relieved(self) -> list[Told]:
        if self._full and self._frames < XON_FRAMES:
            self._full = False
            return [Told("MEDIA_XON")]
        return []
