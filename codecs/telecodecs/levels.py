"""How loud audio is: RMS, peak and level of 16-bit PCM and of μ-law.

0 dBFS is the power of a full-scale square wave, RMS 32,768 (ITU-T calls it 0 dBov). A full-scale
sine is therefore at -3.01 dBFS, and a telephone's 0 dBm0 in μ-law at about -6.2 dBFS.
"""

import math
from typing import Final

import numpy as np

from telecodecs.g711 import require_whole_samples, ulaw_to_pcm

SILENCE_DBFS: Final = -100.0
"""What silence and empty input measure, and the least that any input does. It is finite, so levels
can be averaged, compared and written as JSON without a special case."""

FULL_SCALE: Final = 32_768
_SILENCE_POWER: Final = 10 ** (SILENCE_DBFS / 10)
_INT16: Final = np.dtype("<i2")
_UINT8: Final = np.dtype(np.uint8)
_ULAW_SAMPLES: Final = np.frombuffer(ulaw_to_pcm(bytes(range(256))), _INT16).astype(np.float64)
_ULAW_MAGNITUDES: Final = np.abs(_ULAW_SAMPLES)


def pcm_rms(pcm: bytes) -> float:
    """Root mean square in sample units, 0 to 32,768; 0 for empty input.

    Raises ValueError if `pcm` ends in the middle of a sample.
    """
    return math.sqrt(_pcm_mean_square(pcm))


def pcm_peak(pcm: bytes) -> int:
    """Largest magnitude in sample units, 0 to 32,768; 0 for empty input.

    Raises ValueError if `pcm` ends in the middle of a sample.
    """
    require_whole_samples(pcm)
    samples = np.frombuffer(pcm, _INT16)
    return max(int(samples.max()), -int(samples.min())) if pcm else 0


def pcm_dbfs(pcm: bytes) -> float:
    """RMS level in dBFS, never below SILENCE_DBFS.

    Raises ValueError if `pcm` ends in the middle of a sample.
    """
    return _dbfs(_pcm_mean_square(pcm))


def ulaw_rms(ulaw: bytes) -> float:
    """Root mean square in 16-bit sample units, 0 to 32,124; 0 for empty input."""
    return math.sqrt(_ulaw_mean_square(ulaw))


def ulaw_peak(ulaw: bytes) -> int:
    """Largest magnitude in 16-bit sample units, 0 to 32,124; 0 for empty input."""
    return int(_ULAW_MAGNITUDES.take(np.frombuffer(ulaw, _UINT8)).max()) if ulaw else 0


def ulaw_dbfs(ulaw: bytes) -> float:
    """RMS level in dBFS, never below SILENCE_DBFS. Cheap enough for every frame of every call."""
    return _dbfs(_ulaw_mean_square(ulaw))


def _pcm_mean_square(pcm: bytes) -> float:
    require_whole_samples(pcm)
    if not pcm:
        return 0.0
    samples = np.frombuffer(pcm, _INT16).astype(np.float64)
    return float(samples.dot(samples)) / len(samples)


def _ulaw_mean_square(ulaw: bytes) -> float:
    if not ulaw:
        return 0.0
    samples = _ULAW_SAMPLES.take(np.frombuffer(ulaw, _UINT8))
    return float(samples.dot(samples)) / len(ulaw)


def _dbfs(mean_square: float) -> float:
    return 10 * math.log10(max(mean_square / FULL_SCALE**2, _SILENCE_POWER))
