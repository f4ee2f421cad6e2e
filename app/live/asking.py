"""Asking Redis without ever waiting long for it.

A call goes on when Redis is away, so every question has a limit and an answer of its own for the
case that none comes: `RedisAwayError`. After a question that took its whole limit the next ones
fail at once for a moment, so that a hung Redis costs a webhook one wait and not five.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, ParamSpec, TypeAlias, TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError, WatchError

Arg: TypeAlias = str | bytes | int | float
Command: TypeAlias = tuple[Arg, ...]
"""A Redis command's name, its key, its arguments."""

ASK_S: Final = 0.5
"""Longest wait for an answer that a caller's ear may depend on."""
PAUSE_S: Final = 1.0
"""How long questions fail at once after one that went unanswered."""


T = TypeVar("T")
P = ParamSpec("P")


class RedisAwayError(Exception):
    """Redis gave no answer: unreachable, too slow, or not in a state to serve. Nobody's call ends
    of it; who asks has something to go on with."""


async def within(limit_s: float, work: Awaitable[T]) -> T:
    """`asyncio.timeout` for libraries that may swallow a cancellation.

    Before Python 3.12 `asyncio.wait_for` does when what it waits for is ready in the same moment,
    and redis-py and fakeredis use it: a task that was told to end would go on for ever.
    Raises `TimeoutError`.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        async with asyncio.timeout(limit_s):
            return await work
    finally:
        if task and task.cancelling() > before:
            raise asyncio.CancelledError


class Asker:
    """Sends single commands and small groups. `now_s`: any monotonic clock."""

    def __init__(self, redis: Redis, now_s: Callable[[], float] = time.monotonic) -> None:
        self.redis = redis
        self._now_s = now_s
        self._paused_until_s = 0.0

    async def ask(self, *command: Arg, limit_s: float = ASK_S) -> Any:
        """The reply as redis-py gives it. Raises `RedisAwayError`."""
        return (await self.ask_all([command], limit_s=limit_s))[0]

    async def ask_all(
        self, commands: Sequence[Command], *, atomic: bool = False, limit_s: float = ASK_S
    ) -> list[Any]:
        """The replies to several commands in one round trip.

        `atomic`: as one transaction; then all keys must hash to one slot. Raises `RedisAwayError`,
        also when only one of the commands was refused.
        """
        return await self._limited(limit_s, self._send, commands, atomic)

    async def exchange(
        self, key: str, work: Callable[[], Awaitable[Sequence[Command]]], *, limit_s: float = ASK_S
    ) -> bool:
        """Read, decide and write as one: `work` asks what it likes and gives what is to be written.
        Nothing is, and it is False, when another has changed `key` since `work` began.

        Raises `RedisAwayError`; then it may have been written.
        """
        return await self._limited(limit_s, self._exchange, key, work)

    async def _limited(
        self, limit_s: float, work: Callable[P, Awaitable[T]], *args: P.args, **named: P.kwargs
    ) -> T:
        if self._now_s() < self._paused_until_s:
            raise RedisAwayError("Redis did not answer a moment ago")
        try:
            return await within(limit_s, work(*args, **named))
        except TimeoutError as error:
            self._paused_until_s = self._now_s() + PAUSE_S
            raise RedisAwayError(f"Redis did not answer within {limit_s:g} s") from error
        except (RedisError, OSError) as error:
            # Not chained: in a pipeline redis-py's message quotes what was to be written.
            raise RedisAwayError(f"Redis does not serve: {type(error).__name__}") from None

    async def _send(self, commands: Sequence[Command], atomic: bool) -> list[Any]:
        async with self.redis.pipeline(transaction=atomic and len(commands) > 1) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            return list(await pipeline.execute())

    async def _exchange(self, key: str, work: Callable[[], Awaitable[Sequence[Command]]]) -> bool:
        async with self.redis.pipeline(transaction=True) as pipeline:
            await pipeline.watch(key)
            # Asked on another connection: the watch stands already.
            commands = await work()
            if not commands:
                return True
            pipeline.multi()  # type: ignore[no-untyped-call]
            for command in commands:
                pipeline.execute_command(*command)
            try:
                await pipeline.execute()
            except WatchError:
                return False
            return True
