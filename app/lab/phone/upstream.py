"""Between the caller and the carrier: frames that are lost, held back or not sent at all."""

from random import Random

from app.lab.phone.impairments import Bursts, Impairments


class Upstream:
    """Decides for each of the caller's frames whether the carrier gets to send it."""

    def __init__(self, impairments: Impairments, salt: str) -> None:
        self._gaps = impairments.gaps
        self._loss = impairments.loss
        self._suppress_after_ms = impairments.suppress_silence_after_ms
        self._chance = Random(f"{impairments.seed}/{salt}/upstream")
        self._burst_chance = Random(f"{impairments.seed}/{salt}/bursts")
        self._bursts = impairments.bursts
        self._in_burst = False
        self._silent_ms = 0

    def passes(self, carrier_ms: int, frame: bytes) -> bool:
        """Whether a media message goes out for this frame of 20 ms."""
        lost = bool(self._loss) and self._chance.random() < self._loss
        lost = (self._bursts is not None and self._takes(self._bursts)) or lost
        if any(gap.holds(carrier_ms) for gap in self._gaps):
            return False
        return not lost and not self._suppressed(frame)

    def _suppressed(self, frame: bytes) -> bool:
        if self._suppress_after_ms is None:
            return False
        silent = frame.count(0xFF) + frame.count(0x7F) == len(frame)
        self._silent_ms = self._silent_ms + 20 if silent else 0
        return self._silent_ms > self._suppress_after_ms

    def _takes(self, bursts: Bursts) -> bool:
        drawn = self._burst_chance.random()
        change = bursts.end_chance if self._in_burst else bursts.begin_chance
        self._in_burst ^= drawn < change
        return self._in_burst
