"""Writes that wait for Redis, so that no call ever does.

Whoever has something to write puts it here and goes on. One task a process sends what has gathered,
at most 200 ms later (at once when somebody waits for it), in transactions of one slot each. While
Redis is away everything waits, the newest write of each kind only. A transaction whose reply was
lost is sent again, so writes must bear being done twice (a counter then counts twice).
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.live.asking import Command, within
from app.live.names import slot_tag
from app.live.waiting import Op, Waiting

logger = logging.getLogger(__name__)

MOST_WAITING: Final = 10_000
GATHER_S: Final = 0.2
FLUSH_LOOK_S: Final = 0.005
BATCH: Final = 100
"""Ops taken at a time: one transaction of so many holds up the event loop for about 2 ms."""
SEND_S: Final = 1.0
FIRST_RETRY_S: Final = 0.1
LONGEST_RETRY_S: Final = 2.0
_PASSING: Final = frozenset(
    {"OOM", "READONLY", "MISCONF", "LOADING", "NOREPLICAS", "CLUSTERDOWN", "MASTERDOWN"}
    | {"TRYAGAIN", "BUSY", "NOAUTH"}
)
"""Refusals that speak of Redis's state, not of the command: an operator mends them."""


class _AwayError(Exception):
    """What was sent may or may not have been done; `__cause__` says why."""


