"""The model's ear in `bench.turns`: it knows what the caller of this call can say, and finds it in
the sound by correlation, also under noise. What it does not find has no words.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from telecodecs.g711 import BYTES_PER_MS, ulaw_to_pcm

PIECE_MS: Final = 300
PIECES: Final = 4
"""Looked for of each utterance, at most: its loudest ones."""
ALIKE: Final = 0.8
"""Correlation from which a piece counts as found. 5 dB of noise leave 0.87 of a voice; other words
of the same synthetic voice come near 0.9 now and then, those of another one do not."""
CLEAN: Final = 0.95
"""The same for a line without noise."""
_LEAST_ENERGY: Final = 1e-9

Samples: TypeAlias = npt.NDArray[np.float32]
_LINEAR: Final = np.frombuffer(ulaw_to_pcm(bytes(range(256))), "<i2").astype(np.float32) / 32_768


@dataclass(frozen=True, slots=True)
class Known:
    """Something that may be said."""

    audio: bytes
    """μ-law, 8 kHz."""
    text: str
    alike: float = ALIKE


class MatchingEar:
    """Knows the words of what it was given, in its order; everything else is none."""

    def __init__(self, known: Sequence[Known]) -> None:
        self._known = [(_pieces(one.audio), one) for one in known]

    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        """See `app.lab.realtime.ports.Ear`. In a thread: the calls share a loop."""
        return await asyncio.to_thread(self._found, _linear(utterance))

    def _found(self, sound: Samples) -> str:
        searched = _Searched(sound)
        return " ".join(
            one.text for pieces, one in self._known if searched.holds(pieces, one.alike)
        )


def _linear(ulaw: bytes) -> Samples:
    return np.asarray(_LINEAR.take(np.frombuffer(ulaw, np.uint8)), np.float32)


def _pieces(ulaw: bytes) -> list[Samples]:
    """The loudest pieces, none of them much softer than the loudest one."""
    sound, length = _linear(ulaw), PIECE_MS * BYTES_PER_MS
    cut = [sound[at : at + length] for at in range(0, max(1, len(sound) - length + 1), length // 2)]
    energies = [float((piece**2).sum()) for piece in cut]
    loudest = max(energies)
    ranked = sorted(range(len(cut)), key=lambda number: -energies[number])
    return [cut[number] for number in ranked[:PIECES] if energies[number] >= loudest / 10]


class _Searched:
    """A sound in which several pieces are looked for."""

    def __init__(self, sound: Samples) -> None:
        self._n = len(sound)
        # A piece may be as long as PIECE_MS or shorter.
        self._size = 1 << (self._n + PIECE_MS * BYTES_PER_MS).bit_length()
        self._spectrum = np.fft.rfft(sound, self._size)
        self._running = np.concatenate(([0.0], np.cumsum(sound.astype(np.float64) ** 2)))

    def holds(self, pieces: Sequence[Samples], alike: float) -> bool:
        return any(self._n >= len(piece) and self._likeness(piece) >= alike for piece in pieces)

    def _likeness(self, piece: Samples) -> float:
        """The best normalised correlation anywhere in the sound, 0 to 1."""
        n = len(piece)
        spectrum = self._spectrum * np.conj(np.fft.rfft(piece, self._size))
        products = np.fft.irfft(spectrum, self._size)[: self._n - n + 1]
        energies = np.maximum(self._running[n:] - self._running[:-n], _LEAST_ENERGY)
        own = max(float((piece**2).sum()), _LEAST_ENERGY)
        return float((products / np.sqrt(energies * own)).max())
