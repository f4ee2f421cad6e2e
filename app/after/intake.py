"""When a call is over for good, and what is done then: once, whoever notices it.

It is over when its stream ended because nothing more was owed to the caller, when the carrier's
last status says so, or when no worker carries it any more and the carrier calls it over. It is not
over when its stream was lost, moved, or handed on to a person or a menu.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import msgspec

from app.after.about import About, Over, read
from app.after.conversation import (
    Conversation,
    conversation_of,
    of_snapshot,
    packed,
    unpacked,
)
from app.after.epilogue import Epilogue
from app.after.ports import CarrierSays, Due, Ledger, Left, Wants
from app.call.call import Call
from app.call.commands import EndCall
from app.call.endings import EndReason
from app.call.events import Snapshot

logger = logging.getLogger(__name__)

OVER: Final = frozenset(
    {
        EndReason.CALLER_HUNG_UP,
        EndReason.AGENT_HUNG_UP,
        EndReason.OPERATOR_HUNG_UP,
        EndReason.NO_INPUT,
        EndReason.TOO_LONG,
        EndReason.SPENT,
        EndReason.MESSAGE_LEFT,
        EndReason.MACHINE_ANSWERED,
    }
)
"""Ends of a stream that are the call's. Any other one waits for the carrier's word."""
UNKNOWN: Final = "unknown"
"""The reason of a call of whose end nobody told."""
_MOST_KEPT: Final = 1_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds."""

    grace_s: float = 5.0
    """The carrier's word may come before its socket closes: the stream's own end knows more."""
    stream_s: float = 30.0
    """Longest wait for a stream here that does not end though its call is over."""
    look_s: float = 30.0
    """How often a worker looks for calls that nobody carries any more."""
    quiet_s: float = 60.0
    """News of a call younger than this is left to whoever has it."""
    lost_s: float = 900.0
    """A call that nobody carries for so long is over, if the carrier does not say otherwise."""
    handed_on_s: float = 4 * 3600.0
    """The same for one that was handed on: the longest `<Dial>` by default."""
    close_s: float = 10.0
    """Longest wait at the end for records that are being written; others write the rest."""


