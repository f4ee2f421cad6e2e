"""All sounds that a caller makes without words, computed: coughs, hums, "mm hm", breath, noise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from app.lab.speech.throat import Samples, clearing, coughing, murmuring, sighing
from app.lab.speech.voices import ClipKind


def cough(rate_hz: int) -> Samples:
    """Two bursts of breath noise through a throat: sharp onset, fast decay."""
    burst = _breath(rate_hz, 0.22) * np.exp(-np.arange(int(0.22 * rate_hz)) / (0.05 * rate_hz))
    gap = np.zeros(int(0.12 * rate_hz))
    return np.concatenate((burst, gap, 0.7 * burst))


def hum(rate_hz: int) -> Samples:
    """A closed-mouth tone that falls a little, for 0.9 s."""
    return _voiced(rate_hz, 0.9, 130.0, 112.0)


def mm_hm(rate_hz: int) -> Samples:
    """Two hummed syllables, the second higher, with a breath between."""
    breath = 0.08 * _breath(rate_hz, 0.09)
    return np.concatenate(
        (_voiced(rate_hz, 0.22, 125.0, 118.0), breath, _voiced(rate_hz, 0.32, 135.0, 165.0))
    )


def line_noise(rate_hz: int) -> Samples:
    """Two seconds of white noise."""
    return np.random.default_rng(4).normal(0.0, 1.0, 2 * rate_hz)


@dataclass(frozen=True, slots=True)
class Sound:
    text: str
    make: Callable[[int], Samples]
    """From a sample rate in Hz."""
    kind: ClipKind = "noise"


def _variants(
    stem: str, text: str, kind: ClipKind, make: Callable[[int, int], Samples], count: int
) -> dict[str, Sound]:
    return {f"{stem}_{seed + 1}": Sound(text, _of(make, seed), kind) for seed in range(count)}


def _of(make: Callable[[int, int], Samples], seed: int) -> Callable[[int], Samples]:
    return lambda rate_hz: make(rate_hz, seed)


NOISES: Mapping[str, Sound] = {
    "cough": Sound("(cough)", cough),
    "hum": Sound("(hum)", hum),
    "mm_hm": Sound("mm hm", mm_hm),
    "line_noise": Sound("(noise)", line_noise),
    **_variants("cough", "(cough)", "cough", coughing, 6),
    **_variants("clearing", "(clears throat)", "cough", clearing, 3),
    **_variants("sigh", "(sigh)", "breath", sighing, 4),
    **_variants("mm_hm", "mm hm", "backchannel", murmuring, 6),
}


def _voiced(rate_hz: int, duration_s: float, from_hz: float, to_hz: float) -> Samples:
    n = int(duration_s * rate_hz)
    pitch_hz = np.linspace(from_hz, to_hz, n)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
    # A closed mouth lets little through above a few hundred hertz.
    tone = np.sum([np.sin(k * phase) / k**2 for k in range(1, 9)], axis=0)
    ramp = np.minimum(1.0, np.minimum(np.arange(n), np.arange(n)[::-1]) / (0.04 * rate_hz))
    return np.asarray(tone * ramp, dtype=np.float64)


def _breath(rate_hz: int, duration_s: float) -> Samples:
    """Noise around 1.2 kHz, where the throat resonates."""
    n = int(duration_s * rate_hz)
    spectrum = np.fft.rfft(np.random.default_rng(3).normal(0.0, 1.0, n))
    hz = np.fft.rfftfreq(n, 1 / rate_hz)
    return np.asarray(np.fft.irfft(spectrum * np.exp(-(((hz - 1200) / 700) ** 2)), n))
