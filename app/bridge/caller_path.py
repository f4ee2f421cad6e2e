"""The caller's voice on its way to the models: the shortest path, base64 reused as it came.

Every frame has a place on the caller axis: bytes of μ-law since the stream began, silence included.
The newest stretch is kept, so that a session that takes over can hear what the one before did not
hear to its end, and so that nothing is lost while no session listens. Gaps in the carrier's clock
become silence, or the model's voice detection would never end the turn.
"""

import base64
from collections import deque
from itertools import islice
from typing import Protocol

from msgspec import Struct

from app.bridge.shield import Frame, Shield
from app.call.keypad import Guard
from app.carriers.line import Clock
from app.models.ports import ModelSession

KEPT_LIMIT_MS = 60_000
"""Most caller audio that is kept; what is older is forgotten, and counted if nobody heard it."""
BYTES_PER_MS = 8
_SILENCE = b"\xff"


# gc=False: it holds only a string and numbers. Many thousands of them are alive in a worker.
class Kept(Struct, frozen=True, gc=False):
    start: int
    """Axis position of its first byte."""
    n_bytes: int
    payload_b64: str
    """"" for silence."""


class Listener(Protocol):
    """Somebody else who hears the caller."""

    def feed(self, ulaw: bytes) -> None: ...

    def silence(self, n_bytes: int) -> None: ...


class Tape(Protocol):
    """Whoever keeps the sound, dated by the carrier's clock."""

    def caller(self, ulaw: bytes, end_ms: int) -> None:
        """`end_ms`: when it ended, on that clock. What is never handed over was silence."""
        ...


