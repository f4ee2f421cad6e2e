"""What is on its way to the caller's ear through a PBX: sound, marks, flushes, and silence.

Asterisk keeps what it is sent in a queue and plays it itself. What it does otherwise than the heart
is used to, and what is done about it here:

1. `FLUSH_MEDIA` drops marks without a word. So each clear asks to be told when the queue is empty,
   flushes, and sends a mark of its own behind: whichever of the two comes first dates the flush,
   and the marks that it dropped are told then, in their order, the heart's fence as the last.
2. Sound that fills no frame of 160 bytes is dropped: it waits here for the rest of its frame, and
   is filled with silence where a mark says that no more will come.
3. Between XOFF and XON nothing goes out but a flush; what is to be said waits, in its order. An
   XON that does not come while the longest queue could be played is not waited for any longer.
4. It sends no RTP while it has nothing to play, and a trunk may take that for a dead call. So
   silence is sent while nothing is being said, a little at a time. It is flushed away before the
   first sound or mark that follows, which therefore is never late and never dated wrongly by it.
5. Marks are known by ids of a few characters, as texts are limited to 128 bytes.

Source: Asterisk docs, "WebSocket channel driver"; the order of a flush and of "drained", and that
marks in a row cost no time, as its driver does it (chan_websocket of 22 and 23).
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from app.carriers.asterisk.wire import Command, Format, command
from app.carriers.line import Frame
from telecodecs.g711 import FRAME_BYTES, FRAME_MS, ULAW_SILENCE

MOST_MESSAGE_BYTES: Final = 25 * FRAME_BYTES
"""Sound in one message, half a second; one of more than 65,500 bytes would end the call."""
SILENCE_AHEAD_MS: Final = 140
"""So far ahead silence is sent; it is asked for every 100 ms or a little later."""

XON_WAIT_MS: Final = 20_000
"""In which a full queue, 1,000 frames, has been played."""


@dataclass(slots=True)
class _Flush:
    mark_id: str
    dropped: dict[str, str]
    """Id -> name of the marks that it dropped, as far as we know, and that are not told yet."""


class Playing:
    """One socket's queue, as we believe it to be."""

    def __init__(self, format_: Format) -> None:
        self._format: Format = format_
        self._marks: dict[str, str] = {}
        """Id -> name, in the order in which they were sent; not processed yet, for all we know."""
        self._flushes: deque[_Flush] = deque()
        self._kept: deque[Frame] = deque()
        self._off = False
        self._off_since_ms: int | None = None
        """When we first looked after XOFF."""
        self._carried = b""
        self._unmarked = False
        """Sound was sent behind the newest mark."""
        self._silent_until_ms = 0
        """When the silence that was sent ends; 0: none may be queued."""
        self._ids = 0

    @property
    def kept(self) -> int:
        """Messages that wait for XON."""
        return len(self._kept)

    # What the heart wants

    def audio(self, ulaw: bytes) -> list[Frame]:
        ulaw, whole = self._carried + ulaw, (len(self._carried) + len(ulaw)) // FRAME_BYTES
        self._carried = ulaw[whole * FRAME_BYTES :]
        self._unmarked = True
        return self._break_silence() + self._out(_messages(ulaw[: whole * FRAME_BYTES]))

    def mark(self, name: str) -> list[Frame]:
        filled: list[Frame] = []
        if self._carried:
            filled = [self._carried.ljust(FRAME_BYTES, ULAW_SILENCE)]
            self._carried = b""
        mark_id = self._new_id()
        self._marks[mark_id] = name
        self._unmarked = False
        marked = self._command("MARK_MEDIA", mark_id)
        return self._break_silence() + self._out([*filled, marked])

    def clear(self) -> list[Frame]:
        self._kept.clear()
        self._carried, self._unmarked, self._off, self._silent_until_ms = b"", False, False, 0
        flush = _Flush(self._new_id(), self._marks)
        self._marks = {}
        self._flushes.append(flush)
        return [
            self._command("REPORT_QUEUE_DRAINED"),
            self._command("FLUSH_MEDIA"),
            self._command("MARK_MEDIA", flush.mark_id),
        ]

    def idle(self, now_ms: int) -> list[Frame]:
        """Silence, where all that was sent is known to be over; what waits for an XON that is
        overdue."""
        if self._off:
            return self._overdue(now_ms)
        if self._marks or self._flushes or self._unmarked or self._carried:
            return []
        ends_ms = max(now_ms, self._silent_until_ms)
        frames = (now_ms + SILENCE_AHEAD_MS - ends_ms) // FRAME_MS
        if frames <= 0:
            return []
        self._silent_until_ms = ends_ms + frames * FRAME_MS
        return [ULAW_SILENCE * (frames * FRAME_BYTES)]

    # What Asterisk tells; the marks that are to be told to the heart

    def processed(self, mark_id: str) -> list[str]:
        if mark_id in self._marks:
            return [self._marks.pop(mark_id)]
        for flush in self._flushes:
            if mark_id in flush.dropped:  # it came before the flush did
                return [flush.dropped.pop(mark_id)]
        if not any(flush.mark_id == mark_id for flush in self._flushes):
            return []
        told: list[str] = []
        while self._flushes:
            flush = self._flushes.popleft()
            told += flush.dropped.values()
            if flush.mark_id == mark_id:
                break
        return told

    def drained(self) -> list[str]:
        """The queue is empty: what the oldest flush dropped is gone, or was played before it."""
        if not self._flushes:
            return []
        dropped, self._flushes[0].dropped = self._flushes[0].dropped, {}
        return list(dropped.values())

    def xoff(self) -> None:
        self._off, self._off_since_ms = True, None

    def xon(self) -> list[Frame]:
        self._off = False
        kept = list(self._kept)
        self._kept.clear()
        return kept

    def _overdue(self, now_ms: int) -> list[Frame]:
        if self._off_since_ms is None:
            self._off_since_ms = now_ms
        return self.xon() if now_ms - self._off_since_ms >= XON_WAIT_MS else []

    def _break_silence(self) -> list[Frame]:
        if not self._silent_until_ms:
            return []
        self._silent_until_ms = 0
        return [self._command("FLUSH_MEDIA")]

    def _out(self, frames: list[Frame]) -> list[Frame]:
        if not self._off:
            return frames
        self._kept.extend(frames)
        return []

    def _command(self, name: Command, mark_id: str = "") -> str:
        return command(name, self._format, mark_id)

    def _new_id(self) -> str:
        self._ids += 1
        return str(self._ids)


def _messages(ulaw: bytes) -> list[Frame]:
    return [ulaw[at : at + MOST_MESSAGE_BYTES] for at in range(0, len(ulaw), MOST_MESSAGE_BYTES)]
