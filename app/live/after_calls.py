"""What all workers must agree on when a call is over: that its record is written, and once.

Fits `app.after.ports.Ledger`. Which calls still need one outlives their workers: any other worker
finds them. A claim expires, so that a worker that died while it wrote the record is replaced.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from app.live import names
from app.live.asking import Asker, Command, RedisAwayError
from app.live.outbox import Outbox
from app.live.waiting import Op

logger = logging.getLogger(__name__)

MOST_PENDING: Final = 200
"""Calls that one look at what is due is about."""
MOST_REMEMBERED: Final = 10_000
_DONE: Final = b"done"


@dataclass(frozen=True, slots=True)
class Claim:
    """`ours`: nobody else does it. `tries`: how many workers have begun it, this one included."""

    ours: bool
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Left:
    """What the workers that carried a call have left of it; None: nothing, or Redis is away."""

    about: bytes | None = None
    said: bytes | None = None
    over: bytes | None = None
    state: bytes | None = None
    """As `LiveCalls` has it."""


@dataclass(frozen=True, slots=True)
class Due:
    """A call whose record is not written, and that nobody writes now."""

    call_id: str
    about: bytes
    news_s: float
    """Unix seconds of its newest news."""
    carried: bool
    """A worker has a stream of it."""
    over: bytes | None


class AfterLedger:
    """With Redis away each process is on its own. `now_s`: Unix seconds."""

    def __init__(
        self, asker: Asker, outbox: Outbox, now_s: Callable[[], float] = time.time
    ) -> None:
        self._asker = asker
        self._outbox = outbox
        self._now_s = now_s
        self._claimed: OrderedDict[str, None] = OrderedDict()
        """By this process, done or under way."""

    def note(self, call_id: str, about: bytes) -> None:
        """There is news of a call whose record is to be written; never waits."""
        self._outbox.put(
            f"after:{call_id}",
            Op(
                (
                    ("ZADD", names.AFTER, self._now_s(), call_id),
                    ("HSET", names.AFTER_ABOUT, call_id, about),
                )
            ),
        )

    def keep(self, call_id: str, said: bytes) -> None:
        """What was said, until the record is written; never waits."""
        write = ("SET", names.after_said(call_id), said, "EX", names.AFTER_SAID_TTL_S)
        self._outbox.put(f"said:{call_id}", Op((write,)))

    def mark_over(self, call_id: str, how: bytes) -> None:
        """The carrier says that the call is over; never waits."""
        write = ("SET", names.after_over(call_id), how, "EX", names.AFTER_OVER_TTL_S)
        self._outbox.put(f"over:{call_id}", Op((write,)))

    async def claim(self, call_id: str) -> Claim:
        """Ask before writing a call's record; waits 0.5 s at most."""
        if call_id in self._claimed:
            return Claim(False)
        self._claimed[call_id] = None
        while len(self._claimed) > MOST_REMEMBERED:
            self._claimed.popitem(last=False)
        tries_key = names.after_tries(call_id)
        begin = ("SET", names.after_claim(call_id), b"begun", "EX", names.AFTER_CLAIM_TTL_S, "NX")
        try:
            if not await self._asker.ask(*begin):
                self._claimed.pop(call_id, None)  # that one may die of it
                return Claim(False)
            tries, _ = await self._asker.ask_all(
                [("INCR", tries_key), ("EXPIRE", tries_key, names.AFTER_TTL_S)], atomic=True
            )
        except RedisAwayError:
            return Claim(True)
        return Claim(True, int(tries))

    async def left(self, call_id: str) -> Left:
        """Waits 0.5 s at most."""
        keys = (names.after_said(call_id), names.after_over(call_id), names.state(call_id))
        try:
            about, *values = await self._asker.ask_all(
                [("HGET", names.AFTER_ABOUT, call_id), *(("GET", key) for key in keys)]
            )
        except RedisAwayError:
            return Left()
        return Left(about, *values)

    def done(self, call_id: str) -> None:
        """The record is written: nobody does it again, and what was kept for it goes."""
        self._outbox.put(f"said:{call_id}", Op((("DEL", names.after_said(call_id)),)))
        self._outbox.put(f"over:{call_id}", Op((("DEL", names.after_over(call_id)),)))
        write = ("SET", names.after_claim(call_id), _DONE, "EX", names.AFTER_TTL_S)
        self._outbox.put(f"after-done:{call_id}", Op((write,)))
        self._forget(call_id)

    def give_back(self, call_id: str) -> None:
        """It could not be done here and now; somebody tries again later."""
        self._claimed.pop(call_id, None)
        self._outbox.put(f"after-done:{call_id}", Op((("DEL", names.after_claim(call_id)),)))

    async def due(self, quiet_s: float) -> list[Due]:
        """Calls without a record and without news for so long; empty when Redis is away."""
        now_s = self._now_s()
        try:
            found = await self._asker.ask(
                *("ZRANGEBYSCORE", names.AFTER, "-inf", now_s - quiet_s, "WITHSCORES"),
                *("LIMIT", 0, MOST_PENDING),
            )
            pairs = [(member.decode(), float(score)) for member, score in _pairs(found)]
            looked = await self._asker.ask_all([c for call_id, _ in pairs for c in _look(call_id)])
        except RedisAwayError:
            return []
        due = []
        for index, (call_id, news_s) in enumerate(pairs):
            about, owner, claim, over = looked[4 * index : 4 * index + 4]
            if claim == _DONE or about is None or news_s < now_s - names.AFTER_TTL_S:
                self._forget(call_id)
            elif claim is None:
                due.append(Due(call_id, about, news_s, owner is not None, over))
        return due

    def _forget(self, call_id: str) -> None:
        gone = (("ZREM", names.AFTER, call_id), ("HDEL", names.AFTER_ABOUT, call_id))
        self._outbox.put(f"after:{call_id}", Op(gone))


def _look(call_id: str) -> list[Command]:
    return [
        ("HGET", names.AFTER_ABOUT, call_id),
        ("GET", names.owner(call_id)),
        ("GET", names.after_claim(call_id)),
        ("GET", names.after_over(call_id)),
    ]


def _pairs(reply: list[Any]) -> list[tuple[bytes, float]]:
    """Redis-py gives pairs, or what it was sent, by the command's form and its version."""
    if reply and isinstance(reply[0], bytes):
        return [(reply[i], float(reply[i + 1])) for i in range(0, len(reply), 2)]
    return [(member, float(score)) for member, score in reply]
