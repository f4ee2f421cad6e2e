"""The calls of one worker: which are in progress, which may still come, how the last ones ended,
and whether there is room for another."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeAlias

from app.bridge.call_bridge import CallBridge
from app.call.commands import EndCall
from app.call.endings import EndReason

MAX_ENDINGS = 10_000
"""Endings kept for the carrier's question what to do next, which comes within seconds."""
SEAT_S = 30.0
"""How long a call that was let in may take to open its stream; its token is good for as long."""
ASKED_WITHIN_S = 1.0
"""The carrier asks what comes next within this time after a stream was closed by us."""
MAX_LAG_MS = 200
LAG_OVER = 0.5
"""There is room again when the lag has fallen below this part of its limit."""

NoRoom: TypeAlias = Literal["", "draining", "calls", "lag"]
"""Why another call has no place here; "" when it has."""


class Fleet(Protocol):
    """What the workers that answer at the same address know of each other."""

    def free_seats(self) -> int | None:
        """Calls that could still be let in, over all workers; None when nobody can say."""
        ...

    def others(self) -> int:
        """How many workers take calls, this one left out."""
        ...

    def post(self, *, calls: int, offered: int, seats: int, draining: bool) -> None:
        """Tell the others about this worker. `offered`: calls that were let in here and have no
        stream yet. `seats`: how many more streams this worker takes."""
        ...

    def arrived(self, call_id: str) -> None:
        """A stream of this call has come to this worker."""
        ...

    def arrivals(self) -> Callable[[str], bool]:
        """Whether a call's stream has lately come to any worker."""
        ...


def no_lag() -> float:
    """The lag of a worker that nobody measures."""
    return 0.0


