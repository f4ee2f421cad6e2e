"""A detector for tests: a window is as probably voice as its share of one byte says."""

from collections.abc import Sequence

from app.speech.vad.slots import Slots

VOICE = b"\x00"
NOISE = b"\x01"


class FakeScorer:
    """Windows of 32 ms with 4 ms of context. Keeps what it was asked."""

    window_bytes = 256
    context_bytes = 32

    def __init__(self) -> None:
        self._slots = Slots()
        self.asked: dict[int, list[bytes]] = {}
        self.batches: list[int] = []
        self.closed: list[int] = []
        self.resets: list[int] = []

    def open(self) -> int:
        slot = self._slots.take()
        self.asked[slot] = []
        return slot

    def close(self, slot: int) -> None:
        self.closed.append(slot)
        self._slots.give_back(slot)

    def reset(self, slot: int) -> None:
        self.resets.append(slot)

    def score(self, slots: Sequence[int], windows: Sequence[bytes]) -> Sequence[float]:
        assert len(set(slots)) == len(slots) == len(windows)
        self.batches.append(len(slots))
        for slot, window in zip(slots, windows, strict=True):
            assert len(window) == self.context_bytes + self.window_bytes
            self.asked[slot].append(window)
        return [window[self.context_bytes :].count(VOICE) / self.window_bytes for window in windows]
