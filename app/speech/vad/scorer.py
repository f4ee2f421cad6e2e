"""What a voice detector must be: it says of windows of caller audio how probably they are voice."""

from collections.abc import Sequence
from typing import Protocol


class Scorer(Protocol):
    """One per worker. A slot is what it remembers of one stream."""

    @property
    def window_bytes(self) -> int:
        """A whole number of milliseconds."""
        ...

    @property
    def context_bytes(self) -> int: ...

    def open(self) -> int:
        """A fresh slot."""
        ...

    def close(self, slot: int) -> None: ...

    def reset(self, slot: int) -> None:
        """Forget what was heard."""
        ...

    def score(self, slots: Sequence[int], windows: Sequence[bytes]) -> Sequence[float]:
        """The probability of voice, 0 to 1, of the next window of each of these slots.

        A window is μ-law at 8 kHz: `context_bytes` of the audio before it, then `window_bytes`.
        A slot stands there at most once.
        """
        ...
