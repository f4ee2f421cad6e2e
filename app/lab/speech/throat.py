"""Sounds of a throat, computed; the seed decides who it is and how it goes this time.

None of them is a word. They differ as people's do: in length, strength, pitch and roughness.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.float64]


def coughing(rate_hz: int, seed: int) -> Samples:
    """A cough of 200 to 600 ms: a burst as the throat opens, air rushing out, with some a voiced
    end; every third is a double one."""
    chance = np.random.default_rng(seed)
    double = seed % 3 == 2
    first = _one_cough(rate_hz, chance, chance.uniform(0.2, 0.28) if double else None)
    if not double:
        return first
    second = _one_cough(rate_hz, chance, chance.uniform(0.18, 0.24))
    gap = np.zeros(int(chance.uniform(0.03, 0.07) * rate_hz))
    return np.concatenate((first, gap, chance.uniform(0.5, 0.8) * second))


def clearing(rate_hz: int, seed: int) -> Samples:
    """A throat being cleared: one or two rough, low, pressed bursts of voice and air."""
    chance = np.random.default_rng(100 + seed)
    bursts = []
    for n in range(1 + seed % 2):
        length_s = chance.uniform(0.22, 0.36)
        pitch_hz = chance.uniform(70, 105)
        voice = _voice(rate_hz, chance, length_s, pitch_hz, pitch_hz * 0.8, rough=0.35)
        air = _air(rate_hz, chance, length_s, centre_hz=1500, width_hz=1200)
        pressed = 0.55 * voice + 0.9 * air * np.abs(voice)
        bursts.append((1.0, 0.7)[n] * pressed * _swell(len(pressed), rate_hz, 0.03, 0.09))
        bursts.append(np.zeros(int(chance.uniform(0.05, 0.09) * rate_hz)))
    return np.concatenate(bursts[:-1])


def sighing(rate_hz: int, seed: int) -> Samples:
    """Breath let out into the mouthpiece, 0.5 to 1.3 s; now and then breathed in before."""
    chance = np.random.default_rng(200 + seed)
    parts = []
    if seed % 2:
        drawn_s = chance.uniform(0.25, 0.45)
        drawn = _air(rate_hz, chance, drawn_s, centre_hz=2200, width_hz=900)
        parts = [0.4 * drawn * _swell(len(drawn), rate_hz, 0.12, 0.08)]
        parts.append(np.zeros(int(0.08 * rate_hz)))
    length_s = chance.uniform(0.5, 0.8)
    let_out = _air(rate_hz, chance, length_s, centre_hz=chance.uniform(700, 1400), width_hz=900)
    parts.append(let_out * _swell(len(let_out), rate_hz, 0.08, 0.3))
    return np.concatenate(parts)


def murmuring(rate_hz: int, seed: int) -> Samples:
    """ "Mm-hm" through a closed mouth: two syllables, mostly rising, with a breath of "h" between;
    every fourth is a single "mm"."""
    chance = np.random.default_rng(300 + seed)
    base_hz = chance.uniform(100, 215)
    first_s = chance.uniform(0.13, 0.2)
    first = _hummed(rate_hz, chance, first_s, base_hz * 1.02, base_hz * 0.94)
    if seed % 4 == 3:
        return _hummed(rate_hz, chance, chance.uniform(0.25, 0.4), base_hz * 1.1, base_hz * 0.85)
    breath = 0.1 * _air(rate_hz, chance, chance.uniform(0.04, 0.08), centre_hz=900, width_hz=600)
    rise = chance.uniform(1.05, 1.3)
    second = _hummed(rate_hz, chance, chance.uniform(0.18, 0.3), base_hz, base_hz * rise)
    return np.concatenate((0.8 * first, breath, second))


def _one_cough(rate_hz: int, chance: np.random.Generator, length_s: float | None) -> Samples:
    length_s = chance.uniform(0.24, 0.56) if length_s is None else length_s
    air = _air(rate_hz, chance, length_s, chance.uniform(900, 1600), chance.uniform(900, 1500))
    at_s = np.arange(len(air)) / rate_hz
    burst = np.exp(-at_s / chance.uniform(0.018, 0.035))
    rush = chance.uniform(0.25, 0.45) * np.exp(-at_s / (0.4 * length_s))
    attack = np.minimum(at_s / 0.004, 1.0)
    cough = air * attack * (burst + rush)
    if chance.random() < 0.6:
        pitch_hz = chance.uniform(110, 260)
        voice = _voice(rate_hz, chance, length_s, pitch_hz, 0.6 * pitch_hz, rough=0.2)
        late = _swell(len(air), rate_hz, 0.35 * length_s, 0.4 * length_s)
        cough = cough + chance.uniform(0.1, 0.25) * voice[: len(air)] * late
    return np.asarray(cough * _swell(len(cough), rate_hz, 0.001, 0.06))


def _hummed(
    rate_hz: int, chance: np.random.Generator, length_s: float, from_hz: float, to_hz: float
) -> Samples:
    voice = _voice(rate_hz, chance, length_s, from_hz, to_hz, rough=0.015)
    # A closed mouth and the nose let little but the lowest few hundred hertz through.
    spectrum = np.fft.rfft(voice)
    hz = np.fft.rfftfreq(len(voice), 1 / rate_hz)
    gain = np.exp(-(((hz - 250) / 180) ** 2)) + 0.08 * np.exp(-(((hz - 1050) / 250) ** 2)) + 0.01
    nasal = np.fft.irfft(spectrum * gain, len(voice))
    return np.asarray(nasal / np.abs(nasal).max() * _swell(len(nasal), rate_hz, 0.03, 0.05))


def _voice(
    rate_hz: int,
    chance: np.random.Generator,
    length_s: float,
    from_hz: float,
    to_hz: float,
    rough: float,
) -> Samples:
    """Vocal cords: a falling series of harmonics whose pitch and strength waver by `rough`."""
    n = int(length_s * rate_hz)
    steps = max(2, int(length_s * 100))
    pitch = np.linspace(from_hz, to_hz, n) * _wavering(chance, steps, n, rough)
    phase = 2 * np.pi * np.cumsum(pitch) / rate_hz
    highest = max(1, int(0.45 * rate_hz / (1.5 * max(from_hz, to_hz))))
    harmonics = range(1, highest + 1)
    voice = np.sum([np.sin(k * phase) / k for k in harmonics], axis=0)
    return np.asarray(voice * _wavering(chance, steps, n, 2 * rough) / np.abs(voice).max())


def _wavering(chance: np.random.Generator, steps: int, n: int, much: float) -> Samples:
    points = 1 + much * np.clip(chance.normal(0.0, 1.0, steps), -1.5, 1.5)
    return np.interp(np.linspace(0, steps - 1, n), np.arange(steps), points)


def _air(
    rate_hz: int, chance: np.random.Generator, length_s: float, centre_hz: float, width_hz: float
) -> Samples:
    """Turbulent breath, loudest around where the throat resonates."""
    n = int(length_s * rate_hz)
    spectrum = np.fft.rfft(chance.normal(0.0, 1.0, n))
    hz = np.fft.rfftfreq(n, 1 / rate_hz)
    shaped = np.fft.irfft(spectrum * (np.exp(-(((hz - centre_hz) / width_hz) ** 2)) + 0.03), n)
    return np.asarray(shaped / shaped.std())


def _swell(n: int, rate_hz: int, rise_s: float, fall_s: float) -> Samples:
    at_s = np.arange(n) / rate_hz
    rise = np.minimum(at_s / rise_s, 1.0)
    fall = np.minimum(at_s[::-1] / fall_s, 1.0)
    return np.asarray(np.sin(np.pi / 2 * rise) * np.sin(np.pi / 2 * fall))
