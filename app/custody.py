"""Which worker carries a call, and what is left behind when its stream is over: for a worker that
goes on with it, for its record, and for text messages of the same person."""

import asyncio
import logging

from app.after.intake import AfterCalls
from app.bridge.keeper import Keeper, unpacked
from app.bridge.ports import Observer
from app.call.arrival import Arrival
from app.call.call import Call
from app.call.commands import EndCall
from app.call.events import Snapshot
from app.call.facts import number_of
from app.live import Live
from app.observe.log import event
from app.text.desk import CallOver, TextDesk

logger = logging.getLogger(__name__)

SAVED_S = 0.3
"""Longest wait for a call's state to reach Redis before a tool runs."""
FLUSH_S = 2.0
"""Longest wait for what a call leaves behind to reach Redis, before its stream is closed."""


class Custody:
    """One for a worker. `live`: what workers share; None: there is no other one. `after`: told of
    streams that end. `texts`: remembers callers who may write next."""

    def __init__(self, live: Live | None, after: AfterCalls, texts: TextDesk) -> None:
        self._live = live
        self._after = after
        self._texts = texts
        self._keeper = None if live is None else Keeper(live.calls, self._flush)
        self._leases: dict[str, int] = {}
        """By call id the number of its lease."""

    @property
    def observers(self) -> tuple[Observer, ...]:
        """Of every call."""
        return () if self._keeper is None else (self._keeper,)

    @property
    def leases(self) -> list[tuple[str, int]]:
        """Of the calls that run here: id and number."""
        return list(self._leases.items())

    async def take_over(self, call_id: str) -> Snapshot | None:
        """Carry this call from now on, and learn where another stream of it left it."""
        if self._live is None:
            return None
        lease, state = await asyncio.gather(
            self._live.leases.take(call_id), self._live.calls.load(call_id)
        )
        self._leases[call_id] = lease.number
        left = None if state is None else unpacked(state)
        if left is not None:
            event(logger, logging.INFO, "the call goes on here", call=call_id, moved=left.moved)
        return left

    async def before_close(self, arrival: Arrival, call: Call, end: EndCall) -> None:
        """See `CallBridge`."""
        number = self._leases.pop(call.call_id, 0)
        if self._live is not None and await self._live.leases.lost(call.call_id, number):
            # Whoever carries it now knows better where it stands.
            self._after.stream_moved(call.call_id)
            return
        agent = call.handover.speaker or arrival.agent
        self._after.stream_over(call, end, agent=agent, direction=arrival.direction)
        await self._remember(call, end, arrival)
        if self._live is not None and self._keeper is not None:
            await self._keeper.before_close(call, end)
            await self._live.leases.release(call.call_id, number)

    async def saved(self) -> None:
        """What another worker must know before a tool runs."""
        if self._live is not None:
            await self._live.outbox.flushed(SAVED_S)

    async def _remember(self, call: Call, end: EndCall, arrival: Arrival) -> None:
        """The same person may write a text message next."""
        facts = arrival.facts
        caller, own = number_of(facts.party), number_of(facts.line)
        if caller and own and end.reason.deliberate:
            over = CallOver(call.call_id, call.snapshot(), arrival.agent, caller, own)
            await self._texts.remember_call(over)

    async def _flush(self) -> None:
        if self._live is not None:
            await self._live.outbox.flushed(FLUSH_S)
