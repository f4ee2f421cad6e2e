"""The bytes behind the heart's positions: what the model said and was not sent yet."""

ULAW_SILENCE = b"\xff"


class AudioStore:
    """One generation at a time; older ones were cleared and are never sent again."""

    __slots__ = ("_base", "_bytes", "_generation")

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._generation = 0
        self._base = 0
        """Axis position of the first byte kept."""

    def __len__(self) -> int:
        return len(self._bytes)

    def keep(self, generation: int, audio: bytes) -> None:
        if generation != self._generation:
            self._bytes.clear()
            self._generation, self._base = generation, 0
        self._bytes += audio

    def keep_silence(self, generation: int, n_bytes: int) -> None:
        self.keep(generation, ULAW_SILENCE * n_bytes)

    def take(self, generation: int, start: int, end: int) -> bytes:
        """The bytes from `start` to `end`; everything before `end` is forgotten.

        Raises `ValueError` for positions that are not held: a fault of ours.
        """
        if generation != self._generation or start < self._base:
            raise ValueError(f"audio {generation}:{start}-{end} is not held any more")
        if end - self._base > len(self._bytes):
            raise ValueError(f"audio {generation}:{start}-{end} has not come yet")
        audio = bytes(self._bytes[start - self._base : end - self._base])
        del self._bytes[: end - self._base]
        self._base = end
        return audio