class Outbox:
    """Belongs to one event loop. `run` is its task; `now_s`: any monotonic clock."""

    def __init__(
        self,
        redis: Redis,
        *,
        most: int = MOST_WAITING,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._now_s = now_s
        self._ops = Waiting(most)
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        """Somebody waits until all is written."""
        self._closing = asyncio.Event()
        self._finished = asyncio.Event()
        self._away_at_s: float | None = None
        self.writes = 0
        """Ops that Redis has acknowledged."""

    @property
    def waiting(self) -> int:
        """Ops that Redis has not acknowledged."""
        return len(self._ops)

    @property
    def dropped(self) -> int:
        """Ops given up: too many waited, Redis refused them for good, or the end came first."""
        return self._ops.dropped

    @property
    def away_since_s(self) -> float | None:
        """For how many seconds Redis has taken no writes. None: it took the last ones."""
        return None if self._away_at_s is None else self._now_s() - self._away_at_s

    def put(self, key: str, op: Op) -> None:
        """Write soon. An op that waits under the same key is replaced, or joined if `op` says how.

        Never waits and never raises.
        """
        self._ops.put(key, op)
        if self._finished.is_set():
            self._ops.drop_all()
        self._wake.set()

    async def run(self) -> None:
        """Send what waits, until `close` was called and nothing waits, or until cancelled."""
        retry_s = FIRST_RETRY_S
        while not (self._closing.is_set() and not self._ops):
            await self._wake.wait()
            await self._pause(GATHER_S, self._hurry)
            self._wake.clear()
            self._hurry.clear()
            if await self._flush():
                retry_s = FIRST_RETRY_S
                continue
            self._wake.set()
            await self._pause(retry_s, self._closing)
            retry_s = min(retry_s * 2, LONGEST_RETRY_S)
            if self._closing.is_set():
                await asyncio.sleep(FIRST_RETRY_S)
        self._finished.set()

    async def flushed(self, limit_s: float) -> bool:
        """Wait until nothing waits; False when that took longer than `limit_s`."""
        self._hurry.set()
        try:
            async with asyncio.timeout(limit_s):
                while self._ops:  # noqa: ASYNC110 - asked before a tool runs, at a call's end
                    await asyncio.sleep(FLUSH_LOOK_S)
        except TimeoutError:
            return False
        return True

    async def close(self, timeout_s: float) -> None:
        """Send what can be sent in this time and give up the rest; `run` must be running."""
        self._closing.set()
        self._hurry.set()
        self._wake.set()
        try:
            async with asyncio.timeout(timeout_s):
                await self._finished.wait()
        except TimeoutError:
            self._finished.set()
            fields = {"writes": self._ops.drop_all(), "waited_s": timeout_s}
            logger.error("not written: Redis is away at the end", extra={"fields": fields})

    @staticmethod
    async def _pause(wait_s: float, cut_short: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(wait_s):
                await cut_short.wait()
        except TimeoutError:
            return

    async def _flush(self) -> bool:
        """Send what waits now. False: Redis is away, and all is kept."""
        for _ in range(0, len(self._ops), BATCH):
            ops = self._ops.take(BATCH)
            try:
                for group in _by_slot(ops):
                    await self._send(group)
            except _AwayError as error:
                self._went_away(error)
                return False
            finally:
                self._ops.back()
        self._came_back()
        return True

    async def _send(self, ops: Mapping[str, Op]) -> None:
        """One transaction. If it is refused, one for each op: a bad one harms no other."""
        refusal = await self._transact(ops.values())
        if refusal is not None and len(ops) > 1:
            for key, op in ops.items():
                await self._send({key: op})
            return
        self._ops.sent(ops)
        if refusal is None:
            self.writes += len(ops)
            return
        self._ops.dropped += 1
        command = next(iter(ops.values())).commands[0][0]
        fields = {"error": refusal, "command": command}
        logger.error("Redis refused a write for good", extra={"fields": fields})

    async def _transact(self, ops: Iterable[Op]) -> str | None:
        """None, or the code of a refusal that another try will not change.

        Raises `_AwayError`.
        """
        commands = [command for op in ops for command in op.commands]
        try:
            replies = await within(SEND_S, self._replies(commands))
        except (RedisConnectionError, RedisTimeoutError, TimeoutError, OSError) as error:
            raise _AwayError from error
        except RedisError as error:
            replies = [error]
        except UnicodeError:
            return "UNENCODABLE"
        for reply in replies:
            if isinstance(reply, RedisError):
                code = _code(reply)
                if isinstance(reply, RedisConnectionError) or code in _PASSING:
                    raise _AwayError from reply
                return code
        return None

    async def _replies(self, commands: Sequence[Command]) -> list[Any]:
        async with self._redis.pipeline(transaction=len(commands) > 1) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            return list(await pipeline.execute(raise_on_error=False))

    def _went_away(self, error: _AwayError) -> None:
        if self._away_at_s is not None:
            return
        self._away_at_s = self._now_s()
        fields = {"error": type(error.__cause__).__name__}
        logger.warning("Redis is away; calls go on, writes wait", extra={"fields": fields})

    def _came_back(self) -> None:
        if self._away_at_s is None:
            return
        away_s = round(self._now_s() - self._away_at_s, 3)
        self._away_at_s = None
        fields = {"away_s": away_s, "dropped": self.dropped}
        logger.warning("Redis is back; what waited is written", extra={"fields": fields})


def _by_slot(ops: Mapping[str, Op]) -> list[dict[str, Op]]:
    """Ops whose keys hash to one slot together, in order: a cluster takes no other transaction."""
    groups: dict[str, dict[str, Op]] = {}
    for key, op in ops.items():
        groups.setdefault(slot_tag(str(op.commands[0][1])), {})[key] = op
    return list(groups.values())


def _code(error: RedisError) -> str:
    """An error reply's first word. redis-py takes it off where it has a type of its own for it,
    and in a pipeline puts the command before it, which holds what nobody may read in a log."""
    known = _CODE_OF_TYPE.get(type(error).__name__)
    if known is not None:
        return known
    reply = str(error).rpartition("caused error: ")[2]
    code = _CODE.match(reply)
    return code.group(1) if code else type(error).__name__


_CODE: Final = re.compile(r"\W*([A-Z]{2,20})\b")
_CODE_OF_TYPE: Final = {
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "BusyLoadingError": "LOADING",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
    "TryAgainError": "TRYAGAIN",
}
