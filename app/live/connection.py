"""Which Redis a process uses: the configured one, a private one, or memory of its own."""

import inspect
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from fakeredis import FakeAsyncRedis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.live.asking import Asker, RedisAwayError
from app.live.server import PrivateServer, PrivateServerError, find_server

logger = logging.getLogger(__name__)

Where: TypeAlias = Literal["configured", "private", "here"]

CONNECT_S: Final = 1.0
CONNECTIONS: Final = 32
"""Per process. Who comes when all are in use waits `FREE_S` and gives up as if Redis were away."""
FREE_S: Final = 1.0
PING_S: Final = 2.0
SCHEMES: Final = ("redis", "rediss", "unix")


@dataclass(frozen=True, slots=True)
class Connection:
    """`client` gives bytes and waits without limit: ask through an `Asker`.

    `url` may hold a password: never log it. It is "" for `here`.
    """

    client: Redis
    where: Where
    url: str
    note: str
    """One line for the operator."""


@asynccontextmanager
async def open_redis(url: str, data_dir: Path) -> AsyncIterator[Connection]:
    """The Redis at `url`; without one a private server, else memory of this process.

    A configured Redis that does not answer is no reason not to start. Raises `ValueError` when
    `url` is none of a Redis.
    """
    if url:
        async with _configured(url) as connection:
            yield connection
        return
    binary = find_server()
    if binary is None:
        async with _here("no redis-server on the PATH") as connection:
            yield connection
        return
    server = PrivateServer(binary, data_dir)
    try:
        await server.__aenter__()
    except (PrivateServerError, OSError) as error:
        async with _here(f"{binary.name} does not start ({error})") as connection:
            yield connection
        return
    try:
        async with _client(server.url) as client:
            note = f"Redis: a private {binary.name} with its files in {data_dir / 'redis'}"
            yield Connection(client, "private", server.url, note)
    finally:
        await server.__aexit__(None, None, None)


@asynccontextmanager
async def _configured(url: str) -> AsyncIterator[Connection]:
    try:
        parts = urlsplit(url)
        place = parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"
    except ValueError:
        parts, place = urlsplit(""), ""
    if parts.scheme not in SCHEMES:
        raise ValueError("expected a redis://, rediss:// or unix:// address as REDIS_URL")
    async with _client(url) as client:
        note = f"Redis: {place}"
        try:
            await Asker(client).ask("PING", limit_s=PING_S)
        except RedisAwayError as error:
            note += f" does not answer ({error}); calls go on, what they write waits for it"
            logger.warning("the configured Redis does not answer")
        yield Connection(client, "configured", url, note)


@asynccontextmanager
async def _here(why: str) -> AsyncIterator[Connection]:
    client = FakeAsyncRedis(decode_responses=False)
    note = (
        f"Redis: none ({why}). State is kept in this process and dies with it: a call does not "
        "outlive its worker, and workers share nothing. Set REDIS_URL or install redis-server"
    )
    try:
        yield Connection(client, "here", "", note)
    finally:
        await client.aclose()
        await client.connection_pool.disconnect()


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[Redis]:
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=FREE_S,
        socket_connect_timeout=CONNECT_S,
        # Asker and Outbox limit what they do. redis-py's own limit uses asyncio.wait_for, which
        # before Python 3.12 can swallow a cancellation: then a task that was told to end goes on.
        socket_timeout=None,
        health_check_interval=15,
        # Who asks has something else to do than to wait; the outbox tries again by itself.
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        decode_responses=False,
        **_no_introduction(),
    )
    client = Redis(connection_pool=pool)
    try:
        yield client
    finally:
        await client.aclose()
        await pool.disconnect()


def _no_introduction() -> dict[str, Any]:
    """Options that keep redis-py from CLIENT SETINFO, which Redis 6.2 does not know."""
    known = inspect.signature(AbstractConnection.__init__).parameters
    if "driver_info" in known:
        return {"driver_info": None}
    return {"lib_name": None, "lib_version": None}
