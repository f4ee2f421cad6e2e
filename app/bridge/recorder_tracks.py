"""The two sides of a recording before they are written: sound at its place on one axis of time.

The axis counts bytes of μ-law (8 a millisecond) from the recording's start. What nothing was put
on is silence.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from app.call.generation import Generation, GenerationState
from telecodecs import BYTES_PER_MS, ULAW_SILENCE

SAME_RUN_MS: Final = 60
"""The carrier's clock is known to about this much, so smaller differences are not pauses."""


class Track:
    """One side. What was taken is gone, and what comes too late for it is lost."""

    def __init__(self) -> None:
        self._base = 0
        self._sound = bytearray()

    @property
    def end(self) -> int:
        """Behind the newest sound."""
        return self._base + len(self._sound)

    def put(self, at: int, ulaw: bytes) -> None:
        """Later sound covers earlier sound."""
        if at < self._base:
            ulaw, at = ulaw[self._base - at :], self._base
        start = at - self._base
        if start > len(self._sound):
            self._sound += ULAW_SILENCE * (start - len(self._sound))
        self._sound[start : start + len(ulaw)] = ulaw

    def take(self, until: int) -> bytes:
        """All that comes before `until`, silence where there is nothing."""
        n_bytes = max(0, until - self._base)
        taken = bytes(self._sound[:n_bytes]).ljust(n_bytes, ULAW_SILENCE)
        del self._sound[:n_bytes]
        self._base += n_bytes
        return taken


@dataclass(frozen=True, slots=True)
class Sent:
    """A piece of the bot's sound on its way to the caller."""

    generation: Generation
    start: int
    """Its position in the generation, in bytes."""
    ulaw: bytes
    guess_ms: int
    """When it plays, by our own clock."""

    @property
    def end(self) -> int:
        return self.start + len(self.ulaw)


class BotSide:
    """Puts what the bot said where the caller heard it, as far as it was heard.

    A piece waits until the carrier says that it was played, or how far the caller heard what was
    cut. What the carrier never says anything of stands where our own clock has it.
    """

    def __init__(self, track: Track) -> None:
        self._track = track
        self._waiting: deque[Sent] = deque()
        self._run: tuple[int, int] | None = None
        """Generation and position behind the newest piece ..."""
        self._run_end = 0
        """... and its place on the axis."""

    def sent(self, piece: Sent) -> None:
        self._waiting.append(piece)

    def settle(self, zero_ms: int, skew_ms: int) -> None:
        """Place what is known. The axis begins at `zero_ms` of the call's clock, to which the
        carrier's is `skew_ms` ahead."""
        waiting = self._waiting
        while waiting:
            piece = waiting[0]
            generation = piece.generation
            if generation.state is GenerationState.SETTLED:
                waiting.popleft()
                heard = piece.ulaw[: max(0, generation.heard - piece.start)]
                if not heard:
                    continue
            elif piece.end <= generation.clock.position:
                waiting.popleft()
                heard = piece.ulaw
            else:
                return
            reached_ms = generation.clock.reached_ms(piece.start)
            at_ms = piece.guess_ms if reached_ms is None else reached_ms - skew_ms
            self._place(piece, heard, (at_ms - zero_ms) * BYTES_PER_MS)

    def settle_by_clock(self, zero_ms: int, before: int) -> None:
        """Place what would be written already, had the carrier confirmed it."""
        while self._waiting:
            piece = self._waiting[0]
            at = (piece.guess_ms - zero_ms) * BYTES_PER_MS
            if at >= before or piece.generation.state is GenerationState.FENCED:
                return
            self._waiting.popleft()
            self._place(piece, piece.ulaw, at)

    def _place(self, piece: Sent, heard: bytes, at: int) -> None:
        goes_on = self._run == (piece.generation.number, piece.start)
        if goes_on and abs(at - self._run_end) < SAME_RUN_MS * BYTES_PER_MS:
            at = self._run_end
        at = max(at, self._run_end)
        self._track.put(at, heard)
        self._run = (piece.generation.number, piece.end)
        self._run_end = at + len(heard)
