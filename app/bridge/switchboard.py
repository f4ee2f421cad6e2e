"""The calls of one worker: which are in progress, which may still come, how the last ones ended."""

from collections import OrderedDict

from app.bridge.call_bridge import CallBridge
from app.call.commands import EndCall

MAX_ENDINGS = 10_000
"""Endings kept for the carrier's question what to do next, which comes within seconds."""


class Switchboard:
    """Belongs to one event loop."""

    def __init__(self, max_calls: int) -> None:
        self.max_calls = max_calls
        self.draining = False
        self._calls: dict[str, CallBridge] = {}
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
        return not self.draining and len(self._calls) < self.max_calls

    def connected(self, call: CallBridge) -> None:
        """A second stream of the same call replaces the first, whose socket is dead then."""
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
