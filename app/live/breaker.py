"""A circuit breaker: a model that fails again and again rests, then is tried with one call.

    closed --tripped (3 failures in 10 s, no success since)--> open
    open --rested (15 s)--> half_open
    half_open --failed--> open
    open, half_open --succeeded--> closed

In `half_open` one call of all workers may try: who has drawn the probe. If nothing is heard of it
within 15 s, another may. Pure: times are Unix seconds and come in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    failures: int = 3
    """So many within `window_s` without a success between open it."""
    window_s: float = 10.0
    open_s: float = 15.0
    probe_s: float = 15.0
    """How long the outcome of a probe is waited for."""


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


_S = BreakerState
TRANSITIONS: Final[dict[tuple[BreakerState, str], BreakerState]] = {
    (_S.CLOSED, "tripped"): _S.OPEN,
    (_S.OPEN, "rested"): _S.HALF_OPEN,
    (_S.OPEN, "succeeded"): _S.CLOSED,
    (_S.HALF_OPEN, "failed"): _S.OPEN,
    (_S.HALF_OPEN, "succeeded"): _S.CLOSED,
}


class Breaker:
    """One model's, as one worker sees it."""

    def __init__(self, settings: BreakerSettings) -> None:
        self._settings = settings
        self._state = BreakerState.CLOSED
        self._failures: dict[str, float] = {}
        """When each of them was, by its mark: the same failure also comes back from Redis."""
        self._probe_until_s: float | None = None
        self._probe_free = False
        self.open_until_s = 0.0
        self.succeeded_s = 0.0
        """When it last closed, or last forgot failures."""

    def state(self, now_s: float) -> BreakerState:
        if self._state is BreakerState.OPEN and now_s >= self.open_until_s:
            self._go("rested")
        return self._state

    def allows(self, now_s: float) -> bool:
        """Whether a new call may begin with the model. In `half_open` True only once a probe."""
        if self.state(now_s) is BreakerState.CLOSED:
            return True
        may = self._state is BreakerState.HALF_OPEN and self._probe_free
        self._probe_free = False
        return may

    def wants_probe(self, now_s: float) -> bool:
        """It may be tried, and this worker knows of no probe under way."""
        if self.state(now_s) is not BreakerState.HALF_OPEN:
            return False
        return self._probe_until_s is None or now_s >= self._probe_until_s

    def grant_probe(self, now_s: float) -> None:
        """This worker has drawn the probe: its next call may try."""
        if self.wants_probe(now_s):
            self._probe_until_s = now_s + self._settings.probe_s
            self._probe_free = True

    def failed(self, now_s: float, mark: str) -> bool:
        """`mark` tells this failure from all others. True: it opened by this."""
        if self.state(now_s) is BreakerState.HALF_OPEN:
            self._open(now_s + self._settings.open_s, "failed")
            return True
        self._failures[mark] = now_s
        return self._trip(now_s)

    def succeeded(self, now_s: float) -> bool:
        """True: this changed something that others must learn."""
        changed = self.state(now_s) is not BreakerState.CLOSED or bool(self._failures)
        if changed:
            self._close(now_s)
        return changed

    def learn(
        self, now_s: float, *, failures: Mapping[str, float], open_until_s: float, closed_s: float
    ) -> bool:
        """Take over what all workers know. True: it opened by this."""
        self.succeeded_s = max(self.succeeded_s, closed_s)
        state = self.state(now_s)
        if state is not BreakerState.CLOSED and self.succeeded_s >= self._opened_s(
            self.open_until_s
        ):
            self._close(self.succeeded_s)
        known = self._failures | dict(failures)
        self._failures = {mark: at_s for mark, at_s in known.items() if at_s > self.succeeded_s}
        later = open_until_s > max(self.open_until_s, now_s)
        if later and self._opened_s(open_until_s) > self.succeeded_s:
            self._learn_open(now_s, open_until_s)
            return False
        return self._trip(now_s)

    def _opened_s(self, until_s: float) -> float:
        return until_s - self._settings.open_s

    def _learn_open(self, now_s: float, open_until_s: float) -> None:
        state = self.state(now_s)
        if state is BreakerState.OPEN:
            self.open_until_s = open_until_s
        else:
            self._open(open_until_s, "tripped" if state is BreakerState.CLOSED else "failed")

    def _trip(self, now_s: float) -> bool:
        oldest_s = now_s - self._settings.window_s
        self._failures = {mark: at_s for mark, at_s in self._failures.items() if at_s > oldest_s}
        closed = self._state is BreakerState.CLOSED
        if not closed or len(self._failures) < self._settings.failures:
            return False
        self._open(now_s + self._settings.open_s, "tripped")
        return True

    def _open(self, until_s: float, why: str) -> None:
        self._go(why)
        self.open_until_s = until_s
        self._failures.clear()
        self._probe_until_s = None
        self._probe_free = False

    def _close(self, at_s: float) -> None:
        if self._state is not BreakerState.CLOSED:
            self._go("succeeded")
        self.succeeded_s = max(self.succeeded_s, at_s)
        self._failures.clear()
        self.open_until_s = 0.0
        self._probe_until_s = None
        self._probe_free = False

    def _go(self, why: str) -> None:
        self._state = TRANSITIONS[self._state, why]
