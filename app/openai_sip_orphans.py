"""Calls by OpenAI's SIP connector outlive their workers: whose worker has died, or has left them,
is taken over by another one.

    listed --its worker keeps it--> listed --over--> gone
           --left by a worker that is being stopped--> lapsed --claimed--> listed, elsewhere
           --its worker died--------------(10 s)-----> lapsed

Meanwhile the caller talks with the model, which has the whole conversation; what it lacks is its
tools. Every worker looks, at times of its own, and takes what it has a place for.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, TypeAlias

import msgspec

from app.bridge.keeper import unpacked
from app.bridge.switchboard import Switchboard
from app.call.events import Snapshot
from app.call.facts import CallFacts
from app.carriers.twilio.door import OfferedCall
from app.live import Live
from app.live.asking import RedisAwayError
from app.observe.log import event

logger = logging.getLogger(__name__)

LOOK_S: Final = 2.0
SETTLE_S: Final = 5.0
"""After Redis was away, and at the start, a call's own worker keeps it before anybody takes it."""
CLOSE_S: Final = 3.0
"""Longest wait at the end for calls that are being hung up."""

Adopt: TypeAlias = Callable[[OfferedCall, float, Snapshot | None], Awaitable[None]]
"""(call, when it began in Unix seconds, where it stands) carry it to its end."""


class _About(msgspec.Struct):
    """What is listed of a call. Workers of other versions read it: add fields with defaults."""

    agent: str
    began_s: float
    facts: CallFacts


class Orphans:
    """One for a worker. `live` None: there is no other worker, and nothing is taken or left."""

    def __init__(self, live: Live | None, board: Switchboard) -> None:
        self._live = live
        self._board = board
        self._held: dict[str, bytes] = {}
        """Calls that are listed as ours, with what is listed of them."""
        self._unread: set[str] = set()
        """Calls that this version cannot read: another one's worker may."""
        self._elsewhere: set[str] = set()
        """Calls that were ours."""
        self._at_once = asyncio.Lock()
        """Nothing is kept that is being given up."""
        self._tasks: set[asyncio.Task[None]] = set()
        self.adopt: Adopt | None = None
        """None: such calls are not served here."""

    # What the room tells of its calls

    def listed(self, call: OfferedCall, began_s: float) -> None:
        """It is being accepted, and then goes on without us should we die. Never waits."""
        if self._live is None:
            return
        about = msgspec.json.encode(_About(call.agent, began_s, call.facts))
        self._held[call.call_sid] = about
        self._live.served.listed(call.call_sid, about)

    async def over(self, call_id: str) -> None:
        """Nobody need go on with it."""
        if self._live is not None and self._held.pop(call_id, None) is not None:
            async with self._at_once:
                self._live.served.over(call_id)

    async def leave(self, call_id: str) -> bool:
        """Have another worker go on with it. False: there is none, and it is still ours."""
        if self._live is None or call_id not in self._held or not await self._others():
            return False
        return await self._left(self._live, call_id)

    async def lost(self, call_id: str) -> bool:
        """Whether another worker has taken it, since this one did not answer for long."""
        if self._live is None or not await self._live.served.lost(call_id):
            return False
        self._gave_up(call_id)
        return True

    def elsewhere(self, call_id: str) -> bool:
        """Whether it was left to another worker, also while nobody asked for that."""
        return call_id in self._elsewhere

    # The work beside the calls

    async def run(self) -> None:
        """Keep what is ours and take what nobody has, until cancelled."""
        if self._live is None or self.adopt is None:
            return
        settled_s = time.monotonic() + SETTLE_S
        while True:
            await asyncio.sleep(LOOK_S * random.uniform(0.75, 1.25))
            try:
                await self.keep()
                if time.monotonic() >= settled_s:
                    await self.look()
            except RedisAwayError:
                settled_s = time.monotonic() + SETTLE_S

    async def keep(self) -> None:
        """Stay the worker of these calls. Raises `RedisAwayError`."""
        if self._live is None:
            return
        async with self._at_once:
            for call_id in await self._live.served.keep(self._held):
                self._gave_up(call_id)

    async def look(self) -> None:
        """Take the calls that nobody watches over, as many as have a place here.

        Raises `RedisAwayError`.
        """
        if self._live is None or not self._board.has_room:
            return
        for call_id in await self._live.served.lapsed():
            if call_id in self._held or call_id in self._unread:
                continue
            if not self._board.has_room:
                return
            about = await self._live.served.claim(call_id)
            if about is not None:
                await self._claimed(self._live, call_id, about)

    async def close(self) -> None:
        """At the end: wait for calls that are being hung up; leave the others, if to anybody."""
        if self._live is None:
            return
        until_s = time.monotonic() + CLOSE_S
        while self._streamless and time.monotonic() < until_s:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
        for call_id in list(self._held):
            await self.leave(call_id)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def _streamless(self) -> bool:
        return any(not self._board.is_connected(call_id) for call_id in self._held)

    async def _claimed(self, live: Live, call_id: str, about: bytes) -> None:
        try:
            listed = msgspec.json.decode(about, type=_About)
        except (msgspec.DecodeError, UnicodeDecodeError):
            event(logger, logging.WARNING, "a call of another version is left", call=call_id)
            self._unread.add(call_id)
            await live.served.leave(call_id)
            return
        self._held[call_id] = about
        self._elsewhere.discard(call_id)
        self._board.keep_seat(call_id)
        event(logger, logging.INFO, "a call without a worker is taken", call=call_id)
        state = await live.calls.load(call_id)
        call = _offered(call_id, listed)
        assert self.adopt is not None, "nobody looks where such calls are not served"
        self._spawn(self.adopt(call, listed.began_s, going_on(call, state)))

    async def _left(self, live: Live, call_id: str) -> bool:
        async with self._at_once:
            if not await live.served.leave(call_id):
                return False
            self._gave_up(call_id)
        event(logger, logging.INFO, "a call is left to another worker", call=call_id)
        return True

    def _gave_up(self, call_id: str) -> None:
        if self._held.pop(call_id, None) is not None:
            self._elsewhere.add(call_id)

    async def _others(self) -> bool:
        """Whether another worker takes calls."""
        assert self._live is not None
        try:
            workers = await self._live.fleet.workers()
        except RedisAwayError:
            return False
        us = self._live.served.worker_id
        return any(w.ready and w.calls < w.max_calls for w in workers if w.worker_id != us)

    def _spawn(self, work: Awaitable[None]) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        self._board.owes(task)
        task.add_done_callback(self._tasks.discard)


def going_on(call: OfferedCall, state: bytes | None) -> Snapshot | None:
    """Where the call stands by now. Nothing is owed: the model has gone on by itself, and the
    caller has noticed nothing. None: its worker died before it was joined."""
    if state is None:
        return None
    left = unpacked(state) or Snapshot(call.call_sid, call.direction)
    return replace(left, moved=True, unanswered=False, broke_off=False)


def _offered(call_id: str, listed: _About) -> OfferedCall:
    facts = listed.facts
    return OfferedCall(
        call_sid=call_id,
        agent=listed.agent,
        direction=facts.direction,
        from_number=facts.from_number,
        to_number=facts.to_number,
        facts=facts,
    )
