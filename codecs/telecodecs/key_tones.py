"""Whether a piece of caller audio may hold the tone of a key, told at once.

Not a receiver as of ITU-T Q.24, which `DtmfDetector` is: it does not say which key, and one window
of 20 ms is enough. So it hears a tone 5 to 15 ms after its start, also under somebody's voice, and
whoever must keep tones from passing on loses no time.

Source of the frequencies: ITU-T Q.23.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from telecodecs.dtmf import HIGH_GROUP_HZ, LOW_GROUP_HZ
from telecodecs.g711 import BYTES_PER_MS, SAMPLE_RATE_HZ, ULAW_SILENCE, ulaw_to_pcm

_Floats = npt.NDArray[np.float32]

USUAL_PURITY: Final = 0.5
"""Least share of the energy that the two tones must have. In 277 s of three voices no window has
it; a tone that is 6 dB above a voice has it in 99.8 % of its windows."""
LEAST_PURITY: Final = 0.3
"""Where a missed tone is worse than a lost syllable: 0.3 % of a voice's windows have it, and 98 %
of those of a tone that is no louder than the voice."""

_WINDOW: Final = 20 * BYTES_PER_MS
_HOP: Final = 10 * BYTES_PER_MS
_MIN_POWER: Final = 10 ** (-45 / 10)
"""Relative to full scale."""
_MOST_HIGH_OVER_LOW: Final = 10 ** (8 / 10)
_MOST_LOW_OVER_HIGH: Final = 10 ** (12 / 10)
"""Twist, with 2 dB more than `DtmfDetector` takes: a short window does not measure it well."""


class KeyToneGate:
    """For one stream of μ-law at 8 kHz, in pieces of at least 20 ms, as frames come."""

    def __init__(self) -> None:
        self._past = ULAW_SILENCE * _HOP

    def hears(self, ulaw: bytes) -> bool:
        """Whether the newest 20 ms may hold a key's tone. Quick, for every frame of a call."""
        self._past = ulaw[-_HOP:]
        newest = ulaw[-_WINDOW:]
        if _LOUD not in newest.translate(_LOUDNESS) or len(newest) < _WINDOW:
            return False
        samples: _Floats = _LINEAR.take(np.frombuffer(newest, np.uint8))
        energy = float((samples * samples).dot(_HANN_SQUARED))
        if energy < _LEAST_ENERGY:
            return False
        a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q = _BASIS_ROWS.dot(samples).tolist()
        low = max(a * a + i * i, b * b + j * j, c * c + k * k, d * d + m * m)
        high = max(e * e + n * n, f * f + o * o, g * g + p * p, h * h + q * q)
        return _sounds(energy, low, high, USUAL_PURITY)

    def suspects(self, ulaw: bytes) -> bool:
        """Whether it, or the 10 ms before it, may, where a missed tone is worse than a lost
        syllable."""
        audio = self._past.rjust(_HOP, ULAW_SILENCE) + ulaw
        self._past = ulaw[-_HOP:]
        if _LOUD not in ulaw.translate(_LOUDNESS) or len(audio) < _WINDOW:
            return False
        places = _PLACES + _HOP * np.arange((len(audio) - _WINDOW) // _HOP + 1)[:, None]
        windows: _Floats = _LINEAR.take(np.frombuffer(audio, np.uint8))[places]
        energies = ((windows * windows) @ _HANN_SQUARED).tolist()
        parts = windows @ _BASIS
        tones = (parts * parts).reshape(-1, 2, 2, 4).sum(axis=1).max(axis=2).tolist()
        return any(
            _sounds(energy, low, high, LEAST_PURITY)
            for energy, (low, high) in zip(energies, tones, strict=True)
        )


def _sounds(energy: float, low: float, high: float, purity: float) -> bool:
    """Whether the strongest tone of each group makes it a key's."""
    return (
        energy >= _LEAST_ENERGY
        and low + high >= purity * energy
        and high <= low * _MOST_HIGH_OVER_LOW
        and low <= high * _MOST_LOW_OVER_HIGH
    )


def _basis() -> _Floats:
    """A Hann window times cosines and sines, scaled to give the energy of a steady tone."""
    angles = 2 * np.pi * np.outer(np.arange(_WINDOW), LOW_GROUP_HZ + HIGH_GROUP_HZ)
    waves = np.concatenate([np.cos(angles / SAMPLE_RATE_HZ), np.sin(angles / SAMPLE_RATE_HZ)], 1)
    scale = float(np.sqrt(2 * _HANN_ENERGY) / _HANN.sum())
    basis: _Floats = (waves * scale * _HANN[:, None]).astype(np.float32)
    return basis


_HANN: Final = np.sin(np.pi * (np.arange(_WINDOW) + 0.5) / _WINDOW) ** 2
_HANN_SQUARED: Final[_Floats] = (_HANN * _HANN).astype(np.float32)
_HANN_ENERGY: Final = float(_HANN @ _HANN)
_LEAST_ENERGY: Final = _MIN_POWER * _HANN_ENERGY
_BASIS: Final[_Floats] = _basis()
_BASIS_ROWS: Final[_Floats] = np.ascontiguousarray(_BASIS.T)
"""First the cosines of the eight tones, then their sines."""
_PLACES: Final = np.arange(_WINDOW)
_LINEAR: Final[_Floats] = (
    np.frombuffer(ulaw_to_pcm(bytes(range(256))), "<i2") / np.float32(32_768)
).astype(np.float32)
_LOUD: Final = 1
_LOUDNESS: Final = bytes(
    _LOUD if abs(float(sample)) >= 10 ** (-45 / 20) else 0 for sample in _LINEAR
)
"""For `bytes.translate`: most frames of most calls are quiet, and are not looked at any further."""
