"""The beep after which an answering machine records: one steady tone, then quiet.

No standard fixes it: machines and mailboxes use single tones between about 400 and 2000 Hz of some
tenths of a second. So it is told from voices, music and keys by what they are not: one frequency
alone, the same from beginning to end, and nothing right after it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from telecodecs.g711 import BYTES_PER_MS, SAMPLE_RATE_HZ, ULAW_SILENCE, ulaw_to_pcm

LEAST_BEEP_MS: Final = 120
MOST_BEEP_MS: Final = 2_500
"""A tone that goes on for longer is a line's or a fax machine's."""
LOW_HZ: Final = 400
HIGH_HZ: Final = 2_000

_Floats = npt.NDArray[np.float32]

_WINDOW: Final = 20 * BYTES_PER_MS
_HOP: Final = 10 * BYTES_PER_MS
_HOP_MS: Final = 10
_BATCH: Final = 60 * BYTES_PER_MS
"""Looked at together: by the frame it would cost three times as much."""
_FFT: Final = 512
_HZ_A_BIN: Final = SAMPLE_RATE_HZ / _FFT
_LOBE: Final = round(1.6 * SAMPLE_RATE_HZ / _WINDOW / _HZ_A_BIN)
"""Bins to each side of a tone that hold nearly all of its energy in a Hann window."""
_MIN_PURITY: Final = 0.9
"""Least share of the energy that the one tone must have: 15 dB SNR leaves 0.97."""
_MIN_POWER: Final = 10 ** (-38 / 10)
"""Of a beep, relative to full scale."""
_SOUND_POWER: Final = 10 ** (-42 / 10)
"""From here on something else than a tone counts as sound."""
_MOST_DRIFT_HZ: Final = 12.0
"""From the tone's own frequency, in any window of it."""
_MOST_LEVEL: Final = 10 ** (6 / 10)
"""Between its softest and its loudest window, the edges left out: it may fade in and out."""
_FALL: Final = 10 ** (-12 / 10)
"""What follows it is softer by so much ..."""
_QUIET_HOPS: Final = 6
"""... for so long."""
_EDGE_HOPS: Final = 2
"""Windows that hold a tone's end and what follows it."""
_EDGE_HZ: Final = 10.0
_NOTE_HOPS: Final = 5
"""A tone of so many windows that another one follows at once is a note."""


@dataclass(frozen=True, slots=True)
class Beep:
    """Positions count samples (bytes of μ-law) since the detector began."""

    start_sample: int
    """Within 10 ms."""
    end_sample: int
    hz: float
    sound_before_ms: int
    """How much was heard before it that was neither silence nor a steady tone."""


@dataclass(slots=True)
class _Tone:
    start: int
    hz: float
    powers: list[float]
    """Of its windows."""
    in_melody: bool
    """Another one came right before it."""

    @property
    def steady(self) -> bool:
        whole = self.powers[_EDGE_HOPS:-_EDGE_HOPS]
        return bool(whole) and max(whole) <= min(whole) * _MOST_LEVEL

    @property
    def length_ms(self) -> int:
        return (len(self.powers) + 1) * _HOP_MS


