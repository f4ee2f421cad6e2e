"""A small OpenAI Realtime endpoint on a real socket, for the tests of the adapter only.

It speaks the opening of a GA session (session.created, session.updated echoing what was asked) and
then does what the test's script says. It keeps every client event it was sent.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeAlias

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Script: TypeAlias = Callable[["OpenAIServer", ServerConnection], Awaitable[None]]

PCM = {"type": "audio/pcm", "rate": 24000}
SESSION: dict[str, Any] = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "sess_1",
    "model": "gpt-realtime-2.1",
    "expires_at": 1790000000,
    "audio": {
        "input": {"format": PCM, "turn_detection": {"type": "server_vad"}},
        "output": {"format": PCM, "voice": "marin"},
    },
}


async def read_on(server: "OpenAIServer", socket: ServerConnection) -> None:
    """The plainest script: keep what comes until the client goes."""
    async for message in socket:
        server.keep(message)


@dataclass
class OpenAIServer:
    """What the endpoint does, and what it saw."""

    script: Script = read_on
    """Runs after the opening."""
    opening: Script | None = None
    """Replaces the opening when given."""
    echo: Callable[[dict[str, Any]], dict[str, Any]] = lambda session: session
    """What `session.updated` makes of the session that was asked for."""
    refusal: tuple[HTTPStatus, dict[str, Any]] | None = None
    """Answer the upgrade with this instead."""
    base_url: str = ""
    requests: list[Request] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def keep(self, message: str | bytes) -> None:
        assert isinstance(message, str), "client events are text frames"
        self.received.append(json.loads(message))
        self.arrived.set()

    async def wait_for(self, count: int) -> list[dict[str, Any]]:
        """The client events after the opening, once there are `count`."""
        async with asyncio.timeout(60):
            while len(self.received) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.received

    async def handle(self, socket: ServerConnection) -> None:
        try:
            await (self.opening or open_session)(self, socket)
            self.received.clear()
            await self.script(self, socket)
        except ConnectionClosed:
            return

    def answer_upgrade(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if self.refusal is None:
            return None
        status, body = self.refusal
        return connection.respond(status, json.dumps(body))


async def open_session(server: OpenAIServer, socket: ServerConnection) -> None:
    await say(socket, "session.created", session=SESSION)
    update = json.loads(await socket.recv())
    server.keep(json.dumps(update))
    merged = merge(deepcopy(SESSION), update["session"])
    await say(socket, "session.updated", session=server.echo(merged))


def merge(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    for key, value in change.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        base[key] = merge(base[key], value) if both and key != "format" else value
    return base


async def say(socket: ServerConnection, kind: str, **fields: Any) -> None:
    await socket.send(json.dumps({"type": kind, "event_id": "event_1", **fields}))


@asynccontextmanager
async def running(server: OpenAIServer) -> AsyncIterator[OpenAIServer]:
    """Serve on a free loopback port while the block runs."""
    async with serve(
        server.handle,
        "127.0.0.1",
        0,
        process_request=server.answer_upgrade,
        max_queue=4,
        close_timeout=0.2,
    ) as listener:
        port = next(iter(listener.sockets)).getsockname()[1]
        server.base_url = f"http://127.0.0.1:{port}/v1"
        yield server
