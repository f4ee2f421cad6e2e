"""A carrier's clock, read from the timestamps of the caller's media, and the silence that fills its
gaps: for carriers that give some.

They send no media during silence suppression and loss, and then a model's voice detection never
hears the end of a turn. So the gaps are filled with μ-law silence: by timestamp when the next frame
shows how long the gap was, and by our own clock while it lasts. What the clock filled is not filled
again by the timestamp.

Positions are bytes of μ-law (8 bytes = 1 ms) on the stream's own timeline, made continuous where
the timestamps leap. `now_ms` is any monotonic clock of ours.
"""

from typing import Final

_BYTES_PER_MS: Final = 8
_FRAME_MS: Final = 20
_FRAME_BYTES: Final = _FRAME_MS * _BYTES_PER_MS
_QUIET_MS: Final = 60
"""Without media for longer than this, our own clock carries the carrier's on."""
_LEAP_MS: Final = 2000
"""A timestamp may run this far ahead of what our own clock makes plausible."""
_OVERLAP_MS: Final = 100
"""A frame may begin this far before the end of the one before it."""
_MOST_DUE_BYTES: Final = 1000 * _BYTES_PER_MS
"""Silence that one `due_padding` gives at most; the next call gives the rest."""

LATE_MS: Final = 80
"""How late a frame may be before silence is written in its place: 100 ms after the last one, when
frames are 20 ms long. The filling stays this far behind, so that mere jitter never makes it wrong.
"""


class CarrierClock:
    """One stream's clock. `opened_ms`: our time at the stream's `start` message."""

    always_on: Final = True

    def __init__(self, opened_ms: int) -> None:
        self.overlaps = 0
        """Frames that began before the end of the one before; they are kept as they come."""
        self.leaps = 0
        """Timestamps too far ahead or behind to be true; the timeline was joined there."""
        self._opened_ms = opened_ms
        self._shift_bytes = 0
        self._first: int | None = None
        self._written = 0
        self._media_end = 0
        self._media_now_ms = opened_ms
        self._frame_ms = _FRAME_MS
        self._lead_ms = 0

    @property
    def axis_bytes(self) -> int:
        """Caller audio written so far, silence included, from the first frame on."""
        return 0 if self._first is None else self._written - self._first

    @property
    def axis_ahead_bytes(self) -> int:
        """How far the written audio runs ahead of the timestamps: silence filled by the clock for
        frames that came late after all, or frames that overlap."""
        return self._written - self._media_end

    def on_media(self, timestamp_ms: int, n_bytes: int, now_ms: int) -> int:
        """Count one frame; returns the bytes of silence to write before it."""
        if self._first is None:
            self._begin(timestamp_ms, now_ms)
        start = self._place(timestamp_ms, now_ms)
        padding = max(0, start - self._written)
        self._written += padding + n_bytes
        self._media_end = max(self._media_end, start + n_bytes)
        self._media_now_ms = now_ms
        self._frame_ms = max(_FRAME_MS, n_bytes // _BYTES_PER_MS)
        return padding

    def due_padding(self, now_ms: int) -> int:
        """The bytes of silence to write now because media has stalled; whole 20 ms frames.

        Nothing is due before the first frame.
        """
        if self._first is None:
            return 0
        stalled_ms = now_ms - self._media_now_ms - self._frame_ms - LATE_MS
        due = self._media_end + stalled_ms * _BYTES_PER_MS - self._written
        due = min(due, _MOST_DUE_BYTES)
        if due < _FRAME_BYTES:
            return 0
        due -= due % _FRAME_BYTES
        self._written += due
        return due

    def at(self, now_ms: int) -> tuple[int, int]:
        """Bounds (lowest, highest) on the carrier's time, in ms since the stream began, of a
        message that arrives now on the same ordered socket: after the last frame, before the next.
        """
        low_ms = self._media_end // _BYTES_PER_MS
        quiet_ms = now_ms - self._media_now_ms
        if quiet_ms > _QUIET_MS + self._frame_ms - _FRAME_MS:
            return low_ms, low_ms + quiet_ms
        return low_ms, low_ms + self._frame_ms

    def _begin(self, timestamp_ms: int, now_ms: int) -> None:
        self._first = self._written = self._media_end = timestamp_ms * _BYTES_PER_MS
        self._lead_ms = timestamp_ms - now_ms

    def _place(self, timestamp_ms: int, now_ms: int) -> int:
        """Where the frame starts on the continuous timeline."""
        start = timestamp_ms * _BYTES_PER_MS + self._shift_bytes
        lead_ms = start // _BYTES_PER_MS - now_ms
        if lead_ms > self._lead_ms + _LEAP_MS:
            plausible = (now_ms + self._lead_ms) * _BYTES_PER_MS
            return self._join(start, max(plausible, self._media_end))
        if start < self._media_end - _OVERLAP_MS * _BYTES_PER_MS:
            return self._join(start, self._media_end)
        if start < self._media_end:
            self.overlaps += 1
        # The frame with the least delay so far tells best how the two clocks stand.
        self._lead_ms = max(self._lead_ms, lead_ms)
        return start

    def _join(self, start: int, place: int) -> int:
        self.leaps += 1
        self._shift_bytes += place - start
        return place
