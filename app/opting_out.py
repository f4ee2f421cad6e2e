"""People who want no more calls: however they say so, they are on the list before they are told."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from app.bridge.call_bridge import CallBridge
from app.call.call import Call
from app.call.commands import Command
from app.call.events import DeadlineReached, Event, Prompted
from app.gate import Gate
from app.observe.log import event
from app.policy.verdicts import Allowed
from app.records.do_not_call import DoNotCall, Entry, Source
from app.text.opt_outs import OptOuts

logger = logging.getLogger(__name__)

KEY: Final = "9"
ACTION: Final = "do_not_call"
"""Of the decision, by which the call's evidence shows it."""
SAY: Final = (
    "The person pressed 9: they want no more calls, and are on the list already. Tell them in one "
    "short sentence that they will not be called again, say goodbye, and end the call."
)


class OptingOut:
    """One per worker. A refusal to be called is one of text messages too."""

    def __init__(self, listed: DoNotCall, texts: OptOuts, gate: Gate) -> None:
        self._listed = listed
        self._texts = texts
        self._gate = gate

    async def said(self, number: str, call_id: str, agent: str) -> bool:
        """To an agent, who tells the list by a tool. False: it could not be kept anywhere."""
        return await self._out(number, "spoken", call_id, agent)

    async def pressed(self, number: str, call_id: str, agent: str) -> bool:
        """The key, in a call of ours."""
        return await self._out(number, "key", call_id, agent)

    async def wrote(self, number: str) -> None:
        """STOP, in a text message."""
        await self._keep(Entry(number, "sms", _now_ms()))

    async def _out(self, number: str, source: Source, call_id: str, agent: str) -> bool:
        kept = await self._keep(Entry(number, source, _now_ms(), call_id))
        if kept:
            by = "model" if source == "spoken" else "caller"
            self._gate.decided(call_id, ACTION, number, Allowed(), by)
            await self._texts.out(number, "call")
        return kept

    async def _keep(self, entry: Entry) -> bool:
        try:
            await self._listed.add(entry)
        except OSError as error:
            why = error.strerror or type(error).__name__
            event(logger, logging.ERROR, "a do-not-call entry is kept nowhere", error=why)
            return False
        return True


class OptOutKey:
    """An `Observer` of one call that we placed: the key that ends all calls.

    `pressed` keeps it. A key that the agent asked for, or that belongs to a longer entry, is none.
    """

    def __init__(self, pressed: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        self._pressed = pressed
        self._bridge: CallBridge | None = None
        self._task: asyncio.Task[None] | None = None

    def watch(self, bridge: CallBridge) -> None:
        self._bridge = bridge

    def step(self, call: Call, event: Event, commands: list[Command], now_ms: int) -> None:
        """See `app.bridge.ports.Observer`."""
        due = isinstance(event, DeadlineReached) and self._task is None
        if due and call.keypad.taken == (now_ms, KEY):
            self._task = asyncio.get_running_loop().create_task(self._opt_out())

    async def _opt_out(self) -> None:
        if await self._pressed() and self._bridge is not None:
            self._bridge.prompt(Prompted("opt_out", SAY))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
