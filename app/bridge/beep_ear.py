"""Our own ear for an answering machine's beep, on calls that we placed."""

from collections.abc import Callable

from app.bridge.caller_path import Listener
from app.call.events import BeepHeard
from telecodecs import BYTES_PER_MS, ULAW_SILENCE, BeepDetector


class BeepEar:
    """Hands on what it is fed to `also`. `wanted`: asked as long as a beep would mean something;
    after the first no it listens no more. `heard`: told of each beep; must not act within the
    call of it."""

    __slots__ = ("_also", "_detector", "_heard", "_position", "_wanted")

    def __init__(
        self,
        wanted: Callable[[], bool],
        heard: Callable[[BeepHeard], object],
        also: Listener | None = None,
    ) -> None:
        self._wanted = wanted
        self._heard = heard
        self._also = also
        self._detector: BeepDetector | None = BeepDetector()
        self._position = 0

    def feed(self, ulaw: bytes) -> None:
        if self._also is not None:
            self._also.feed(ulaw)
        self._listen(ulaw)

    def silence(self, n_bytes: int) -> None:
        if self._also is not None:
            self._also.silence(n_bytes)
        if self._detector is not None:
            self._listen(ULAW_SILENCE * n_bytes)

    def _listen(self, ulaw: bytes) -> None:
        self._position += len(ulaw)
        if self._detector is None:
            return
        if not self._wanted():
            self._detector = None
            return
        for beep in self._detector.push(ulaw):
            ended_ms, axis_ms = (at // BYTES_PER_MS for at in (beep.end_sample, self._position))
            self._heard(BeepHeard(ended_ms, axis_ms, beep.sound_before_ms))