class Switchboard:
    """Belongs to one event loop. `now_s`: any monotonic clock.

    `lag_ms`: how late the loop is, smoothed; above `max_lag_ms` there is no room."""

    def __init__(
        self,
        max_calls: int,
        now_s: Callable[[], float] = time.monotonic,
        *,
        lag_ms: Callable[[], float] = no_lag,
        max_lag_ms: int = MAX_LAG_MS,
        fleet: Fleet | None = None,
    ) -> None:
        self.max_calls = max_calls
        self._draining = False
        self._moving = False
        self._now_s = now_s
        self._lag_ms = lag_ms
        self._max_lag_ms = max_lag_ms
        self._lagging = False
        self._fleet = fleet
        self._calls: dict[str, CallBridge] = {}
        self._offered: dict[str, float] = {}
        """Calls that were let in and whose streams are still to come: kept until when."""
        self._endings: OrderedDict[str, EndCall] = OrderedDict()
        self._unasked: dict[str, float] = {}
        """Calls whose streams we closed, and until when the carrier may ask about them."""
        self._owed: set[asyncio.Future[Any]] = set()
        self.total = 0
        """Calls carried since the start."""

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def calls(self) -> list[CallBridge]:
        return list(self._calls.values())

    @property
    def draining(self) -> bool:
        """No new calls; the running ones go on."""
        return self._draining

    @draining.setter
    def draining(self, draining: bool) -> None:
        self._draining = draining
        self.tell_fleet()

    @property
    def alone_and_leaving(self) -> bool:
        """The calls here are being sent away, and no other worker is there to take them."""
        return self._moving and (self._fleet is None or not self._fleet.others())

    @property
    def offered(self) -> int:
        """Seats kept for streams that are still to come."""
        now_s = self._now_s()
        arrived = self._fleet.arrivals() if self._fleet and self._offered else _nowhere
        self._offered = {
            call: until_s
            for call, until_s in self._offered.items()
            if until_s > now_s and not arrived(call)
        }
        return len(self._offered)

    @property
    def unasked(self) -> int:
        """Calls about whose next step the carrier is still to ask, somebody's of this address."""
        now_s = self._now_s()
        self._unasked = {call: until for call, until in self._unasked.items() if until > now_s}
        return len(self._unasked)

    @property
    def no_room(self) -> NoRoom:
        """Why this worker takes no further call: refuse call N+1 rather than degrade N."""
        if self._draining:
            return "draining"
        if len(self._calls) + self.offered >= self.max_calls:
            return "calls"
        return "lag" if self._lags() else ""

    @property
    def has_room(self) -> bool:
        return not self.no_room

    @property
    def takes_calls(self) -> bool:
        """Whether a new call has a place at this address: the fleet's free seats decide where
        there is a fleet, for the stream finds its own way to one."""
        self.tell_fleet()
        free = None if self._fleet is None else self._fleet.free_seats()
        return self.has_room if free is None else free > 0

    @property
    def takes_streams(self) -> bool:
        """Whether a stream may come that has, as far as we know, no seat here: the webhook may
        have been answered by another worker."""
        if len(self._calls) >= self.max_calls:
            return False
        return not self._draining or self.offered > 0

    def offer(self, call_id: str) -> bool:
        """Keep a seat for a call whose stream will come. False when there is no room for it."""
        if call_id not in self._offered and not self.takes_calls:
            return False
        self.keep_seat(call_id)
        return True

    def keep_seat(self, call_id: str) -> None:
        """The call is in progress and its stream will come again: it goes before new calls."""
        self._offered[call_id] = self._now_s() + SEAT_S
        self.tell_fleet()

    def move_calls(self) -> None:
        """End every stream here so that the calls go on with another worker: in a quiet moment;
        told again, at once."""
        self._moving = True
        self.draining = True
        self._offered.clear()
        for call in self.calls:
            call.hang_up("drain")

    def withdraw(self, call_id: str) -> None:
        """The call is over; it needs no seat if its stream never came."""
        self._unasked.pop(call_id, None)
        if self._offered.pop(call_id, None) is not None:
            self.tell_fleet()

    def connected(self, call: CallBridge) -> None:
        """A second stream of the same call replaces the first, whose socket is dead then."""
        self._offered.pop(call.call_id, None)
        older = self._calls.get(call.call_id)
        self._calls[call.call_id] = call
        self.total += 1
        if self._fleet is not None:
            self._fleet.arrived(call.call_id)
        self.tell_fleet()
        if older is not None:
            older.carrier_closed("lost", "the carrier opened a new stream for this call")

    def owes(self, work: asyncio.Future[Any]) -> None:
        """This must be done before the worker leaves: its call would go on without us."""
        self._owed.add(work)
        work.add_done_callback(self._owed.discard)

    @property
    def owing(self) -> int:
        return len(self._owed)

    def is_connected(self, call_id: str) -> bool:
        return call_id in self._calls

    def ended(self, call: CallBridge, end: EndCall) -> None:
        if self._calls.get(call.call_id) is not call:
            return
        del self._calls[call.call_id]
        self._endings[call.call_id] = end
        self._endings.move_to_end(call.call_id)
        if end.reason is not EndReason.CALLER_HUNG_UP:
            self._unasked[call.call_id] = self._now_s() + ASKED_WITHIN_S
        while len(self._endings) > MAX_ENDINGS:
            self._unasked.pop(self._endings.popitem(last=False)[0], None)
        self.tell_fleet()

    def ending_of(self, call_id: str) -> EndCall | None:
        """How the call's stream ended, if it ran here. Asked once the stream has ended."""
        self._unasked.pop(call_id, None)
        return self._endings.get(call_id)

    def tell_fleet(self) -> None:
        """Tell the other workers how it stands here. Call it now and then: lag comes by itself."""
        if self._fleet is None:
            return
        shut = self._draining or self._lags()
        seats = 0 if shut else max(0, self.max_calls - len(self._calls))
        self._fleet.post(
            calls=len(self._calls), offered=self.offered, seats=seats, draining=self._draining
        )

    def _lags(self) -> bool:
        limit_ms = self._max_lag_ms * (LAG_OVER if self._lagging else 1)
        self._lagging = self._lag_ms() > limit_ms
        return self._lagging


def _nowhere(_call_id: str) -> bool:
    return False
