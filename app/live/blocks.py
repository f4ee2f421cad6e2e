"""Callers who are blocked for a while, and how often each has called lately, for all workers.

Callers stand here by digests, which the giver of numbers makes: no key and no value holds a number.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from app.live import names
from app.live.asking import Asker, RedisAwayError
from app.live.outbox import Outbox
from app.live.waiting import Op

logger = logging.getLogger(__name__)

MOST_HERE: Final = 10_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Block:
    """One caller who is blocked."""

    shown: str
    """What may be seen of the number."""
    until_s: float
    """Unix time; 0: until it is removed."""
    reason: str
    by: str

    def holds(self, now_s: float) -> bool:
        return not self.until_s or now_s < self.until_s


class Blocks:
    """With Redis away each process knows its own. `now_s`: Unix time."""

    def __init__(
        self, asker: Asker, outbox: Outbox, now_s: Callable[[], float] = time.time
    ) -> None:
        self._asker = asker
        self._outbox = outbox
        self._now_s = now_s
        self._here: OrderedDict[str, Block] = OrderedDict()
        self._calls: OrderedDict[str, list[float]] = OrderedDict()
        self._callers: OrderedDict[str, tuple[str, str]] = OrderedDict()

    # Blocking

    def add(self, digest: str, block: Block) -> None:
        """Written soon; never waits."""
        _bounded(self._here, digest, block)
        write = ("HSET", names.BLOCKED, digest, msgspec.json.encode(block))
        self._outbox.put(f"block:{digest}", Op((write,)))

    async def remove(self, digest: str) -> bool:
        """Whether there was one. Raises `RedisAwayError`."""
        self._here.pop(digest, None)
        return bool(await self._asker.ask("HDEL", names.BLOCKED, digest))

    async def find(self, digest: str) -> Block | None:
        """The block that holds now. With Redis away: of those made here."""
        try:
            found = _block(await self._asker.ask("HGET", names.BLOCKED, digest))
        except RedisAwayError:
            logger.warning("blocked callers are known of this process only: Redis is away")
            found = self._here.get(digest)
        if found is None or found.holds(self._now_s()):
            return found
        self._outbox.put(f"block:{digest}", Op((("HDEL", names.BLOCKED, digest),)))
        return None

    async def all(self) -> dict[str, Block]:
        """Those that hold now, by digest. Raises `RedisAwayError`."""
        kept = await self._asker.ask("HGETALL", names.BLOCKED)
        now_s = self._now_s()
        blocks = {digest.decode(): _block(value) for digest, value in kept.items()}
        return {digest: block for digest, block in blocks.items() if block and block.holds(now_s)}

    # Calling

    async def called(self, digest: str, call_id: str, window_s: int) -> int:
        """Count a call; how many this caller made within the window, this one included."""
        key, now_s = names.velocity(digest), self._now_s()
        recent = [at_s for at_s in self._calls.get(digest, []) if at_s > now_s - window_s]
        _bounded(self._calls, digest, [*recent, now_s][-1_000:])
        try:
            replies = await self._asker.ask_all(
                [
                    ("ZADD", key, now_s, call_id),
                    ("ZREMRANGEBYSCORE", key, "-inf", f"({now_s - window_s}"),
                    ("ZCARD", key),
                    ("EXPIRE", key, window_s),
                ]
            )
        except RedisAwayError:
            return len(recent) + 1
        return int(replies[2])

    # Who is calling, for whoever blocks them later

    def remember(self, call_id: str, digest: str, shown: str) -> None:
        _bounded(self._callers, call_id, (digest, shown))
        value = msgspec.json.encode((digest, shown))
        write = ("SET", names.caller(call_id), value, "EX", names.STATE_TTL_S)
        self._outbox.put(f"caller:{call_id}", Op((write,)))

    async def caller(self, call_id: str) -> tuple[str, str] | None:
        """Digest and what may be seen of the number; None: not known."""
        if call_id in self._callers:
            return self._callers[call_id]
        try:
            kept = await self._asker.ask("GET", names.caller(call_id))
        except RedisAwayError:
            return None
        return None if kept is None else msgspec.json.decode(kept, type=tuple[str, str])


def _bounded(kept: OrderedDict[str, T], key: str, value: T) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > MOST_HERE:
        kept.popitem(last=False)


def _block(kept: bytes | None) -> Block | None:
    try:
        return None if kept is None else msgspec.json.decode(kept, type=Block)
    except msgspec.DecodeError:
        return None
