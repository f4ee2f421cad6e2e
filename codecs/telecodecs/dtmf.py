"""DTMF, the sixteen keys of a telephone: making their tones and hearing them.

Source: ITU-T Q.23 (the frequencies) and Q.24 (what a receiver must accept and must refuse).
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from telecodecs.g711 import BYTES_PER_MS, SAMPLE_RATE_HZ, pcm_to_ulaw, ulaw_to_pcm

KEYS: Final = "123A456B789C*0#D"
"""Row by row: key number 4 * row + column sounds LOW_GROUP_HZ[row] and HIGH_GROUP_HZ[column]."""
LOW_GROUP_HZ: Final = (697, 770, 852, 941)
HIGH_GROUP_HZ: Final = (1209, 1336, 1477, 1633)
MAX_LEVEL_DBFS: Final = -6.1
"""Two equal tones that are any louder would clip."""

_Floats = npt.NDArray[np.float64]
_FULL_SCALE: Final = 32_768.0
_NO_KEY: Final = -1

_WINDOW: Final = 30 * BYTES_PER_MS
_HOP: Final = 5 * BYTES_PER_MS
_HITS_TO_PRESS: Final = 4
"""Windows in a row with one key. 23 ms of tone fill 3 at most, 40 ms at least 5."""
_MISSES_TO_RELEASE: Final = 7
"""Windows in a row without it. A 10 ms dropout makes 5 at most, a 30 ms pause at least 8."""
_FIRST_HIT_TO_TONE: Final = 50
"""Samples from the start of the first window with a key to the start of its tone, in the middle."""
_MIN_PURITY: Final = 0.8
"""Least share of the energy that the two tones must have. Speech and music bring harmonics and
other tones with them and fall below: the guard against talk-off. 15 dB SNR leaves 0.96."""
_MIN_POWER: Final = 10 ** (-45 / 10)
"""Relative to full scale. Q.24 wants tones heard down to about -28 dBFS, and not below -58."""
_MAX_HIGH_OVER_LOW: Final = 10 ** (6 / 10)
"""Q.24 wants at least 4 dB of such twist accepted ..."""
_MAX_LOW_OVER_HIGH: Final = 10 ** (10 / 10)
"""... and 8 dB of the other, which long lines cause."""
_OFFSETS: Final = (0.0, -0.015, 0.015, -0.05, 0.05)
"""Where each tone is measured, relative to its frequency. The first three catch the energy of a
tone that is off by what Q.24 allows (1.5 %). The last two are rivals: the middle one beats them
only while the tone is off by less than 2.5 %, half way, so 3.5 % is refused."""


def dtmf_tone(
    digits: str,
    tone_ms: int = 100,
    gap_ms: int = 100,
    level_dbfs: float = -10.0,
    *,
    encoding: Literal["ulaw", "pcm"] = "ulaw",
) -> bytes:
    """Make the tones of some keys, each followed by a gap, at 8 kHz as μ-law or 16-bit PCM.

    `level_dbfs` is the RMS level of the pair of tones; -10 dBFS is about -7 dBm0 for each.
    Raises ValueError for a character that is no key, a negative time or a level that would clip.
    """
    if level_dbfs > MAX_LEVEL_DBFS:
        raise ValueError(
            f"Expected a level of at most {MAX_LEVEL_DBFS} dBFS, where two tones clip; "
            f"got {level_dbfs}."
        )
    if tone_ms < 0 or gap_ms < 0:
        raise ValueError(f"Expected times of 0 ms or more; got {tone_ms} and {gap_ms} ms.")
    gap = bytes(2 * gap_ms * BYTES_PER_MS)
    pcm = b"".join(_tone_pair(key, tone_ms, level_dbfs) + gap for key in digits.upper())
    return pcm_to_ulaw(pcm) if encoding == "ulaw" else pcm


def _tone_pair(key: str, tone_ms: int, level_dbfs: float) -> bytes:
    number = KEYS.find(key)
    if number < 0:
        raise ValueError(f"Expected keys out of {KEYS}; got {key!r}.")
    seconds = np.arange(tone_ms * BYTES_PER_MS) / SAMPLE_RATE_HZ
    low_hz, high_hz = LOW_GROUP_HZ[number // 4], HIGH_GROUP_HZ[number % 4]
    pair = np.sin(2 * np.pi * low_hz * seconds) + np.sin(2 * np.pi * high_hz * seconds)
    pcm: bytes = np.rint(pair * 10 ** (level_dbfs / 20) * _FULL_SCALE).astype("<i2").tobytes()
    return pcm


@dataclass(frozen=True, slots=True)
class DtmfKey:
    """One press of a key. Positions count samples (bytes of μ-law) since the detector began."""

    key: str
    start_sample: int
    """Where its tone began, within 5 ms."""
    heard_sample: int
    """How much audio it took to be sure: 35 to 45 ms after the start."""


class DtmfDetector:
    """Hears keys in a stream of μ-law at 8 kHz, cut anywhere. One event for each press.

    Accepts tones of 40 ms and more, 1.5 % off, with 4 dB (high group louder) or 8 dB (low group
    louder) of twist, in 15 dB SNR, and pauses of 30 ms and more between presses. Refuses tones
    under 23 ms or 3.5 % off. A dropout of 10 ms does not make two presses out of one.

    Each 30 ms Hann window, one every 5 ms, is measured at 40 frequencies. That is Goertzel's sum,
    taken for all of them at once as one matrix product.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all audio and begin counting samples from 0."""
        # As if silence came before, so that a tone at the very start is seen whole.
        self._waiting = bytes([0xFF]) * (_WINDOW - _HOP)
        self._window_start = _HOP - _WINDOW
        self._candidate = self._pressed = _NO_KEY
        self._candidate_start = 0
        self._n_hits = self._n_misses = 0

    def push(self, ulaw: bytes) -> list[DtmfKey]:
        """Take the next piece of audio, of any length; return the presses that it completes."""
        # A second at a time, so that a whole recording does not become one giant matrix.
        starts = range(0, len(ulaw), SAMPLE_RATE_HZ)
        return [press for at in starts for press in self._take(ulaw[at : at + SAMPLE_RATE_HZ])]

    def _take(self, ulaw: bytes) -> list[DtmfKey]:
        audio = self._waiting + ulaw
        n_windows = max(0, (len(audio) - _WINDOW) // _HOP + 1)
        self._waiting = audio[n_windows * _HOP :]
        pressed = [self._follow(number) for number in _key_numbers(audio, n_windows)]
        return [press for press in pressed if press is not None]

    def _follow(self, number: int) -> DtmfKey | None:
        """Take the verdict on the next window into account."""
        start = self._window_start
        self._window_start += _HOP
        if number != self._candidate:
            self._candidate, self._candidate_start, self._n_hits = number, start, 0
        self._n_hits += 1
        if number == self._pressed:
            self._n_misses = 0
            return None
        self._n_misses += 1
        if self._n_misses >= _MISSES_TO_RELEASE:
            self._pressed = _NO_KEY
        if number == _NO_KEY or self._n_hits < _HITS_TO_PRESS:
            return None
        self._pressed, self._n_misses = number, 0
        tone_start = max(0, self._candidate_start + _FIRST_HIT_TO_TONE)
        return DtmfKey(KEYS[number], tone_start, start + _WINDOW)


def _key_numbers(audio: bytes, n_windows: int) -> list[int]:
    """The key that each of the windows at the start of `audio` holds, as a number into KEYS."""
    if not n_windows:
        return []
    samples = np.frombuffer(ulaw_to_pcm(audio), "<i2") / _FULL_SCALE
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP][:n_windows] * _HANN
    energies: _Floats = np.einsum("ij,ij->i", windows, windows)
    if float(energies.max()) < _MIN_POWER * _HANN_ENERGY:
        return [_NO_KEY] * n_windows
    cosines, sines = np.hsplit(windows @ _BASIS, 2)
    tones = (cosines**2 + sines**2).reshape(n_windows, 2, 4, len(_OFFSETS))
    return [_key_number(*measured) for measured in zip(tones, energies.tolist(), strict=True)]


def _key_number(tones: _Floats, energy: float) -> int:
    """The key in one window, given the energy of each tone in both groups and of everything."""
    if energy < _MIN_POWER * _HANN_ENERGY:
        return _NO_KEY
    groups = tones[:, :, :3].max(axis=2)
    row, column = int(groups[0].argmax()), int(groups[1].argmax())
    low, high = float(groups[0, row]), float(groups[1, column])
    if low + high < _MIN_PURITY * energy:
        return _NO_KEY
    if high > low * _MAX_HIGH_OVER_LOW or low > high * _MAX_LOW_OVER_HIGH:
        return _NO_KEY
    for at, *_, below, above in (tones[0, row].tolist(), tones[1, column].tolist()):
        if at < below or at < above:
            return _NO_KEY
    return 4 * row + column


def _basis() -> _Floats:
    """Cosines and sines to project a window on, scaled to give the energy of a steady tone."""
    tones_hz = [hz * (1 + off) for hz in LOW_GROUP_HZ + HIGH_GROUP_HZ for off in _OFFSETS]
    angles = 2 * np.pi * np.outer(np.arange(_WINDOW), tones_hz) / SAMPLE_RATE_HZ
    scale = float(np.sqrt(2 * _HANN_ENERGY) / _HANN.sum())
    basis: _Floats = np.concatenate([np.cos(angles), np.sin(angles)], axis=1) * scale
    return basis


_HANN: Final[_Floats] = np.sin(np.pi * (np.arange(_WINDOW) + 0.5) / _WINDOW) ** 2
_HANN_ENERGY: Final = float(_HANN @ _HANN)
_BASIS: Final[_Floats] = _basis()
