"""One clock for all calls of a worker: a tick looks who is due, instead of a timer per call.

The tick keeps to a fixed grid of the event loop's clock, so it does not drift; when the loop was
held up, the missed ticks are one late tick, and `lag_ms` says how late.
"""

import asyncio
from typing import Protocol

TICK_MS = 10


class Paced(Protocol):
    @property
    def due_at_s(self) -> float | None:
        """Event-loop time at which `on_due` must run; None: not now."""
        ...

    def on_due(self) -> None: ...


class Pacer:
    """Ticks while it has clients and sleeps otherwise. Belongs to one event loop."""

    def __init__(self, tick_ms: int = TICK_MS) -> None:
        self._tick_s = tick_ms / 1000
        self._clients: dict[Paced, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next_s = 0.0
        self.lag_ms = 0
        """How late the newest tick came."""
        self.worst_lag_ms = 0

    def add(self, client: Paced) -> None:
        self._clients[client] = None
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._next_s = loop.time() + self._tick_s
            self._timer = loop.call_at(self._next_s, self._tick)

    def remove(self, client: Paced) -> None:
        self._clients.pop(client, None)
        if not self._clients and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        self.lag_ms = int((now_s - self._next_s) * 1000)
        self.worst_lag_ms = max(self.worst_lag_ms, self.lag_ms)
        self._next_s += self._tick_s * max(1, -(-(now_s - self._next_s) // self._tick_s))
        self._timer = loop.call_at(self._next_s, self._tick)
        for client in list(self._clients):
            due_at_s = client.due_at_s
            if due_at_s is not None and due_at_s <= now_s:
                client.on_due()
