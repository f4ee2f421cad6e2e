"""Keys pressed, from RTP telephone events (RFC 4733). Sans-I/O.

All packets of one press carry the timestamp of its beginning, the last one thrice with the end
bit. Any of them can be lost, doubled or late: a press is told once, at its end if that is seen,
otherwise when the next begins or nothing came of it any more.
"""

from dataclasses import dataclass
from typing import Final

from app.sip_line.rtp import Unwrapped

KEYS: Final = "0123456789*#ABCD"
SILENT_MS: Final = 250
"""Updates come every 50 ms at most apart; after this time without one the press is over."""
_PAYLOAD_BYTES: Final = 4
_SEGMENT_SAMPLES: Final = 0xFFFF
"""A longer press goes on as a segment that begins where the longest duration ends (2.5.1.3)."""
_LATE_SAMPLES: Final = 40_000
"""Five seconds. A step back by more is a new beginning of the timestamps, no late packet."""


@dataclass(slots=True)
class _Press:
    key: str
    start: int
    seen_ms: int


class KeyEvents:
    """One for each stream. Time is the caller's, in ms."""

    def __init__(self) -> None:
        self._axis = Unwrapped()
        self._press: _Press | None = None
        self._told: int | None = None
        """The beginning of the newest press that was told: older packets are late doubles."""

    def put(self, timestamp: int, payload: bytes, now_ms: int) -> str:
        """Take a packet; what was pressed thereby, in order, mostly "". Other events are none."""
        if len(payload) < _PAYLOAD_BYTES or payload[0] >= len(KEYS):
            return ""
        start, key = self._axis.of(timestamp), KEYS[payload[0]]
        told = self._new_beginning(start)
        if self._told is not None and start <= self._told:
            return ""
        if self._press is None:
            self._press = _Press(key, start, now_ms)
        elif start > self._press.start:
            told = self._next_press(key, start, now_ms)
        elif start < self._press.start:
            return ""
        self._press.seen_ms = now_ms
        return told + (self._tell() if payload[1] & 0x80 else "")

    def tick(self, now_ms: int) -> str:
        """The key whose end was never seen, once nothing came of it for a while; else ""."""
        if self._press is not None and now_ms - self._press.seen_ms >= SILENT_MS:
            return self._tell()
        return ""

    def _new_beginning(self, start: int) -> str:
        """The press that was going on where the timestamps began anew, which a PBX that connects
        two calls makes them do; otherwise, mostly, ""."""
        newest = self._told if self._press is None else self._press.start
        if newest is None or start >= newest - _LATE_SAMPLES:
            return ""
        told = self._tell() if self._press is not None else ""
        self._told = None
        return told

    def _next_press(self, key: str, start: int, now_ms: int) -> str:
        press = self._press
        assert press is not None
        if key == press.key and start - press.start == _SEGMENT_SAMPLES:
            press.start = start
            return ""
        told = self._tell()
        self._press = _Press(key, start, now_ms)
        return told

    def _tell(self) -> str:
        press, self._press = self._press, None
        assert press is not None
        self._told = press.start
        return press.key
