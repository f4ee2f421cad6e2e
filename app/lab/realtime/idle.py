"""The idle timeout: the caller says nothing after an answer has been played."""

import asyncio
from collections.abc import Callable


class IdleTimer:
    """`due(start_ms)` is called `idle_ms` after the playback's end.

    `start_ms` is `axis_ms()` at the end of the playback. Over a WebSocket the server cannot know
    the playback, so its end is guessed: as long after the answer as the answer's audio lasts.
    """

    def __init__(self, axis_ms: Callable[[], int], due: Callable[[int], None]) -> None:
        self._axis_ms = axis_ms
        self._due = due
        self._handle: asyncio.TimerHandle | None = None

    def arm(self, playback_ms: int, idle_ms: int) -> None:
        self.stop()
        loop = asyncio.get_running_loop()
        self._handle = loop.call_later(playback_ms / 1000, self._played, idle_ms)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _played(self, idle_ms: int) -> None:
        loop = asyncio.get_running_loop()
        self._handle = loop.call_later(idle_ms / 1000, self._fire, self._axis_ms())

    def _fire(self, start_ms: int) -> None:
        self._handle = None
        self._due(start_ms)
