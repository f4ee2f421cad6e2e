"""RTP packets (RFC 3550, section 5.1) to and from bytes; one axis for their wrapping numbers."""

import struct
from dataclasses import dataclass
from typing import Final

VERSION: Final = 2
_FIXED: Final = struct.Struct("!BBHII")
_WORD_BYTES: Final = 4


class RtpError(ValueError):
    """A datagram that is no RTP packet: says what was expected and what came."""


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet. Contributing sources, extensions and padding are left away when parsing."""

    payload_type: int
    """0 to 127."""
    sequence: int
    """16 bits."""
    timestamp: int
    """32 bits, in samples: 8,000 a second for G.711 and its telephone events."""
    ssrc: int
    """32 bits."""
    payload: bytes
    marker: bool = False

    def encoded(self) -> bytes:
        """The datagram. Raises `struct.error` for numbers that do not fit their fields."""
        second = self.payload_type | (0x80 if self.marker else 0)
        head = _FIXED.pack(VERSION << 6, second, self.sequence, self.timestamp, self.ssrc)
        return head + self.payload


def parse_rtp(datagram: bytes) -> RtpPacket:
    """Read a datagram. Raises `RtpError`."""
    if len(datagram) < _FIXED.size:
        raise RtpError(f"expected an RTP header of {_FIXED.size} bytes, got {len(datagram)} in all")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(datagram)
    if first >> 6 != VERSION:
        raise RtpError(f"expected RTP version {VERSION}, got {first >> 6}")
    begin = _FIXED.size + _WORD_BYTES * (first & 0x0F)
    if first & 0x10:
        begin = _after_extension(datagram, begin)
    end = len(datagram) - _padding_bytes(datagram, padded=bool(first & 0x20))
    if begin > end:
        raise RtpError(f"expected a payload after {begin} bytes of header, got {end} bytes in all")
    payload = datagram[begin:end]
    return RtpPacket(second & 0x7F, sequence, timestamp, ssrc, payload, bool(second & 0x80))


def _after_extension(datagram: bytes, begin: int) -> int:
    if len(datagram) < begin + _WORD_BYTES:
        raise RtpError(f"expected a header extension at byte {begin}, got {len(datagram)} bytes")
    words = int.from_bytes(datagram[begin + 2 : begin + _WORD_BYTES], "big")
    return begin + _WORD_BYTES + _WORD_BYTES * words


def _padding_bytes(datagram: bytes, *, padded: bool) -> int:
    if not padded:
        return 0
    if datagram[-1] == 0:
        raise RtpError("expected padding to count itself, got a count of 0")
    return datagram[-1]


class Unwrapped:
    """Puts 32-bit numbers that wrap on one axis that does not: the place nearest to the last."""

    def __init__(self) -> None:
        self._last: int | None = None

    def of(self, wrapped: int) -> int:
        """The place of a number; of two equally near ones, the earlier."""
        if self._last is None:
            self._last = wrapped
        else:
            step = (wrapped - self._last) & 0xFFFF_FFFF
            self._last += step if step < 1 << 31 else step - (1 << 32)
        return self._last
