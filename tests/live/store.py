"""A store under test: a client, its outbox at work, and hands on the server behind it."""

import asyncio
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from app.live.asking import Asker, P, T
from app.live.connection import open_redis
from app.live.outbox import Outbox
from tests.live.redis_fixture import RedisProcess

PATIENCE = 6
"""A machine that does much else is slow to answer, and no test is about how slow."""


class PatientAsker(Asker):
    async def _limited(
        self, limit_s: float, work: Callable[P, Awaitable[T]], *args: P.args, **named: P.kwargs
    ) -> T:
        return await super()._limited(limit_s * PATIENCE, work, *args, **named)


class Clock:
    """Unix seconds, moved by hand."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass(frozen=True, slots=True)
class Store:
    redis: Redis
    asker: Asker
    outbox: Outbox

    async def settle(self) -> None:
        """All that was put is written."""
        await until(lambda: self.outbox.waiting == 0)


@asynccontextmanager
async def store_on(redis: Redis) -> AsyncIterator[Store]:
    store = Store(redis, PatientAsker(redis), Outbox(redis))
    task = asyncio.create_task(store.outbox.run())
    try:
        yield store
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def store_at(process: RedisProcess) -> AsyncIterator[Store]:
    """Another worker's view of the same Redis."""
    async with open_redis(process.url, Path()) as connection, store_on(connection.client) as store:
        yield store


async def until(condition: Callable[[], bool]) -> None:
    """Returns as soon as it holds; a test that waits in vain fails after 20 s."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - conditions have no event
            await asyncio.sleep(0.005)


@asynccontextmanager
async def monitored(process: RedisProcess) -> AsyncIterator[list[list[str]]]:
    """The commands that the server is given, as MONITOR shows them: name in capitals, arguments."""
    seen: list[list[str]] = []
    reader, writer = await asyncio.open_unix_connection(process.url.removeprefix("unix://"))

    async def listen() -> None:
        while line := (await reader.readline()).decode():
            _, found, words = line.partition("] ")
            if found:
                name, *arguments = shlex.split(words)
                seen.append([name.upper(), *arguments])

    writer.write(b"MONITOR\r\n")
    assert await reader.readline() == b"+OK\r\n"
    task = asyncio.create_task(listen())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.wait([task])
        writer.close()
        await writer.wait_closed()
