"""What the caller's line sounds like: noise, clipping, echo, keys and a narrow band, by the frame.

    voice + noise -> clipping -> + echo of the bot + tones of keys -> band -> μ-law

Everything that can be is computed before the first frame. A frame to which nothing is added and
from which nothing is taken keeps its bytes.
"""

from functools import lru_cache
from random import Random
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from app.lab.phone.impairments import Band, Clipping, Echo, Impairments, KeyLeak, Noise
from app.lab.speech.beds import bed
from telecodecs.dtmf import dtmf_tone
from telecodecs.g711 import BYTES_PER_MS, FRAME_BYTES, SAMPLE_RATE_HZ, pcm_to_ulaw, ulaw_to_pcm
from telecodecs.levels import FULL_SCALE

Samples: TypeAlias = npt.NDArray[np.float32]

_LINEAR: Samples = np.frombuffer(ulaw_to_pcm(bytes(range(256))), "<i2").astype(np.float32)
_CEILING = 32_767.0
_HYBRID_TAPS = 12
_BAND_TAPS = 65
BAND_DELAY_MS = _BAND_TAPS // 2 // BYTES_PER_MS


class LineSound:
    """One call's line. Ask for each frame in turn, also for those that the carrier never gets.

    A process's first line with a kind of noise computes it, some 10 to 60 ms; later ones share it.
    """

    def __init__(self, impairments: Impairments) -> None:
        has = impairments
        self._noise = _NoiseBed(has.noise, has.seed) if has.noise else None
        self._clipping = _Overdrive(has.clipping) if has.clipping else None
        self._echo = _EchoPath(has.echo) if has.echo else None
        self._leak = KeyTones(has.key_leak) if has.key_leak else None
        self._band = _BandPass(has.band) if has.band else None
        self.delay_ms = BAND_DELAY_MS if has.band else 0
        """How much later than the caller spoke it the sound is on the line."""

    def press(self, key: str) -> None:
        """A key goes down with the next frame."""
        if self._leak is not None:
            self._leak.press(key)

    def frame(self, caller: bytes, bot: bytes | None) -> bytes:
        """20 ms of μ-law as the carrier gets them, from the caller's 160 bytes and from the bot's
        audio that plays meanwhile."""
        echo = self._echo.frame(bot) if self._echo is not None else None
        tone = self._leak.frame() if self._leak is not None else None
        steady = self._noise or self._clipping or self._band
        if not steady and echo is None and tone is None:
            return caller
        samples = _LINEAR.take(np.frombuffer(caller, np.uint8))
        if self._noise is not None:
            samples += self._noise.frame()
        if self._clipping is not None:
            self._clipping.drive(samples)
        if echo is not None:
            samples += echo
        if tone is not None:
            samples += tone
        if self._band is not None:
            samples = self._band.frame(samples)
        return coded(samples)


class _NoiseBed:
    def __init__(self, noise: Noise, seed: int) -> None:
        self._frames = _noise_frames(noise)
        self._next = Random(f"{seed}/noise").randrange(len(self._frames))

    def frame(self) -> Samples:
        frame: Samples = self._frames[self._next]
        self._next = (self._next + 1) % len(self._frames)
        return frame


@lru_cache(maxsize=16)
def _noise_frames(noise: Noise) -> Samples:
    """Shared by all calls with this noise; each begins at a place of its own."""
    rms = FULL_SCALE * 10 ** ((noise.speech_dbfs - noise.snr_db) / 20)
    return (bed(noise.kind) * np.float32(rms)).reshape(-1, FRAME_BYTES)


class _Overdrive:
    def __init__(self, clipping: Clipping) -> None:
        self._gain = np.float32(10 ** (clipping.gain_db / 20))
        self._limit = np.float32(FULL_SCALE * 10 ** (clipping.limit_dbfs / 20))

    def drive(self, samples: Samples) -> None:
        """In place."""
        samples *= self._gain
        _limit(samples, self._limit)


class _EchoPath:
    def __init__(self, echo: Echo) -> None:
        n = np.arange(_HYBRID_TAPS)
        hybrid = np.cos(0.9 * n) * np.exp(-n / 3)
        energy = float((hybrid**2).sum())
        taps = hybrid / energy**0.5 * 10 ** (-echo.attenuation_db / 20)
        self._reversed_hybrid = taps[::-1].astype(np.float32)
        # The oldest samples come first: those that return with this frame, a hybrid's length more.
        self._past = np.zeros(
            FRAME_BYTES + _HYBRID_TAPS - 1 + echo.delay_ms * BYTES_PER_MS, dtype=np.float32
        )
        self._sounding = 0

    def frame(self, bot: bytes | None) -> Samples | None:
        """What returns in these 20 ms, or None for nothing."""
        if bot:
            self._sounding = len(self._past)
        elif self._sounding <= 0:
            return None
        else:
            self._sounding -= FRAME_BYTES
        self._past[:-FRAME_BYTES] = self._past[FRAME_BYTES:]
        newest = self._past[-FRAME_BYTES:]
        newest[:] = 0.0
        if bot:
            newest[: len(bot)] = _LINEAR.take(np.frombuffer(bot, np.uint8))
        returning = self._past[: FRAME_BYTES + _HYBRID_TAPS - 1]
        return np.correlate(returning, self._reversed_hybrid, "valid")


class KeyTones:
    """The tones of pressed keys, by the frame."""

    def __init__(self, leak: KeyLeak) -> None:
        self._leak = leak
        self._pending: Samples = np.zeros(0, dtype=np.float32)

    def press(self, key: str) -> None:
        """A key goes down with the next frame, or after the keys that still sound."""
        pcm = dtmf_tone(key, self._leak.tone_ms, 0, self._leak.level_dbfs, encoding="pcm")
        tone = np.frombuffer(pcm, "<i2").astype(np.float32)
        self._pending = np.concatenate((self._pending, tone))

    def frame(self) -> Samples | None:
        """The next 20 ms, or None when no key sounds."""
        if not len(self._pending):
            return None
        now, self._pending = self._pending[:FRAME_BYTES], self._pending[FRAME_BYTES:]
        return np.pad(now, (0, FRAME_BYTES - len(now)))


class _BandPass:
    """A windowed-sinc filter of linear phase, so that it delays all by the same."""

    def __init__(self, band: Band) -> None:
        n = np.arange(_BAND_TAPS) - _BAND_TAPS // 2
        high, low = (2 * hz / SAMPLE_RATE_HZ for hz in (band.high_hz, band.low_hz))
        taps = (high * np.sinc(high * n) - low * np.sinc(low * n)) * np.hamming(_BAND_TAPS)
        self._taps = taps.astype(np.float32)
        self._past: Samples = np.zeros(_BAND_TAPS - 1, dtype=np.float32)

    def frame(self, samples: Samples) -> Samples:
        together = np.concatenate((self._past, samples))
        self._past = together[FRAME_BYTES:]
        return np.correlate(together, self._taps, "valid")  # symmetric


def linear(ulaw: bytes) -> Samples:
    """μ-law as samples of 16 bits' range."""
    return _LINEAR.take(np.frombuffer(ulaw, np.uint8))


def coded(samples: Samples) -> bytes:
    """Samples of 16 bits' range as μ-law; what is too loud is cut off, in place."""
    _limit(samples, np.float32(_CEILING))
    return pcm_to_ulaw(np.rint(samples).astype("<i2").tobytes())


def _limit(samples: Samples, most: np.float32) -> None:
    np.minimum(samples, most, out=samples)
    np.maximum(samples, -most, out=samples)
