"""Coded audio: μ-law bytes that name their own place, for measuring what was really played.

Each millisecond (8 bytes) holds a stream id, the millisecond's number and a tag. Five bits of the
40-bit word travel in each byte, as one of 32 μ-law codes of nearly equal level, so that the bytes
survive any path that keeps μ-law codes, also through linear samples and back (a stereo WAV). The
word is mixed by a bijection before it is cut into bytes: the audio sounds like level noise, and a
window that is not coded audio shows the right tag with a chance of 1 in 256 only. A run counts
from two milliseconds in succession on, so foreign audio in practice never decodes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MS_BYTES = 8
MAX_STREAM_ID = 2**11 - 1
MAX_MS = 2**21 - 1
"""The last millisecond that a stream can number: about 35 minutes."""

_TAG = 0xA5
_WORD_MASK = np.uint64(2**40 - 1)
_FACTOR = 0x9E_3779_B97F  # odd, so that multiplying modulo 2**40 can be undone
_UNFACTOR = pow(_FACTOR, -1, 2**40)
_HALF = np.uint64(20)
_FOREIGN = 0xFF

# Quiet: the codes of magnitude 0-132 of 32124 (-47.7 dBFS and below). 0x6F stands in for 0x7F,
# which is negative zero and becomes 0xFF on a path through linear samples.
_QUIET_CODES = np.array([*range(0xF0, 0x100), *range(0x6F, 0x7F)], dtype=np.uint8)
# Loud: one segment with both signs, about -21 dBFS, the level of telephone speech.
_LOUD_CODES = np.array([*range(0xB0, 0xC0), *range(0x30, 0x40)], dtype=np.uint8)

_SYMBOL_OF_CODE = np.full(256, _FOREIGN, dtype=np.uint8)
_SYMBOL_OF_CODE[_QUIET_CODES] = np.arange(32, dtype=np.uint8)
_SYMBOL_OF_CODE[_LOUD_CODES] = np.arange(32, dtype=np.uint8)

_BLOCK_BYTES = 1 << 16
"""Decoding works through blocks that fit the processor's cache."""

_Words = npt.NDArray[np.uint64]
_Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Run:
    """An unbroken stretch of one coded stream; whole milliseconds only."""

    stream_id: int
    start_ms: int
    end_ms: int
    """Exclusive."""
    offset_bytes: int
    """Where `start_ms` lies in the data that was decoded."""


def coded_audio(stream_id: int, start_ms: int, duration_ms: int, quiet: bool) -> bytes:
    """Coded μ-law (8 kHz) of `duration_ms` milliseconds from `start_ms` on.

    `quiet` keeps below -47 dBFS, for audio that no voice activity detection may notice; otherwise
    the level is that of speech. Raises ValueError when the id or the time cannot be coded.
    """
    if not 0 <= stream_id <= MAX_STREAM_ID:
        raise ValueError(f"stream_id must be 0 to {MAX_STREAM_ID}, got {stream_id}")
    if duration_ms < 0:
        raise ValueError(f"duration_ms must not be negative, got {duration_ms}")
    if start_ms < 0 or start_ms + duration_ms > MAX_MS + 1:
        raise ValueError(
            f"coded milliseconds run from 0 to {MAX_MS}, "
            f"got {start_ms} to {start_ms + duration_ms - 1}"
        )
    ms = np.arange(start_ms, start_ms + duration_ms, dtype=np.uint64)
    words = _mixed(np.uint64(stream_id << 29 | _TAG) | (ms << np.uint64(8)))
    shifts = np.arange(35, -1, -5, dtype=np.uint64)
    symbols = (words[:, None] >> shifts) & np.uint64(31)
    codes = _QUIET_CODES if quiet else _LOUD_CODES
    return bytes(codes[symbols].tobytes())


def decode_coded(data: bytes) -> list[Run]:
    """The coded stretches in `data`, by offset, wherever they begin and whatever lies between.

    A stretch that was cut inside a millisecond loses that millisecond; one of a single whole
    millisecond is not reported, because it cannot be told from chance.
    """
    offsets, keys = _tagged_windows(np.frombuffer(data, dtype=np.uint8))
    if len(offsets) == 0:
        return []
    # Along one run the offset grows by 8 whenever the key grows by 1, so this difference is its
    # signature, also where a chance hit lies between two of its windows.
    signature = offsets - MS_BYTES * keys
    order = np.lexsort((offsets, signature))
    offsets, keys, signature = offsets[order], keys[order], signature[order]
    breaks = (np.diff(signature) != 0) | (np.diff(offsets) != MS_BYTES)
    firsts = np.flatnonzero(np.concatenate(([True], breaks)))
    lasts = np.flatnonzero(np.concatenate((breaks, [True])))
    return _runs(offsets, keys, firsts, lasts)


def _runs(offsets: _Indices, keys: _Indices, firsts: _Indices, lasts: _Indices) -> list[Run]:
    found = [
        Run(
            stream_id=int(keys[first]) >> 21,
            start_ms=int(keys[first]) & MAX_MS,
            end_ms=(int(keys[last]) & MAX_MS) + 1,
            offset_bytes=int(offsets[first]),
        )
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
        if last > first
    ]
    return sorted(found, key=lambda run: run.offset_bytes)


def _tagged_windows(data: npt.NDArray[np.uint8]) -> tuple[_Indices, _Indices]:
    """Offsets of all 8-byte windows with the right tag, and their stream id and ms as one key."""
    offsets: list[_Indices] = [np.empty(0, dtype=np.int64)]
    keys: list[_Indices] = [np.empty(0, dtype=np.int64)]
    for begin in range(0, len(data) - MS_BYTES + 1, _BLOCK_BYTES):
        words, whole = _windows(data[begin : begin + _BLOCK_BYTES + MS_BYTES - 1])
        plain = _unmixed(words)
        hits = np.flatnonzero(whole & ((plain & np.uint64(0xFF)) == _TAG))
        offsets.append(hits + begin)
        keys.append((plain[hits] >> np.uint64(8)).astype(np.int64))
    return np.concatenate(offsets), np.concatenate(keys)


def _windows(data: npt.NDArray[np.uint8]) -> tuple[_Words, npt.NDArray[np.bool_]]:
    """The 40-bit word of the window at every offset, and whether all its bytes are coded ones."""
    symbols = _SYMBOL_OF_CODE[data]
    n = len(data) - MS_BYTES + 1
    foreign_before = np.concatenate(([0], np.cumsum(symbols == _FOREIGN)))
    whole = foreign_before[MS_BYTES:] == foreign_before[:n]
    # Doubling: words of one byte, then of two, of four, of eight.
    words = symbols.astype(np.uint64)
    for width in (1, 2, 4):
        words = (words[:-width] << np.uint64(5 * width)) | words[width:]
    return words & _WORD_MASK, whole


def _mixed(words: _Words) -> _Words:
    words = words ^ (words >> _HALF)
    words = (words * np.uint64(_FACTOR)) & _WORD_MASK
    return words ^ (words >> _HALF)


def _unmixed(words: _Words) -> _Words:
    # A right shift by half the width or more undoes itself.
    words = words ^ (words >> _HALF)
    words = (words * np.uint64(_UNFACTOR)) & _WORD_MASK
    return words ^ (words >> _HALF)
