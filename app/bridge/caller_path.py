"""The caller's voice on its way to the model: the shortest path, base64 reused as it came.

Until the model is ready, frames wait here in order. Gaps in the carrier's clock become silence, or
the model's voice detection would never end the turn.
"""

from collections import deque

from app.bridge.ports import Clock
from app.models.ports import ModelSession

WAITING_LIMIT_MS = 60_000
"""Caller audio kept while no model listens; what is older is dropped and counted."""
BYTES_PER_MS = 8


class CallerPath:
    """One per call. `model` is None until a session is ready."""

    __slots__ = ("_clock", "_model", "_waiting", "dropped_bytes", "frames", "padded_bytes")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._model: ModelSession | None = None
        self._waiting: deque[tuple[str, int]] = deque()
        self.frames = 0
        self.padded_bytes = 0
        self.dropped_bytes = 0

    def media(self, payload_b64: str, n_bytes: int, timestamp_ms: int, now_ms: int) -> None:
        """Hand a caller frame on. Never waits for the model."""
        self.frames += 1
        padding = self._clock.on_media(timestamp_ms, n_bytes, now_ms)
        if padding:
            self._pad(padding)
        if self._model is not None:
            self._model.send_audio(payload_b64, n_bytes)
        else:
            self._wait(payload_b64, n_bytes)

    def pad_for_silence(self, now_ms: int) -> None:
        """Let time pass for the model while the carrier sends nothing."""
        padding = self._clock.due_padding(now_ms)
        if padding:
            self._pad(padding)

    def connect(self, model: ModelSession) -> None:
        """From now on `model` listens; what waited is handed over first, in order."""
        self._model = model
        while self._waiting:
            payload_b64, n_bytes = self._waiting.popleft()
            if payload_b64:
                model.send_audio(payload_b64, n_bytes)
            else:
                model.send_silence(n_bytes)

    def disconnect(self) -> None:
        self._model = None

    def _pad(self, n_bytes: int) -> None:
        self.padded_bytes += n_bytes
        if self._model is not None:
            self._model.send_silence(n_bytes)
        else:
            self._wait("", n_bytes)

    def _wait(self, payload_b64: str, n_bytes: int) -> None:
        self._waiting.append((payload_b64, n_bytes))
        while len(self._waiting) > WAITING_LIMIT_MS // 20:
            self.dropped_bytes += self._waiting.popleft()[1]
