"""The way out: events become frames here, in the order in which they were emitted.

Emitting never waits, so whoever handles a client event or a timer is done at once; one writer
task per session empties the queue into the socket.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from app.lab.realtime.ids import Ids
from app.lab.realtime.log import LoggedError, ServerFrame, SessionLog
from app.lab.realtime.nonsense import Garbler
from app.lab.realtime.refusals import RequestRefused


@dataclass(frozen=True, slots=True)
class CloseSocket:
    """Close with this code once everything emitted before has been sent."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Frame:
    type: str
    payload: bytes
    text: bool = True


Outgoing: TypeAlias = Frame | CloseSocket


class Outbox:
    def __init__(self, log: SessionLog, ids: Ids, garbler: Garbler) -> None:
        self._log = log
        self._ids = ids
        self._garbler = garbler
        self._queue: asyncio.Queue[Outgoing] = asyncio.Queue()
        self._encode = msgspec.json.Encoder().encode
        self._flowing = asyncio.Event()
        self._flowing.set()

    def emit(self, type_: str, **fields: Any) -> None:
        self.put(type_, self._encode({"type": type_, "event_id": self._ids.event(), **fields}))

    def emit_prepared(self, type_: str, head: bytes, tail: bytes) -> None:
        """The media path: `head` and `tail` are JSON around the event id, made once an item."""
        self.put(type_, b"%b%b%b" % (head, self._ids.event().encode(), tail))

    def put(self, type_: str, payload: bytes) -> None:
        for frame in self._garbler.pass_on(type_, payload):
            self._queue.put_nowait(Frame(*frame))

    def refuse(self, refusal: RequestRefused, event_id: str | None) -> None:
        self._log.errors.append(
            LoggedError(time.monotonic(), refusal.code, refusal.message, event_id)
        )
        self.emit("error", error=refusal.payload(event_id))

    def close(self, code: int, reason: str) -> None:
        self._queue.put_nowait(CloseSocket(code, reason))

    def hold(self) -> None:
        """Send nothing until `release`; what is emitted meanwhile waits."""
        self._flowing.clear()

    def release(self) -> None:
        self._flowing.set()

    async def write(
        self,
        send: Callable[[bytes, bool], Awaitable[None]],
        close: Callable[[int, str], Awaitable[None]],
    ) -> None:
        """Empty the queue for ever, or until a close was asked for. `send`: payload, is text."""
        while True:
            out = await self._queue.get()
            await self._flowing.wait()
            if isinstance(out, CloseSocket):
                await close(out.code, out.reason)
                return
            self._log.sent.append(ServerFrame(time.monotonic(), out.type, out.payload))
            await send(out.payload, out.text)
