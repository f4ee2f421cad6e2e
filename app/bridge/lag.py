"""How late an event loop runs what is due: the measure of a worker that has too much to do."""

import asyncio
from collections.abc import Callable
from math import exp

PERIOD_S = 0.02
SMOOTHING_S = 2.0
"""Time constant: one hold-up of this length counts for about two thirds."""


class LagGauge:
    """Looks at the loop's clock every 20 ms, from `start` until `stop`."""

    def __init__(self) -> None:
        self.lag_ms = 0.0
        """Smoothed over the last two seconds or so."""
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self) -> float:
        return self.lag_ms

    def start(self, each_s: float, also: Callable[[], None]) -> None:
        """`also` is called every `each_s` seconds, by the way."""
        loop = asyncio.get_running_loop()
        due_s, also_s = loop.time() + PERIOD_S, loop.time()

        def look() -> None:
            nonlocal due_s, also_s
            now_s = loop.time()
            self.take(now_s - due_s)
            if now_s >= also_s:
                also_s = now_s + each_s
                also()
            due_s = max(due_s + PERIOD_S, now_s)
            self._timer = loop.call_at(due_s, look)

        self._timer = loop.call_at(due_s, look)

    def take(self, late_s: float) -> None:
        """One look: how late it was. A long hold-up is one look but weighs as long as it lasted."""
        late_s = max(0.0, late_s)
        weight = 1 - exp(-(PERIOD_S + late_s) / SMOOTHING_S)
        self.lag_ms += (late_s * 1000 - self.lag_ms) * weight

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
