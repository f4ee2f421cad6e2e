"""One generation of bot audio: which item each byte belongs to, and where playback stands.

Rules of the axis:
1. Position 0 is the first byte after the last `clear`; positions are μ-law bytes, 8 a millisecond.
2. Bytes are released in order and once, in multiples of a frame; padding belongs to no item.
3. A mark at position p is echoed when every byte before p was played, never earlier.
4. Between marks the carrier plays 8 bytes a millisecond of its own clock, so a position and the
   carrier time at which it was reached differ by a constant (the offset) while playback runs on.
5. A start mark is sent when the carrier's buffer is believed dry: it teaches the offset anew. It
   comes back at once, and sound begins with the carrier's next frame, up to 20 ms later.
6. The carrier plays whole frames: one that began to sound is heard to its end, so at an unknown
   instant within a frame half a frame more was heard than the clock says.
"""

from collections.abc import Iterator
from dataclasses import dataclass

BYTES_PER_MS = 8
FRAME_BYTES = 160
FRAME_MS = FRAME_BYTES // BYTES_PER_MS
JITTER_MS = 30
"""How far two messages' delays on the carrier's socket may differ, for an echo without media."""


@dataclass(slots=True)
class Span:
    """Consecutive bytes of one item. `start` and `end` are axis positions."""

    response_id: str
    item_id: str
    content_index: int
    start: int
    end: int
    before: int = 0
    """Bytes of the item that were heard on an older axis, before this span."""


@dataclass(frozen=True, slots=True)
class ItemHeard:
    """How much of one item the caller heard."""

    response_id: str
    item_id: str
    content_index: int
    heard_bytes: int
    received_bytes: int

    @property
    def heard_ms(self) -> int:
        """Whole milliseconds, rounded down: a truncation must not exceed what was received."""
        return self.heard_bytes // BYTES_PER_MS

    @property
    def unheard(self) -> bool:
        """Less than a frame was heard: the carrier plays whole frames, so none of it was."""
        return self.heard_ms == 0 or self.heard_bytes < min(FRAME_BYTES, self.received_bytes)

    @property
    def whole(self) -> bool:
        """All that was received was heard, to within the frame that the clock cannot resolve."""
        return not self.unheard and self.received_bytes - self.heard_bytes < FRAME_BYTES


class Spans:
    """The items on an axis, in order of arrival; one item may own several spans."""

    __slots__ = ("_before", "_spans", "end")

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._before: dict[tuple[str, int], int] = {}
        """By item and content, what was heard on an older axis of an item that may go on here."""
        self.end = 0
        """Axis position after the last byte received."""

    def append(self, response_id: str, item_id: str, content_index: int, n_bytes: int) -> None:
        last = self._spans[-1] if self._spans else None
        if last is not None and (last.item_id, last.content_index) == (item_id, content_index):
            last.end += n_bytes
        else:
            before = self._before.pop((item_id, content_index), 0)
            self._spans.append(
                Span(response_id, item_id, content_index, self.end, self.end + n_bytes, before)
            )
        self.end += n_bytes

    def pad(self, n_bytes: int) -> None:
        """Add silence that belongs to no item."""
        self.end += n_bytes

    def at(self, position: int) -> Span | None:
        """The span that holds the byte at `position`."""
        return next((s for s in self._spans if s.start <= position < s.end), None)

    def bytes_of(self, response_id: str) -> int:
        """Bytes of this response that are still on the axis."""
        return sum(s.end - s.start for s in self._spans if s.response_id == response_id)

    def items_of(self, response_id: str) -> list[str]:
        """The items of this response that are still on the axis, in order, each once."""
        return list(dict.fromkeys(s.item_id for s in self._spans if s.response_id == response_id))

    def heard_until(self, position: int) -> Iterator[ItemHeard]:
        """Every item on the axis with what of it lies before `position`."""
        totals: dict[tuple[str, int], ItemHeard] = {}
        for span in self._spans:
            key = (span.item_id, span.content_index)
            before = totals.get(key)
            heard = span.before + max(0, min(position, span.end) - span.start)
            received = span.before + span.end - span.start
            totals[key] = ItemHeard(
                span.response_id,
                span.item_id,
                span.content_index,
                heard + (before.heard_bytes if before else 0),
                received + (before.received_bytes if before else 0),
            )
        return iter(totals.values())

    def rest(self, position: int) -> "Spans":
        """What lies from `position` on, as an axis of its own that begins there."""
        rest = Spans()
        rest.end = self.end - position
        before = dict(self._before)
        for span in self._spans:
            key = (span.item_id, span.content_index)
            heard = before.pop(key, 0) + span.before
            cut = min(max(span.start, position), span.end)
            if cut < span.end:
                ids = (span.response_id, span.item_id, span.content_index)
                rest._spans.append(
                    Span(*ids, cut - position, span.end - position, heard + cut - span.start)
                )
            else:
                before[key] = heard + span.end - span.start
        rest._before = before
        return rest

    def drop_before(self, position: int) -> list[ItemHeard]:
        """Forget items that end at or before `position`; they were heard whole."""
        done = Spans()
        done._spans = [s for s in self._spans if s.end <= position]
        self._spans = self._spans[len(done._spans) :]
        return list(done.heard_until(position))


