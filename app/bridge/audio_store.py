"""The bytes behind the heart's positions: what the model said and the caller may still hear."""

import struct

from telecodecs import BYTES_PER_MS, ULAW_SILENCE, pcm_to_ulaw, ulaw_to_pcm

RETAINED_BYTES = 2_000 * BYTES_PER_MS
"""What was sent last is kept: it may be on its way to the caller, and be held back there. Longer
than any lead and network delay together."""


class AudioStore:
    """One generation at a time; older ones were cleared and are never sent again."""

    __slots__ = ("_base", "_bytes", "_generation", "_taken")

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._generation = 0
        self._base = 0
        """Axis position of the first byte kept."""
        self._taken = 0
        """Axis position up to which bytes were taken."""

    def __len__(self) -> int:
        """Bytes that were not taken yet."""
        return self._base + len(self._bytes) - self._taken

    def keep(self, generation: int, audio: bytes) -> None:
        if generation != self._generation:
            self._bytes.clear()
            self._generation, self._base, self._taken = generation, 0, 0
        self._bytes += audio

    def keep_silence(self, generation: int, n_bytes: int) -> None:
        self.keep(generation, ULAW_SILENCE * n_bytes)

    def take(self, generation: int, start: int, end: int) -> bytes:
        """The bytes from `start` to `end`, which follow what was taken before.

        Raises `ValueError` for positions that are not held: a fault of ours.
        """
        if generation != self._generation or start < self._taken:
            raise ValueError(f"audio {generation}:{start}-{end} is not held any more")
        if end - self._base > len(self._bytes):
            raise ValueError(f"audio {generation}:{start}-{end} has not come yet")
        audio = bytes(self._bytes[start - self._base : end - self._base])
        self._taken = end
        forgotten = end - RETAINED_BYTES - self._base
        if forgotten > 0:
            del self._bytes[:forgotten]
            self._base += forgotten
        return audio

    def replay(self, source: int, start: int, end: int, generation: int, fade_bytes: int) -> None:
        """Begin this generation with a stretch of the one before, its first bytes fading in.

        Raises `ValueError` if that is not the generation that is kept, or its end has not come.
        What is older than what is retained is silence.
        """
        if source != self._generation or end - self._base > len(self._bytes):
            raise ValueError(f"audio {source}:{start}-{end} is not held")
        lost = max(0, self._base - start)
        kept = bytes(self._bytes[max(0, start - self._base) : end - self._base])
        audio = ULAW_SILENCE * min(lost, end - start) + kept
        self.keep(generation, faded_in(audio[:fade_bytes]) + audio[fade_bytes:])


def faded_in(ulaw: bytes) -> bytes:
    """The same sound, from silence to full level in a straight line."""
    n = len(ulaw)
    samples = struct.unpack(f"<{n}h", ulaw_to_pcm(ulaw))
    ramp = (int(sample * (i + 1) / n) for i, sample in enumerate(samples))
    return pcm_to_ulaw(struct.pack(f"<{n}h", *ramp))
