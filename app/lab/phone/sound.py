"""The caller's sounds: comfort noise, a test of audibility, clips and the stereo recording."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import TypeAlias

import numpy as np

from telecodecs.g711 import FRAME_BYTES, ULAW_SILENCE, pcm_to_ulaw, ulaw_to_pcm
from telecodecs.levels import ulaw_peak
from telecodecs.wav import load_as_ulaw
from telecodecs.wav_writer import StereoWavWriter

AUDIBLE_AMPLITUDE = 256
"""Of 32768, about -42 dBFS: room noise and comfort noise stay below, speech goes above."""
AUDIBLE_SAMPLES = 8
"""Samples of a frame that must be that loud."""
NOISE_AMPLITUDE = 24
"""Peak of the comfort noise: near -66 dBFS."""

Hearing: TypeAlias = Callable[[bytes], bool]

_PEAKS = [ulaw_peak(bytes([code])) for code in range(256)]
_LOUD = bytes(peak >= AUDIBLE_AMPLITUDE for peak in _PEAKS)


def audible(frame: bytes) -> bool:
    """Whether a person hears something in this frame of μ-law."""
    return frame.translate(_LOUD).count(1) >= AUDIBLE_SAMPLES


def any_audio(frame: bytes) -> bool:
    """For bots whose audio is a code rather than speech: whatever was sent was heard."""
    return True


@lru_cache(maxsize=64)
def comfort_noise(seed: int = 0, frames: int = 50) -> tuple[bytes, ...]:
    """Frames of faint noise, to be repeated while nobody speaks."""
    quiet = [code for code, peak in enumerate(_PEAKS) if peak <= NOISE_AMPLITUDE]
    chance = Random(seed)
    return tuple(bytes(chance.choices(quiet, k=FRAME_BYTES)) for _ in range(frames))


def load_clip(path: Path) -> bytes:
    """A caller's words as μ-law, from a WAV file or from raw μ-law (`.ulaw`).

    Raises telecodecs' WavError for a file that is no WAV, OSError for one that cannot be read.
    """
    return path.read_bytes() if path.suffix == ".ulaw" else load_as_ulaw(path)


def amplified(ulaw: bytes, gain_db: float) -> bytes:
    """μ-law made louder, or softer with a negative gain; what is too loud is cut off."""
    samples = np.frombuffer(ulaw_to_pcm(ulaw), "<i2") * 10 ** (gain_db / 20)
    return pcm_to_ulaw(np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes())


class Recording:
    """Both sides of the line, tick by tick: what the caller said and what the caller heard."""

    def __init__(self) -> None:
        self.caller = bytearray()
        """μ-law, 8 kHz, from the moment the call was answered."""
        self.heard = bytearray()

    def add(self, caller: bytes, heard: bytes) -> None:
        """One tick of 20 ms; what is missing is silence."""
        self.caller += caller.ljust(FRAME_BYTES, ULAW_SILENCE)
        self.heard += heard.ljust(FRAME_BYTES, ULAW_SILENCE)

    def write_wav(self, path: Path) -> None:
        """Stereo, 16 bits, 8 kHz: the caller left, what the caller heard right.

        Raises OSError if the file cannot be written.
        """
        with StereoWavWriter(path) as writer:
            writer.write(bytes(self.caller), bytes(self.heard))