class PlayClock:
    """Turns carrier time into an axis position (rules 3 to 6).

    Each echo bounds the offset, in milliseconds of carrier time, to an interval; while playback
    runs on, the truth lies where the intervals intersect, known better with every echo. An interval
    that does not meet the others means that playback paused: it then counts alone.
    """

    __slots__ = ("_doubted", "_hi_ms", "_lo_ms", "position")

    def __init__(self) -> None:
        self._lo_ms: int | None = None
        self._hi_ms = 0
        self._doubted = False
        self.position = 0
        """The furthest position whose mark was really played."""

    @property
    def known(self) -> bool:
        return self._lo_ms is not None

    def restarted(self, position: int, lo_ms: int, hi_ms: int) -> None:
        """A start mark at `position` came back between the carrier times `lo_ms` and `hi_ms`."""
        lo_ms, hi_ms = narrowed(lo_ms, hi_ms)
        at_ms = position // BYTES_PER_MS
        self._lo_ms, self._hi_ms = lo_ms - at_ms, hi_ms - at_ms + FRAME_MS
        self.position = max(self.position, position)

    def played(self, position: int, lo_ms: int, hi_ms: int) -> None:
        """A mark at `position` came back between these carrier times, its audio played.

        Wide bounds overrule what is known only when two echoes in a row say so: they also come of
        a network or a machine that stood still for a moment while playback ran on.
        """
        at_ms = position // BYTES_PER_MS
        near_lo, near_hi = narrowed(lo_ms, hi_ms)
        if self._meets(near_lo - at_ms, near_hi - at_ms):
            assert self._lo_ms is not None
            self._lo_ms = max(self._lo_ms, near_lo - at_ms)
            self._hi_ms = min(self._hi_ms, near_hi - at_ms)
            self._doubted = False
        elif self._doubted or not self._meets(lo_ms - at_ms, hi_ms - at_ms):
            self._lo_ms, self._hi_ms = near_lo - at_ms, near_hi - at_ms
            self._doubted = False
        else:
            self._doubted = True
        self.position = max(self.position, position)

    def _meets(self, lo_ms: int, hi_ms: int) -> bool:
        return self._lo_ms is not None and lo_ms <= self._hi_ms and hi_ms >= self._lo_ms

    def reached_ms(self, position: int) -> int | None:
        """The carrier time at which this position of the present run plays; None: not known."""
        if self._lo_ms is None:
            return None
        return (self._lo_ms + self._hi_ms) // 2 + position // BYTES_PER_MS

    def position_at(self, lo_ms: int, hi_ms: int) -> int:
        """The position reached at a carrier time between the bounds; at least `self.position`."""
        if self._lo_ms is None:
            return self.position
        lo_ms, hi_ms = narrowed(lo_ms, hi_ms)
        twice_ms = lo_ms + hi_ms - self._lo_ms - self._hi_ms
        return max(self.position, (twice_ms * BYTES_PER_MS + FRAME_BYTES) // 2)


def narrowed(lo_ms: int, hi_ms: int) -> tuple[int, int]:
    """Better bounds on the carrier time of an echo that came while caller media paused.

    Wide bounds run from the last media frame to what wall time makes of it since; the truth is
    near the upper end, off only by how much the two messages' network delays differ.
    """
    if hi_ms - lo_ms <= 2 * FRAME_MS:
        return lo_ms, hi_ms
    return max(lo_ms, hi_ms - JITTER_MS), hi_ms + JITTER_MS
