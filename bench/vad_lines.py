"""Caller's lines for `bench.vad`: clips of speech with pauses, noise under them, and the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from app.lab.speech.voices import clip_names, voice_clip
from bench.vad_sounds import NOISES, SINGLE_SOUNDS, Rng, Samples, to_samples
from telecodecs import BYTES_PER_MS, pcm_to_ulaw

SPEECH_DBFS: Final = -20.0
"""Level of the clips; an SNR refers to it."""
QUIET_LINE_DBFS: Final = -65.0
"""White noise under everything else."""
AUDIBLE_DBFS: Final = -45.0
"""A clip's onset is where its level over 5 ms passes this."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Where something that was put on a line can be heard, in ms of the line."""

    onset_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    ulaw: bytes
    sounds: tuple[Sound, ...]

    @property
    def duration_ms(self) -> int:
        return len(self.ulaw) // BYTES_PER_MS

    @property
    def other_ms(self) -> float:
        """How much of it is none of the sounds."""
        return self.duration_ms - sum(sound.end_ms - sound.onset_ms for sound in self.sounds)


@dataclass(frozen=True, slots=True)
class _Clip:
    samples: Samples
    onset_ms: float
    end_ms: float


def speech_line(
    name: str, seed: int, *, gain_db: float = 0.0, noise: str = "", snr_db: float = 0.0
) -> Line:
    """Every clip of speech once, in an order of its own, with pauses of 0.9 to 3.5 s."""
    rng = np.random.default_rng(seed)
    clips = [_clip(str(clip)) for clip in rng.permutation(_speech_names())]
    samples, sounds = _in_a_row(clips, rng)
    samples = samples * _amplitude(gain_db)
    if noise:
        level = 32_768 * _amplitude(SPEECH_DBFS - snr_db)
        samples = samples + level * NOISES[noise](len(samples), rng)
    return Line(name, _on_the_line(samples, rng), sounds)


def sounds_line(kind: str, seed: int, *, count: int) -> Line:
    """Single sounds that are no turn, each after a clip of speech; only they are in the truth."""
    rng = np.random.default_rng(seed)
    clips = []
    for name in rng.choice(_speech_names(), count):
        sound = 32_768 * _amplitude(SPEECH_DBFS) * SINGLE_SOUNDS[kind](rng)
        clips += [_clip(str(name)), _Clip(sound, 0.0, len(sound) / BYTES_PER_MS)]
    samples, sounds = _in_a_row(clips, rng)
    return Line(kind, _on_the_line(samples, rng), sounds[1::2])


def talking_line(seed: int, duration_s: int, share: float, noise_dbfs: float | None) -> bytes:
    """A caller who speaks this share of the time, as μ-law; None: digital silence between."""
    rng = np.random.default_rng(seed)
    pieces: list[Samples] = [np.zeros(int(rng.integers(0, 24_000)))]
    while sum(map(len, pieces)) < duration_s * 8000:
        clip = _clip(str(rng.choice(_speech_names()))).samples
        pieces += [clip, np.zeros(int(len(clip) * (1 / share - 1) * rng.uniform(0.5, 1.5)))]
    samples = np.concatenate(pieces)[: duration_s * 8000]
    return _on_the_line(samples, rng, noise_dbfs)


def _in_a_row(clips: Sequence[_Clip], rng: Rng) -> tuple[Samples, tuple[Sound, ...]]:
    pieces: list[Samples] = []
    sounds: list[Sound] = []
    at = 0
    for clip in clips:
        pause = np.zeros(int(rng.uniform(0.9, 3.5) * 8000))
        pieces += [pause, clip.samples]
        start_ms = (at + len(pause)) / BYTES_PER_MS
        sounds.append(Sound(start_ms + clip.onset_ms, start_ms + clip.end_ms))
        at += len(pause) + len(clip.samples)
    return np.concatenate([*pieces, np.zeros(16_000)]), tuple(sounds)


@cache
def _speech_names() -> tuple[str, ...]:
    return tuple([*clip_names("phrase"), *clip_names("other")])


@cache
def _clip(name: str) -> _Clip:
    samples = to_samples(voice_clip(name).ulaw)
    power = np.convolve(samples**2, np.full(40, 1 / 40), "same")
    audible = np.flatnonzero(power > (32_768 * _amplitude(AUDIBLE_DBFS)) ** 2)
    return _Clip(samples, audible[0] / BYTES_PER_MS, audible[-1] / BYTES_PER_MS)


def _on_the_line(samples: Samples, rng: Rng, noise_dbfs: float | None = QUIET_LINE_DBFS) -> bytes:
    if noise_dbfs is not None:
        samples = samples + rng.normal(0.0, 32_768 * _amplitude(noise_dbfs), len(samples))
    return pcm_to_ulaw(np.clip(np.rint(samples), -32_768, 32_767).astype("<i2").tobytes())


def _amplitude(db: float) -> float:
    return float(10 ** (db / 20))
