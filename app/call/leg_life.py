"""The life of the leg that carries the call: how long it may last, and whether it was of any use.

The next leg is prepared before the session's planned end, and before the vendor's. A leg that was
lost without a whole answer was fruitless, and a call in which too many were so is given up.
"""

from app.call.events import CloseCause, LegCause
from app.call.relay_settings import RelaySettings

LIVED_MS = 10_000
"""A leg that carried the call for so long was no fruitless one, whatever was said."""
SHORT_LIFE_MS = 2_000
"""A leg lost sooner was a fruitless one, whether it owed an answer or not."""


class LegLife:
    """One per call, for its legs one after the other. Times are call-clock milliseconds."""

    def __init__(self, settings: RelaySettings) -> None:
        self.due_ms: int | None = None
        """When the next leg must be prepared; None while no leg carries the call."""
        self._settings = settings
        self._began_ms = 0
        self._end_ms: int | None = None
        """When the vendor ends the session."""
        self._answered = False
        self._fruitless = 0

    def begin(self, lifetime_ms: int | None, now_ms: int) -> None:
        """A leg carries the call from now on. `lifetime_ms`: what the vendor grants it."""
        s = self._settings
        self._began_ms, self._answered = now_ms, False
        self.due_ms, self._end_ms = now_ms + s.session_ms, None
        # An end that lies in the past is a clock that differs from ours: then it is not known.
        if lifetime_ms is not None and lifetime_ms > 0:
            self._end_ms = now_ms + lifetime_ms
            margin_ms = min(s.expiry_margin_ms, lifetime_ms // 4)
            self.due_ms = min(self.due_ms, now_ms + lifetime_ms - margin_ms)

    def fruitful(self) -> None:
        """The leg gave a whole answer."""
        self._answered = True

    def lost(self, cause: CloseCause, now_ms: int, *, owed: bool) -> None:
        """The leg is gone. `owed`: an answer was awaited of it."""
        lived_ms = now_ms - self._began_ms
        self.due_ms = self._end_ms = None
        if self._answered or lived_ms > LIVED_MS:
            self._fruitless = 0
        elif owed or lived_ms < SHORT_LIFE_MS:
            self._fruitless += 2 if cause == "stalled" else 1

    @property
    def too_many_fruitless(self) -> bool:
        return self._fruitless >= self._settings.fruitless

    def ending(self, now_ms: int) -> LegCause:
        """Why the next leg must be prepared, once `due_ms` is over."""
        return "time" if now_ms >= self._began_ms + self._settings.session_ms else "expiry"

    def before_end_ms(self, at_ms: int, margin_ms: int) -> int:
        """`at_ms`, or so long before the vendor ends the session if that is sooner."""
        return at_ms if self._end_ms is None else min(at_ms, self._end_ms - margin_ms)
