"""What is on a line that is no caller's voice: noises made from a seed, each of RMS 1 at 8 kHz."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from app.lab.speech.noises import cough, mm_hm
from app.lab.speech.voices import clip_names, voice_clip
from telecodecs import SAMPLE_RATE_HZ, dtmf_tone, ulaw_to_pcm

Samples = npt.NDArray[np.float64]
Rng = np.random.Generator


def to_samples(ulaw: bytes) -> Samples:
    """On the 16-bit scale."""
    return np.frombuffer(ulaw_to_pcm(ulaw), "<i2").astype(np.float64)


def unit(samples: Samples) -> Samples:
    """The same at RMS 1."""
    return np.asarray(samples / np.sqrt(np.mean(samples**2)), dtype=np.float64)


def white(n: int, rng: Rng) -> Samples:
    return rng.normal(0.0, 1.0, n)


def pink(n: int, rng: Rng) -> Samples:
    """The same power in every octave."""
    return unit(_shaped(n, rng, lambda hz: 1 / np.sqrt(np.maximum(hz, 50.0))))


def street(n: int, rng: Rng) -> Samples:
    """A rumble, cars that pass every few seconds, and now and then a horn."""
    rumble = _shaped(n, rng, lambda hz: 1 / np.maximum(hz, 80.0))
    tyres = _shaped(n, rng, lambda hz: np.exp(-(((hz - 700) / 500) ** 2)))
    sound = unit(rumble) + 0.2 * unit(tyres)
    times_s = np.arange(n) / SAMPLE_RATE_HZ
    loudness = np.full(n, 0.5)
    for at_s in rng.uniform(0, n / SAMPLE_RATE_HZ, max(1, n // (4 * SAMPLE_RATE_HZ))):
        loudness += np.exp(-(((times_s - at_s) / rng.uniform(0.4, 1.2)) ** 2))
    sound *= loudness
    for at in rng.integers(0, n, n // (15 * SAMPLE_RATE_HZ)):
        horn = _harmonics(rng.uniform(350, 450), int(0.4 * SAMPLE_RATE_HZ), 4)[: n - at]
        sound[at : at + len(horn)] += 1.5 * horn
    return unit(sound)


def music(n: int, rng: Rng) -> Samples:
    """Hold music: a bass, chords and a tune that are plucked and fade away."""
    beat = int(0.4 * SAMPLE_RATE_HZ)
    sound = np.zeros(n + 4 * beat)
    steps = np.array([0, 2, 4, 5, 7, 9, 11, 12])
    for number, at in enumerate(range(0, n, beat)):
        notes = [int(rng.choice(steps)) + 12]
        if number % 4 == 0:
            root = int(rng.choice([0, 5, 7, 9]))
            notes += [root - 12, root, root + 4, root + 7]
        for note in notes:
            length = 4 * beat if len(notes) > 1 else 2 * beat
            tone = _harmonics(262 * 2 ** (note / 12), length, 6)
            sound[at : at + length] += tone * np.exp(-np.arange(length) / (0.5 * SAMPLE_RATE_HZ))
    return unit(sound[:n])


def ringback(n: int, rng: Rng) -> Samples:
    """North America's: 440 and 480 Hz, 2 s on and 4 s off."""
    times_s = np.arange(n) / SAMPLE_RATE_HZ + rng.uniform(0, 6)
    tone = np.sin(2 * np.pi * 440 * times_s) + np.sin(2 * np.pi * 480 * times_s)
    return np.asarray(np.where(times_s % 6 < 2, tone, 0.0), dtype=np.float64)


def dtmf(n: int, rng: Rng) -> Samples:
    """Keys of 120 ms with pauses of 200 to 1200 ms."""
    pieces: list[Samples] = []
    while sum(map(len, pieces)) < n:
        key, gap_ms = str(rng.choice(list("0123456789*#"))), int(rng.integers(200, 1200))
        pieces.append(to_samples(dtmf_tone(key, 120, gap_ms)) / 10_362)
    return np.concatenate(pieces)[:n]


def breath(n: int, rng: Rng) -> Samples:
    """Somebody breathes into the microphone, in and out, every 3 to 4 s."""
    noise = unit(_shaped(n, rng, lambda hz: np.exp(-(((hz - 1200) / 900) ** 2))))
    times_s = np.arange(n) / SAMPLE_RATE_HZ
    phase = 2 * np.pi * (times_s / 3.5 + 0.1 * np.sin(times_s))
    return unit(noise * np.maximum(0.0, np.sin(phase)) ** 2)


def babble(n: int, rng: Rng) -> Samples:
    """Six other people who talk without a pause."""
    names = [name for name in clip_names("other") if not name.endswith("kal16")]
    sound = np.zeros(n)
    for _ in range(6):
        pieces: list[Samples] = []
        while sum(map(len, pieces)) < n:
            pieces.append(to_samples(voice_clip(str(rng.choice(names))).ulaw)[640:-640])
        sound += np.concatenate(pieces)[:n]
    return unit(sound)


NOISES: Final[Mapping[str, Callable[[int, Rng], Samples]]] = {
    "white": white,
    "pink": pink,
    "street": street,
    "music": music,
    "ringback": ringback,
    "DTMF": dtmf,
    "breath": breath,
    "babble": babble,
}


def single_cough(rng: Rng) -> Samples:
    """Made as if for another sampling rate: a larger or a smaller chest."""
    return unit(cough(int(rng.integers(6000, 11_000))))


def single_mm_hm(rng: Rng) -> Samples:
    return unit(mm_hm(int(rng.integers(6500, 12_000))))


def single_sigh(rng: Rng) -> Samples:
    n = int(rng.uniform(0.4, 1.2) * SAMPLE_RATE_HZ)
    return unit(_shaped(n, rng, lambda hz: np.exp(-(((hz - 1000) / 800) ** 2))) * np.hanning(n))


def single_knock(rng: Rng) -> Samples:
    """A receiver that is put on a table: a thump that rings for a moment."""
    n = int(0.15 * SAMPLE_RATE_HZ)
    fade = np.exp(-np.arange(n) / rng.uniform(80, 300))
    return unit((rng.normal(0.0, 0.3, n) + _harmonics(rng.uniform(120, 300), n, 3)) * fade)


def single_key(rng: Rng) -> Samples:
    return to_samples(dtmf_tone(str(rng.choice(list("0123456789*#"))), 120, 0)) / 10_362


SINGLE_SOUNDS: Final[Mapping[str, Callable[[Rng], Samples]]] = {
    "cough": single_cough,
    "mm-hm": single_mm_hm,
    "sigh": single_sigh,
    "knock": single_knock,
    "key": single_key,
}


def _harmonics(base_hz: float, n: int, count: int) -> Samples:
    times_s = np.arange(n) / SAMPLE_RATE_HZ
    waves = [np.sin(2 * np.pi * base_hz * k * times_s) / k for k in range(1, count + 1)]
    return np.asarray(np.sum(waves, axis=0), dtype=np.float64)


def _shaped(n: int, rng: Rng, gain: Callable[[Samples], Samples]) -> Samples:
    spectrum = np.fft.rfft(rng.normal(0.0, 1.0, n))
    hz = np.asarray(np.fft.rfftfreq(n, 1 / SAMPLE_RATE_HZ), dtype=np.float64)
    return np.fft.irfft(spectrum * gain(hz), n)
