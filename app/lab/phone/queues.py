"""Call queues: <Enqueue> waits in them, <Dial><Queue> takes the one who waited longest."""

import asyncio
import time
from dataclasses import dataclass, field

from app.lab.phone.call import LiveCall
from app.lab.phone.course import TwimlSource
from app.lab.phone.identity import new_sid
from app.lab.phone.room import Bridge

DEFAULT_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Taken:
    """Somebody has dialled the queue and gets this call."""

    bridge: Bridge
    by_call_sid: str
    first: TwimlSource | None = None
    """What the queued person hears before."""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the queued person has heard it."""


@dataclass(eq=False, slots=True)
class QueuedCall:
    call: LiveCall
    taken: "asyncio.Future[Taken]"
    since_s: float = field(default_factory=time.monotonic)

    @property
    def waited_s(self) -> int:
        return round(time.monotonic() - self.since_s)


@dataclass(eq=False, slots=True)
class CallQueue:
    name: str
    sid: str = field(default_factory=lambda: new_sid("QU"))
    waiting: list[QueuedCall] = field(default_factory=list)
    max_size: int = DEFAULT_SIZE
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def join(self, call: LiveCall) -> QueuedCall | None:
        """None when it is full."""
        if len(self.waiting) >= self.max_size:
            return None
        one = QueuedCall(call, asyncio.get_running_loop().create_future())
        self.waiting.append(one)
        self._news.set()
        return one

    def leave(self, one: QueuedCall) -> None:
        if one in self.waiting:
            self.waiting.remove(one)

    async def take(self, taken: Taken) -> QueuedCall:
        """The first one, once there is one."""
        while not self.waiting:
            self._news.clear()
            await self._news.wait()
        one = self.waiting.pop(0)
        one.taken.set_result(taken)
        return one

    def describe(self, one: QueuedCall) -> dict[str, str]:
        """What waiting TwiML is told."""
        return {
            "QueueSid": self.sid,
            "QueuePosition": str(self.waiting.index(one) + 1 if one in self.waiting else 0),
            "QueueTime": str(one.waited_s),
            "CurrentQueueSize": str(len(self.waiting)),
            "AvgQueueTime": str(one.waited_s),
            "MaxQueueSize": str(self.max_size),
        }


@dataclass(slots=True)
class Queues:
    by_name: dict[str, CallQueue] = field(default_factory=dict)

    def named(self, name: str) -> CallQueue:
        """A queue comes into being when it is first named."""
        return self.by_name.setdefault(name, CallQueue(name))
