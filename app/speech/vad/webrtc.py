"""WebRTC's voice detector behind the same interface: cheap, and easily fooled by noise."""

from collections.abc import Sequence
from typing import Final

import webrtcvad

from app.speech.vad.slots import Slots
from telecodecs import FRAME_BYTES, SAMPLE_RATE_HZ, ulaw_to_pcm

STRICTEST: Final = 3
"""Its modes go from 0, which lets most through, to 3."""


class WebRtcScorer:
    """Says 0 or 1, nothing between."""

    window_bytes = FRAME_BYTES
    context_bytes = 0

    def __init__(self, mode: int = STRICTEST) -> None:
        """Raises ValueError for a mode that there is not."""
        if mode not in range(STRICTEST + 1):
            raise ValueError(f"Expected a mode of 0 to {STRICTEST}; got {mode}.")
        self._mode = mode
        self._slots = Slots()
        self._detectors: dict[int, webrtcvad.Vad] = {}

    def open(self) -> int:
        slot = self._slots.take()
        self.reset(slot)
        return slot

    def close(self, slot: int) -> None:
        del self._detectors[slot]
        self._slots.give_back(slot)

    def reset(self, slot: int) -> None:
        self._detectors[slot] = webrtcvad.Vad(self._mode)

    def score(self, slots: Sequence[int], windows: Sequence[bytes]) -> Sequence[float]:
        detectors = self._detectors
        return [
            float(detectors[slot].is_speech(ulaw_to_pcm(window), SAMPLE_RATE_HZ))
            for slot, window in zip(slots, windows, strict=True)
        ]
