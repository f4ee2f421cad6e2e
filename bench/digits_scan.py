"""Looking for digits in texts and in sound, for `bench.digits`.

Written apart from what hides them: sound goes through a Fourier transform, whose peaks are compared
with the keys' frequencies (ITU-T Q.23).
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from telecodecs import ulaw_to_pcm

LEAST_RUN: Final = 9
"""So many digits of a number in a row are no chance."""
WORDS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LEAST_WORDS: Final = 5

_SEPARATORS = re.compile(r"(?<=[0-9])[ .,_()-]{1,3}(?=[0-9])")
_RUN = re.compile(rf"[0-9]{{{LEAST_RUN},}}")
_KEY = re.compile(r"""(?<![a-z_])(?:digit|key)s?[\\"'\s]*[:=][\\"'\s]*[0-9]""", re.IGNORECASE)
_KEYS = re.compile(r"pressed these keys: [0-9]")
_SPOKEN = re.compile(rf"(?:\b(?:{'|'.join(WORDS)})\b[\s,]*){{{LEAST_WORDS},}}")

_LOW_HZ: Final = np.array((697, 770, 852, 941))
_HIGH_HZ: Final = np.array((1209, 1336, 1477, 1633))
_KEYS_AT: Final = ("123A", "456B", "789C", "*0#D")
_WINDOW: Final = 200
_HOP: Final = 40
_SIZE: Final = 1024
_LEAST_ENERGY: Final = 0.02
"""Of a window; -40 dBFS. The softest key of the bench is 14 dB louder, the noise of its streets
11 dB softer: broken off anywhere, one in 9,000 pieces of that noise would pass for a key."""
_LEAST_HITS: Final = 3
"""Windows in a row with the same key: 15 ms of tone are found."""

Spectra = npt.NDArray[np.float64]


def in_text(text: str, numbers: Iterable[str]) -> list[str]:
    """Every place that shows one of these numbers, nine digits of it, or any key that was pressed;
    whether digits stand in a row, apart, one by one or in words."""
    found = [match[0] for pattern in (_KEY, _KEYS) for match in pattern.finditer(text)]
    pieces, whole = set[str](), list[str]()
    for number in numbers:
        pieces.update(number[at : at + LEAST_RUN] for at in range(len(number) - LEAST_RUN + 1))
        whole += [number] if len(number) < LEAST_RUN else []
    plain = _SEPARATORS.sub("", text)
    for run in _RUN.finditer(plain):
        digits = run[0]
        windows = (digits[at : at + LEAST_RUN] for at in range(len(digits) - LEAST_RUN + 1))
        found += [window for window in windows if window in pieces]
    for number in whole:
        found += re.findall(rf"(?<![0-9A-Za-z]){number}(?![0-9A-Za-z])", plain)
    return found + [match[0] for match in _SPOKEN.finditer(text.lower())]


def around(text: str, window: str, reach: int = 60) -> str:
    """What stands about the first place that shows this, for whoever must judge it."""
    plain = _SEPARATORS.sub("", text)
    at = plain.find(window)
    return plain[max(0, at - reach) : at + len(window) + reach] if at >= 0 else ""


def in_sound(ulaw: bytes) -> str:
    """The keys whose tones sound for 15 ms or more, in order."""
    return "".join(key for key, _ in tones_in(ulaw))


def tones_in(ulaw: bytes) -> list[tuple[str, int]]:
    """These keys with where they are found, in ms."""
    found, last, hits = [], "", 0
    for number, key in enumerate(_keys(ulaw)):
        hits = hits + 1 if key and key == last else 1
        if key and hits == _LEAST_HITS:
            found.append((key, number * _HOP // 8))
        last = key
    return found


def _keys(ulaw: bytes) -> Sequence[str]:
    """The key in each window, "" for none."""
    samples = np.frombuffer(ulaw_to_pcm(ulaw), "<i2") / 32_768
    found: list[str] = []
    step = 2_000 * _HOP
    for at in range(0, len(samples) - _WINDOW + 1, step):
        piece = samples[at : at + step + _WINDOW - _HOP]
        windows = np.lib.stride_tricks.sliding_window_view(piece, _WINDOW)[::_HOP]
        loud = np.flatnonzero((windows**2).sum(axis=1) > _LEAST_ENERGY)
        spectra: Spectra = np.abs(np.fft.rfft(windows[loud] * np.hanning(_WINDOW), _SIZE)) ** 2
        keys = [""] * len(windows)
        for place, key in zip(loud.tolist(), _named(spectra), strict=True):
            keys[place] = key
        found += keys
    return found


def _named(spectra: Spectra) -> list[str]:
    """The key whose two tones make up most of each spectrum; "" for none."""
    if not len(spectra):
        return []
    total = spectra.sum(axis=1)
    row, low = _peaks(spectra, _LOW_HZ, 600, 1_050)
    column, high = _peaks(spectra, _HIGH_HZ, 1_100, 1_750)
    near = np.minimum(low, high) * 40 > np.maximum(low, high)
    fits = (row >= 0) & (column >= 0) & near & (low + high > total / 2)
    named = zip(fits.tolist(), row.tolist(), column.tolist(), strict=True)
    return [_KEYS_AT[r][c] if fit else "" for fit, r, c in named]


def _peaks(
    spectra: Spectra, tones_hz: npt.NDArray[np.int64], low_hz: int, high_hz: int
) -> tuple[npt.NDArray[np.int64], Spectra]:
    """Which of the tones the highest peak of a band is, -1 for none, and the energy about it."""
    per_hz = _SIZE / 8_000
    first = int(low_hz * per_hz)
    peaks = first + spectra[:, first : int(high_hz * per_hz)].argmax(axis=1)
    off = np.abs(peaks[:, None] / per_hz / tones_hz - 1)
    tones = np.where(off.min(axis=1) < 0.03, off.argmin(axis=1), -1)
    sums = np.cumsum(spectra, axis=1)
    rows = np.arange(len(spectra))
    return tones, sums[rows, peaks + 10] - sums[rows, peaks - 11]
