"""The calls of one worker: which are in progress, which may still come, how the last ones ended."""

import time
from collections import OrderedDict
from collections.abc import Callable

from app.bridge.call_bridge import CallBridge
from app.call.commands import EndCall

MAX_ENDINGS = 10_000
"""Endings kept for the carrier's question what to do next, which comes within seconds."""


SEAT_S = 30.0
"""How long a call that was let in may take to open its stream; its token is good for as long."""


class Switchboard:
    """Belongs to one event loop. `now_s`: any monotonic clock."""

    def __init__(self, max_calls: int, now_s: Callable[[], float] = time.monotonic) -> None:
        self.max_calls = max_calls
        self.draining = False
        self._now_s = now_s
        self._calls: dict[str, CallBridge] = {}
        self._offered: dict[str, float] = {}
        """Calls that were let in and whose streams are still to come: kept until when."""
        self._endings: OrderedDict[str, EndCall] = OrderedDict()
        self.total = 0
        """Calls carried since the start."""

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def calls(self) -> list[CallBridge]:
        return list(self._calls.values())

    @property
    def has_room(self) -> bool:
        """Refuse call N+1 rather than degrade N."""
        now_s = self._now_s()
        self._offered = {
            call: until_s for call, until_s in self._offered.items() if until_s > now_s
        }
        return not self.draining and len(self._calls) + len(self._offered) < self.max_calls

    def offer(self, call_id: str) -> bool:
        """Keep a seat for a call whose stream will come. False when there is no room for it."""
        if not self.has_room and call_id not in self._offered:
            return False
        self._offered[call_id] = self._now_s() + SEAT_S
        return True

    def withdraw(self, call_id: str) -> None:
        """The call is over; it needs no seat if its stream never came."""
        self._offered.pop(call_id, None)

    def connected(self, call: CallBridge) -> None:
        """A second stream of the same call replaces the first, whose socket is dead then."""
        self.withdraw(call.call_id)
        older = self._calls.get(call.call_id)
        self._calls[call.call_id] = call
        self.total += 1
        if older is not None:
            older.carrier_closed("lost", "the carrier opened a new stream for this call")

    def is_connected(self, call_id: str) -> bool:
        return call_id in self._calls

    def ended(self, call: CallBridge, end: EndCall) -> None:
        if self._calls.get(call.call_id) is not call:
            return
        del self._calls[call.call_id]
        self._endings[call.call_id] = end
        self._endings.move_to_end(call.call_id)
        while len(self._endings) > MAX_ENDINGS:
            self._endings.popitem(last=False)

    def ending_of(self, call_id: str) -> EndCall | None:
        """How the call's stream ended, if it ran here."""
        return self._endings.get(call_id)