class AfterCalls:
    """One for a worker; belongs to its event loop. `now_s`: Unix seconds, `at_once`: records that
    are written at one time."""

    def __init__(
        self,
        ledger: Ledger,
        epilogue: Epilogue,
        wants: Wants,
        *,
        carrier_says: CarrierSays | None = None,
        at_once: int = 8,
        times: Times | None = None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        self._epilogue = epilogue
        self._wants = wants
        self._carrier_says = carrier_says
        self._at_once = asyncio.Semaphore(at_once)
        self._times = times or Times()
        self._now_s = now_s
        self._abouts: OrderedDict[str, About] = OrderedDict()
        self._said: OrderedDict[str, Conversation] = OrderedDict()
        """Of streams that ended here, with their timelines."""
        self._over: OrderedDict[str, Over] = OrderedDict()
        """What the carrier said here."""
        self._streams: set[str] = set()
        self._alone_since_s: dict[str, float] = {}
        """Since when nobody has carried a call, as far as this worker has seen."""
        self._tasks: set[asyncio.Task[object]] = set()

    # What is told of calls. None of these waits.

    def offered(
        self, call_id: str, *, agent: str, direction: str, caller: str = "", called: str = ""
    ) -> None:
        """The call was let in. The numbers are kept only if webhooks include them."""
        if not self._wants(agent):
            return
        table = self._epilogue.table_of(agent)
        if table is None or "numbers" not in table.include:
            caller = called = ""
        self._note(call_id, About(agent, direction, self._now_s(), "offered", caller, called))

    def stream_began(self, call_id: str, *, agent: str, direction: str) -> None:
        """A stream of the call is here; another one may have been before, also elsewhere."""
        if not self._wants(agent):
            return
        self._streams.add(call_id)
        known = self._abouts.get(call_id)
        if known is None:
            self._spawn(self._began_elsewhere(call_id, agent, direction))
        else:
            self._began(call_id, known, agent, direction)

    def stream_over(self, call: Call, end: EndCall, *, agent: str, direction: str = "") -> None:
        """The heart has said its last word about a stream. `agent`: the one that spoke last."""
        call_id = call.call_id
        self._streams.discard(call_id)
        if not self._wants(agent):
            return
        said = replace(conversation_of(call), direction=direction)
        _remember(self._said, call_id, said)
        self._ledger.keep(call_id, packed(said))
        about = self._abouts.get(call_id) or About(agent, direction, self._now_s())
        handed_on = end.reason is EndReason.HANDED_ON
        self._note(call_id, about.at("handed_on" if handed_on else "lost", agent))
        over = Over(end.reason.value) if end.reason in OVER else self._over.get(call_id)
        if over is not None:
            self._spawn(self._finish(call_id, over, said))

    def stream_moved(self, call_id: str) -> None:
        """Another worker has taken the call: it is that one's."""
        self._streams.discard(call_id)

    def call_over(self, call_id: str, *, state: str, duration_s: int | None = None) -> None:
        """The carrier's last word, on whichever worker; `state` such as "completed"."""
        over = Over(state, duration_s)
        _remember(self._over, call_id, over)
        self._ledger.mark_over(call_id, msgspec.json.encode(over))
        self._spawn(self._after_grace(call_id, over))

    async def run(self) -> None:
        """Look for calls that nobody carries any more, until cancelled."""
        while True:
            await asyncio.sleep(self._times.look_s)
            await self.look()

    async def look(self) -> None:
        """Once. See `run`."""
        due = await self._ledger.due(self._times.quiet_s)
        alone = [d for d in due if not d.carried and d.call_id not in self._streams]
        before, now_s = self._alone_since_s, self._now_s()
        self._alone_since_s = {d.call_id: before.get(d.call_id, now_s) for d in alone}
        for each in alone:
            over = await self._verdict(each)
            if over is not None:
                self._spawn(self._finish(each.call_id, over))

    async def close(self) -> None:
        """Wait a while for what is being written."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._times.close_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Beginnings

    async def _began_elsewhere(self, call_id: str, agent: str, direction: str) -> None:
        """Another worker may know since when the call has lasted."""
        known = read((await self._ledger.left(call_id)).about, About)
        new = About(agent, direction, self._now_s(), "offered")
        self._began(call_id, known or new, agent, direction)

    def _began(self, call_id: str, known: About, agent: str, direction: str) -> None:
        about = known.with_stream(agent, direction)
        if call_id in self._streams:
            self._note(call_id, about)
        if known.where == "offered":
            self._spawn(self._epilogue.began(call_id, about))

    def _note(self, call_id: str, about: About) -> None:
        _remember(self._abouts, call_id, about)
        self._ledger.note(call_id, msgspec.json.encode(about))

    # Ends

    async def _after_grace(self, call_id: str, over: Over) -> None:
        await asyncio.sleep(self._times.grace_s)
        until_s = self._now_s() + self._times.stream_s
        while call_id in self._streams and self._now_s() < until_s:  # noqa: ASYNC110 - rare
            await asyncio.sleep(min(1.0, self._times.stream_s))
        await self._finish(call_id, over)

    async def _verdict(self, due: Due) -> Over | None:
        """How a call that nobody carries has ended; None: it may still go on."""
        over = read(due.over, Over)
        if over is not None:
            return over
        says = None if self._carrier_says is None else await self._carrier_says(due.call_id)
        if says is not None:
            return Over("completed") if says else None
        about = read(due.about, About)
        handed_on = about is not None and about.where == "handed_on"
        since_s = max(due.news_s, self._alone_since_s.get(due.call_id, due.news_s))
        limit_s = self._times.handed_on_s if handed_on else self._times.lost_s
        return Over(UNKNOWN) if self._now_s() - since_s >= limit_s else None

    async def _finish(self, call_id: str, over: Over, said: Conversation | None = None) -> None:
        """`said`: by the stream that ended the call; None: whatever was left of it."""
        async with self._at_once:
            left = await self._ledger.left(call_id)
            about = read(left.about, About) or self._abouts.get(call_id)
            if about is None:
                return  # nobody wants to know of it, or its record is written
            claim = await self._ledger.claim(call_id)
            if not claim.ours:
                return
            written = False
            try:
                said = said or self._newest(call_id, left) or Conversation(call_id)
                over = self._lasted(call_id, about, over, left)
                written = await self._write(call_id, about, over, said, claim.tries)
            finally:
                self._settle(call_id, written)

    async def _write(
        self, call_id: str, about: About, over: Over, said: Conversation, tries: int
    ) -> bool:
        try:
            return await self._epilogue.ended(call_id, about, over, said, tries)
        except Exception:
            # Tried again it would fail again, and cost again.
            fields = {"call": call_id}
            logger.exception("a call's record failed inside the bot", extra={"fields": fields})
            return True

    def _lasted(self, call_id: str, about: About, over: Over, left: Left) -> Over:
        """With the length by the carrier's clock, or else by ours."""
        if over.duration_s is not None or over.reason == UNKNOWN:
            return over
        carrier = self._over.get(call_id) or read(left.over, Over)
        if carrier is not None and carrier.duration_s is not None:
            return Over(over.reason, carrier.duration_s)
        return Over(over.reason, max(0, round(self._now_s() - about.began_s)))

    def _newest(self, call_id: str, left: Left) -> Conversation | None:
        """What was said here, unless another worker has carried the call since."""
        here = self._said.get(call_id)
        if left.said is not None and (here is None or packed(here) != left.said):
            return unpacked(left.said)
        snapshot = read(left.state, Snapshot)
        return here or (None if snapshot is None else of_snapshot(snapshot))

    def _settle(self, call_id: str, written: bool) -> None:
        if not written:
            self._ledger.give_back(call_id)
            return
        self._ledger.done(call_id)
        for kept in (self._abouts, self._said, self._over):
            kept.pop(call_id, None)
        self._alone_since_s.pop(call_id, None)

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work, name="after a call")
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("after a call something failed inside the bot", exc_info=error)


def _remember(kept: "OrderedDict[str, T]", call_id: str, value: T) -> None:
    kept[call_id] = value
    kept.move_to_end(call_id)
    while len(kept) > _MOST_KEPT:
        kept.popitem(last=False)
