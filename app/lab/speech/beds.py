"""What is heard behind a caller, all the time: twelve seconds of each, which repeat without a seam.

Everything is computed with fixed seeds, but for the babble: that is six of the shipped voices at
once, each at its own point of the round.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from app.lab.speech.voices import clip_names, voice_clip
from telecodecs import ulaw_to_pcm
from telecodecs.g711 import FRAME_BYTES, SAMPLE_RATE_HZ

BedKind: TypeAlias = Literal["white", "pink", "street", "babble", "music", "ringback"]
BED_KINDS: tuple[BedKind, ...] = get_args(BedKind)
BED_S = 12
SAMPLES = BED_S * SAMPLE_RATE_HZ

_TALKERS = 6
_SOUNDS_ABOVE_DB = 30.0
"""Frames this near to the loudest one count as sounding when the level is taken."""
_CHORDS = (
    (220.0, 261.6, 329.6),
    (174.6, 220.0, 261.6),
    (130.8, 196.0, 329.6),
    (196.0, 246.9, 293.7),
)

Samples: TypeAlias = npt.NDArray[np.float64]


@cache
def bed(kind: BedKind) -> npt.NDArray[np.float32]:
    """One round of the sound at an RMS of 1 while it sounds (a ringback tone pauses); read-only."""
    samples = _MAKERS[kind]()
    frames = samples.reshape(-1, FRAME_BYTES)
    power = (frames**2).mean(axis=1)
    sounding = power > power.max() * 10 ** (-_SOUNDS_ABOVE_DB / 10)
    rms = float(np.sqrt(power[sounding].mean()))
    round_: npt.NDArray[np.float32] = (samples / rms).astype(np.float32)
    round_.setflags(write=False)
    return round_


def _white() -> Samples:
    return np.random.default_rng(11).normal(0.0, 1.0, SAMPLES)


def _coloured(seed: int, gain: Callable[[Samples], Samples]) -> Samples:
    """Noise with this amplitude at each frequency (Hz). Made from a spectrum, it has no seam."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(0.0, 1.0, SAMPLES))
    hz = np.fft.rfftfreq(SAMPLES, 1 / SAMPLE_RATE_HZ)
    return np.asarray(np.fft.irfft(spectrum * gain(np.maximum(hz, 1.0)), SAMPLES))


def _pink() -> Samples:
    return _coloured(12, lambda hz: np.where(hz < 50, 0.0, hz**-0.5))


def _street() -> Samples:
    """Rumble of engines, tyres that swell and fade as cars pass, and now and then a horn."""
    rumble = _coloured(13, lambda hz: np.where(hz < 60, 0.0, 1 / hz))
    tyres = _coloured(14, lambda hz: np.exp(-(((hz - 900) / 600) ** 2)))
    at_s = np.arange(SAMPLES) / SAMPLE_RATE_HZ
    passing = np.zeros(SAMPLES)
    for centre_s, width_s in ((1.5, 0.8), (4.6, 1.1), (8.8, 0.6), (10.4, 0.9)):
        away_s = np.abs((at_s - centre_s + BED_S / 2) % BED_S - BED_S / 2)
        passing += np.exp(-((away_s / width_s) ** 2))
    horn = np.sum([np.sin(2 * np.pi * hz * at_s) for hz in (392.0, 494.0, 784.0, 988.0)], axis=0)
    honks = sum(_bump(at_s, from_s, 0.35) for from_s in (6.1, 6.6))
    unit = rumble / rumble.std()
    return np.asarray(unit + 1.1 * passing * tyres / tyres.std() + 0.35 * honks * horn)


def _babble() -> Samples:
    mixed = np.zeros(SAMPLES)
    names = clip_names("other")
    chance = np.random.default_rng(15)
    for talker in range(_TALKERS):
        mine = names[talker::_TALKERS]
        words = np.concatenate([_speech(mine[n % len(mine)]) for n in range(len(mine) * 8)])
        # A talker's turn is a whole round long, so the seam is where one sentence breaks off.
        mixed += np.roll(words[:SAMPLES], int(chance.integers(SAMPLES)))
    return mixed


def _speech(name: str) -> Samples:
    return np.frombuffer(ulaw_to_pcm(voice_clip(name).ulaw), "<i2").astype(np.float64)


def _music() -> Samples:
    """Chords, broken into notes of 250 ms, over their root: what one hears while on hold."""
    mixed = np.zeros(SAMPLES)
    for beat in range(BED_S * 4):
        chord = _CHORDS[beat // 12]
        _strike(mixed, beat, _note(2 * chord[(0, 1, 2, 1)[beat % 4]], 1.0))
        if beat % 4 == 0:
            for hz in chord:
                _strike(mixed, beat, 0.8 * _note(hz, 3.0))
    return mixed


def _strike(mixed: Samples, beat: int, note: Samples) -> None:
    begin = beat * SAMPLE_RATE_HZ // 4
    # What outlasts the round sounds on at its beginning.
    mixed[np.arange(begin, begin + len(note)) % SAMPLES] += note


@cache
def _note(hz: float, length_s: float) -> Samples:
    at_s = np.arange(int(length_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    fading = np.minimum(at_s / 0.01, 1.0) * np.exp(-3 * at_s / length_s) * (1 - at_s / length_s)
    tones = [np.sin(2 * np.pi * k * hz * at_s) / k**1.5 for k in (1, 2, 3, 4)]
    return np.asarray(fading * np.sum(tones, axis=0))


def _ringback() -> Samples:
    """North America's ringing tone: 440 and 480 Hz for 2 s in every 6 s (ITU-T E.180)."""
    at_s = np.arange(SAMPLES) / SAMPLE_RATE_HZ
    tone = np.sin(2 * np.pi * 440 * at_s) + np.sin(2 * np.pi * 480 * at_s)
    return np.asarray(np.where(at_s % 6.0 < 2.0, tone, 0.0))


def _bump(at_s: Samples, from_s: float, length_s: float) -> Samples:
    """1 from `from_s` on for this long, with edges of 20 ms."""
    edge = np.minimum(at_s - from_s, from_s + length_s - at_s) / 0.02
    return np.clip(edge, 0.0, 1.0)


_MAKERS: Mapping[BedKind, Callable[[], Samples]] = {
    "white": _white,
    "pink": _pink,
    "street": _street,
    "babble": _babble,
    "music": _music,
    "ringback": _ringback,
}
