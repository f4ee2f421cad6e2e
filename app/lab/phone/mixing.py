"""Sounds put together by the frame, and those that a telephone network makes by itself."""

from collections import deque
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from app.lab.phone.line_sound import coded, linear
from app.lab.speech.beds import BedKind, bed
from telecodecs.g711 import FRAME_BYTES, SAMPLE_RATE_HZ, ULAW_SILENCE, pcm_to_ulaw
from telecodecs.levels import FULL_SCALE

BEEP_HZ = 1_000
BEEP_MS = 300
_LOOP_RMS = FULL_SCALE * 10 ** (-24 / 20)


def mixed(frames: Sequence[bytes]) -> bytes | None:
    """One frame out of several of μ-law, 20 ms each at most; None for none."""
    if len(frames) < 2:
        return frames[0] if frames else None
    total = np.zeros(FRAME_BYTES, dtype=np.float32)
    for frame in frames:
        total[: len(frame)] += linear(frame)
    return coded(total)


@lru_cache(maxsize=8)
def beep(hz: int = BEEP_HZ, ms: int = BEEP_MS) -> bytes:
    """A tone at -14 dBFS, as before a recording."""
    times_s = np.arange(ms * SAMPLE_RATE_HZ // 1000) / SAMPLE_RATE_HZ
    wave = np.sin(2 * np.pi * hz * times_s) * FULL_SCALE * 10 ** (-14 / 20) * 2**0.5
    return pcm_to_ulaw(np.rint(wave).astype("<i2").tobytes())


@lru_cache(maxsize=4)
def _loop(kind: BedKind) -> tuple[bytes, ...]:
    audio = coded((bed(kind) * np.float32(_LOOP_RMS)).astype(np.float32))
    return tuple(audio[at : at + FRAME_BYTES] for at in range(0, len(audio), FRAME_BYTES))


class Ambience:
    """What the network itself sounds on one leg: ringing, hold music, beeps. People know such
    sounds from a voice, so no script takes them for somebody who speaks."""

    def __init__(self) -> None:
        self._once: deque[bytes] = deque()
        self._again: tuple[bytes, ...] = ()
        self._at = 0

    def play(self, ulaw: bytes) -> None:
        """Once, after what is already to be played."""
        padded = ulaw + ULAW_SILENCE * (-len(ulaw) % FRAME_BYTES)
        self._once.extend(
            padded[at : at + FRAME_BYTES] for at in range(0, len(padded), FRAME_BYTES)
        )

    def loop(self, kind: BedKind | None) -> None:
        """Over and over; None ends it."""
        self._again, self._at = (() if kind is None else _loop(kind)), 0

    def frame(self) -> bytes | None:
        """The next 20 ms."""
        if self._once:
            return self._once.popleft()
        if not self._again:
            return None
        frame = self._again[self._at]
        self._at = (self._at + 1) % len(self._again)
        return frame