class BeepDetector:
    """Hears beeps in a stream of μ-law at 8 kHz, cut anywhere; tells of each 80 to 150 ms after its
    end."""

    def __init__(self) -> None:
        self._waiting = ULAW_SILENCE * (_WINDOW - _HOP)
        self._window_start = _HOP - _WINDOW
        self._tone: _Tone | None = None
        self._ended: _Tone | None = None
        """It is over; is what follows quiet?"""
        self._end = self._hops_after = 0
        self._sound_hops = 0
        self._note_end = -_NOTE_HOPS * _HOP

    def push(self, ulaw: bytes) -> list[Beep]:
        """Take the next piece of audio, of any length; return the beeps that it completes."""
        audio = self._waiting + ulaw
        if len(audio) < _WINDOW - _HOP + _BATCH:
            self._waiting = audio
            return []
        n_windows = (len(audio) - _WINDOW) // _HOP + 1
        self._waiting = audio[n_windows * _HOP :]
        found = [self._take(*measured) for measured in _measured(audio, n_windows)]
        return [beep for beep in found if beep is not None]

    def _take(self, power: float, hz: float) -> Beep | None:
        """One window; `hz` 0.0: it holds no tone alone."""
        start = self._window_start
        self._window_start += _HOP
        tone = self._tone
        if hz and tone is not None and self._goes_on(tone, power, hz):
            return None
        if tone is not None:
            self._tone = None
            self._over(tone, start)
        beep = self._followed(power)
        if hz:
            follows = start - self._note_end <= _EDGE_HOPS * _HOP
            self._tone = _Tone(start, hz, [power], follows)
        elif power >= _SOUND_POWER and self._ended is None:
            self._sound_hops += 1
        return beep

    def _goes_on(self, tone: _Tone, power: float, hz: float) -> bool:
        if len(tone.powers) <= _EDGE_HOPS:
            # The first windows may hold the silence before it, which moves the frequency.
            near, tone.hz = abs(hz - tone.hz) <= 3 * _MOST_DRIFT_HZ, hz
        else:
            near = abs(hz - tone.hz) <= _MOST_DRIFT_HZ
        if near:
            tone.powers.append(power)
        return near

    def _over(self, tone: _Tone, end: int) -> None:
        if len(tone.powers) >= _NOTE_HOPS:
            self._note_end = end
        long_enough = LEAST_BEEP_MS <= tone.length_ms + _HOP_MS <= MOST_BEEP_MS
        if long_enough and tone.steady and not tone.in_melody:
            self._ended, self._end, self._hops_after = tone, end + _HOP, 0
        else:
            self._sound_hops += len(tone.powers)

    def _followed(self, power: float) -> Beep | None:
        """What comes after a tone, window by window."""
        tone = self._ended
        if tone is None:
            return None
        self._hops_after += 1
        if self._hops_after <= _EDGE_HOPS:
            return None
        if power > max(tone.powers) * _FALL:
            self._ended = None
            self._sound_hops += len(tone.powers)
            return None
        if self._hops_after < _EDGE_HOPS + _QUIET_HOPS:
            return None
        self._ended = None
        start = max(0, tone.start + _WINDOW - _HOP)
        return Beep(start, self._end, tone.hz, self._sound_hops * _HOP_MS)


def _measured(audio: bytes, n_windows: int) -> list[tuple[float, float]]:
    """By window its power and the frequency of the tone that it holds alone, or 0.0."""
    samples: _Floats = _LINEAR.take(np.frombuffer(audio, np.uint8))
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP][:n_windows]
    windows = windows * _HANN
    powers = (windows * windows).sum(axis=1) / _HANN_ENERGY
    loud = powers >= min(_MIN_POWER, _SOUND_POWER)
    hz = np.zeros(n_windows)
    if loud.any():
        hz[loud] = _tones(windows[loud])
    hz[powers < _MIN_POWER] = 0.0
    return list(zip(powers.tolist(), hz.tolist(), strict=True))


def _tones(windows: _Floats) -> npt.NDArray[np.float64]:
    spectra = np.abs(np.fft.rfft(windows, _FFT, axis=1)) ** 2
    totals = np.cumsum(spectra, axis=1)
    peaks = spectra[:, _FIRST_BIN : _LAST_BIN + 1].argmax(axis=1) + _FIRST_BIN
    rows = np.arange(len(windows))
    lobes = totals[rows, peaks + _LOBE] - totals[rows, peaks - _LOBE - 1]
    left, middle, right = (np.log(spectra[rows, peaks + d] + 1e-12) for d in (-1, 0, 1))
    bend = left - 2 * middle + right
    off = np.where(bend < 0, 0.5 * (left - right) / np.where(bend < 0, bend, -1.0), 0.0)
    hz = (peaks + off) * _HZ_A_BIN
    pure = (
        (lobes >= _MIN_PURITY * totals[:, -1])
        & (hz >= LOW_HZ - _EDGE_HZ)
        & (hz <= HIGH_HZ + _EDGE_HZ)
    )
    return np.where(pure, hz, 0.0)


_HANN: Final[_Floats] = (np.sin(np.pi * (np.arange(_WINDOW) + 0.5) / _WINDOW) ** 2).astype(
    np.float32
)
_HANN_ENERGY: Final = float(_HANN @ _HANN)
_FIRST_BIN: Final = int(LOW_HZ / _HZ_A_BIN) - 1
_LAST_BIN: Final = int(HIGH_HZ / _HZ_A_BIN) + 1
_LINEAR: Final[_Floats] = (
    np.frombuffer(ulaw_to_pcm(bytes(range(256))), "<i2") / np.float32(32_768)
).astype(np.float32)
