"""A Redis server for `bench.digits`, and everything that was ever said to it."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from app.live.server import find_server

START_S: Final = 20.0
_TIME: Final = re.compile(r"\A\+?[0-9]+\.[0-9]{6} ")


@dataclass(slots=True)
class Witness:
    """`said`: all commands that reached the server, as MONITOR shows them."""

    url: str
    said: list[str] = field(default_factory=list)

    async def kept(self) -> list[str]:
        """Every key with its value, as they stand now."""
        found: list[str] = []
        async with Redis.from_url(self.url) as client:
            async for key in client.scan_iter(count=1_000):
                kind = str(await client.type(key)).strip("b'")
                if kind == "none":
                    continue  # it has expired meanwhile
                read = {
                    "string": ("GET", key),
                    "hash": ("HGETALL", key),
                    "zset": ("ZRANGE", key, 0, -1, "WITHSCORES"),
                    "list": ("LRANGE", key, 0, -1),
                    "set": ("SMEMBERS", key),
                }[kind]
                found.append(f"{key!r} {await _said(client, read)!r}")
        return found


@asynccontextmanager
async def witnessed_redis() -> AsyncIterator[Witness]:
    """Raises RuntimeError where no server is installed."""
    binary = find_server()
    if binary is None:
        raise RuntimeError("needs redis-server or valkey-server on the PATH")
    folder = Path(tempfile.mkdtemp(prefix="earshot-digits-"))
    socket = folder / "redis.sock"
    options = ("--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", "")
    quiet = asyncio.subprocess.DEVNULL
    server = await asyncio.create_subprocess_exec(str(binary), *options, stdout=quiet)
    listening = None
    try:
        await _answers(f"unix://{socket}")
        witness = Witness(f"unix://{socket}")
        reader, writer = await asyncio.open_unix_connection(str(socket), limit=2**26)
        writer.write(b"MONITOR\r\n")
        listening = asyncio.create_task(_listen(reader, witness))
        yield witness
        writer.close()
    finally:
        if listening is not None:
            listening.cancel()
        server.terminate()
        await server.wait()
        shutil.rmtree(folder)


async def _said(client: Redis, command: tuple[object, ...]) -> object:
    return await client.execute_command(*command)  # type: ignore[no-untyped-call]


async def _answers(url: str) -> None:
    async with asyncio.timeout(START_S), Redis.from_url(url) as client:
        while True:
            try:
                await client.ping()
                return
            except OSError:
                await asyncio.sleep(0.02)
            except Exception as error:  # the package's own kinds are no OSError
                if type(error).__name__ != "ConnectionError":
                    raise
                await asyncio.sleep(0.02)


async def _listen(reader: asyncio.StreamReader, witness: Witness) -> None:
    while line := await reader.readline():
        # MONITOR puts its own time in front, to the microsecond: among so many, some look like
        # a piece of a card number. Nobody said them.
        witness.said.append(_TIME.sub("", line.decode("utf-8", "replace")))