class CallerPath:
    """One per call. `model` is None until a session listens."""

    __slots__ = (
        "_base",
        "_clock",
        "_heard",
        "_kept",
        "_listener",
        "_model",
        "_shield",
        "_tape",
        "dropped_bytes",
        "frames",
        "padded_bytes",
        "position",
        "replayed_bytes",
    )

    def __init__(
        self,
        clock: Clock,
        listener: Listener | None = None,
        *,
        shield: Shield | None = None,
        tape: Tape | None = None,
    ) -> None:
        """`listener` is handed every byte as well, silence included. What `shield` takes out
        reaches nobody."""
        self._clock = clock
        self._listener = listener
        self._shield = shield
        self._tape = tape
        self._model: ModelSession | None = None
        self._kept: deque[Kept] = deque()
        self._base = 0
        self._heard = 0
        """Axis position up to which some session was handed the audio."""
        self.position = 0
        """Axis position after the newest byte."""
        self.frames = 0
        self.padded_bytes = 0
        self.replayed_bytes = 0
        """Handed to a second session as well."""
        self.dropped_bytes = 0

    @property
    def base_ms(self) -> int:
        """Where on the caller axis the listening session's own axis begins."""
        return self._base // BYTES_PER_MS

    def media(self, payload_b64: str, ulaw: bytes, timestamp_ms: int, now_ms: int) -> None:
        """Hand a caller frame on, as it came and decoded. Never waits for the model."""
        self.frames += 1
        n_bytes = len(ulaw)
        padding = self._clock.on_media(timestamp_ms, n_bytes, now_ms)
        if padding:
            self._pad(padding)
        if self._shield is None and self._tape is None:
            self._hand_on(payload_b64, ulaw)
        else:
            frame = Frame(payload_b64, ulaw, n_bytes, self._clock.at(now_ms)[0])
            self._pass([frame] if self._shield is None else self._shield.pass_on(frame))

    def guard(self, guard: Guard) -> None:
        """What may pass from now on, where there is a shield."""
        if self._shield is not None:
            self._pass(self._shield.follow(guard))

    def hush(self, newest_ms: int) -> None:
        """Make what is kept of the newest audio silent: it is private, as was learnt later."""
        start = self.position - newest_ms * BYTES_PER_MS
        for at, kept in enumerate(self._kept):
            if kept.start + kept.n_bytes > start:
                self._kept[at] = Kept(kept.start, kept.n_bytes, "")

    def pad_for_silence(self, now_ms: int) -> None:
        """Let time pass for the model while the carrier sends nothing."""
        padding = self._clock.due_padding(now_ms)
        if padding:
            self._pad(padding)

    def connect(self, model: ModelSession, heard_ms: int, replay_ms: int | None) -> None:
        """From now on `model` listens, and no other session. It is handed what is kept from the
        later of two places on: `heard_ms` on the caller axis, and `replay_ms` before the point up
        to which the session before heard (None: only the first counts). What nobody heard is always
        handed over."""
        start = min(heard_ms * BYTES_PER_MS, self._heard)
        if replay_ms is not None:
            start = max(start, self._heard - replay_ms * BYTES_PER_MS)
        self._model = model
        first = True
        for kept in self._kept:
            if kept.start + kept.n_bytes <= start:
                continue
            if first:
                self._base, first = kept.start, False
            _hand(model, kept)
        if first:
            self._base = self.position
        self.replayed_bytes += max(0, self._heard - self._base)
        self._heard = self.position

    def again(self, newest_ms: int) -> None:
        """Hand the newest audio to the session once more: it was made to forget it."""
        if self._model is None:
            return
        start = self.position - newest_ms * BYTES_PER_MS
        for kept in self._kept:
            if kept.start + kept.n_bytes > start:
                _hand(self._model, kept)
                self.replayed_bytes += kept.n_bytes

    def disconnect(self) -> None:
        self._model = None

    def forget(self, before_ms: int) -> None:
        """Nothing before this point of the caller axis will be needed. What nobody heard stays."""
        before = min(before_ms * BYTES_PER_MS, self._heard)
        kept = self._kept
        while kept and (oldest := kept[0]).start + oldest.n_bytes <= before:
            kept.popleft()

    def audio(self, start_ms: int, end_ms: int) -> bytes:
        """What is still kept of a stretch of the caller axis, as μ-law, in whole frames."""
        start, end = start_ms * BYTES_PER_MS, end_ms * BYTES_PER_MS
        pieces = []
        for kept in self._kept:
            if kept.start < end and kept.start + kept.n_bytes > start:
                silence = _SILENCE * kept.n_bytes
                pieces.append(base64.b64decode(kept.payload_b64) if kept.payload_b64 else silence)
        return b"".join(pieces)

    def _pass(self, frames: list[Frame]) -> None:
        for frame in frames:
            if not frame.ulaw:
                self._hand_on_silence(frame.n_bytes)
                continue
            self._hand_on(frame.payload_b64, frame.ulaw)
            if self._tape is not None:
                self._tape.caller(frame.ulaw, frame.end_ms)

    def _hand_on(self, payload_b64: str, ulaw: bytes) -> None:
        n_bytes = len(ulaw)
        self._keep(payload_b64, n_bytes)
        if self._model is not None:
            self._model.send_audio(payload_b64, n_bytes)
            self._heard = self.position
        if self._listener is not None:
            self._listener.feed(ulaw)

    def _pad(self, n_bytes: int) -> None:
        self.padded_bytes += n_bytes
        if self._shield is None:
            self._hand_on_silence(n_bytes)
        else:
            self._pass(self._shield.pass_on(Frame("", b"", n_bytes, 0)))

    def _hand_on_silence(self, n_bytes: int) -> None:
        self._keep("", n_bytes)
        if self._model is not None:
            self._model.send_silence(n_bytes)
            self._heard = self.position
        if self._listener is not None:
            self._listener.silence(n_bytes)

    def _keep(self, payload_b64: str, n_bytes: int) -> None:
        self._kept.append(Kept(self.position, n_bytes, payload_b64))
        self.position += n_bytes
        while self._kept and self.position - self._kept[0].start > KEPT_LIMIT_MS * BYTES_PER_MS:
            oldest = self._kept.popleft()
            end = oldest.start + oldest.n_bytes
            self.dropped_bytes += max(0, end - max(oldest.start, self._heard))

    def __len__(self) -> int:
        """Bytes that are kept."""
        return sum(kept.n_bytes for kept in islice(self._kept, None))


def _hand(model: ModelSession, kept: Kept) -> None:
    if kept.payload_b64:
        model.send_audio(kept.payload_b64, kept.n_bytes)
    else:
        model.send_silence(kept.n_bytes)
