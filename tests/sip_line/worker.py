"""A worker made for tests: takes the line's WebSocket, keeps what comes, says what it is told."""

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

PATIENCE_S = 60.0


class WorkerCall:
    """One call as the worker sees it."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []
        self.heard = b""
        self.frame_lengths: set[int] = set()
        self._changed = asyncio.Event()

    @property
    def variables(self) -> dict[str, str]:
        told: dict[str, str] = self.events[0]["channel_variables"]
        return told

    @property
    def keys(self) -> str:
        return "".join(event["digit"] for event in self.named("DTMF_END"))

    @property
    def close_code(self) -> int | None:
        return self.socket.close_code

    def named(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == name]

    async def say(self, sound: bytes) -> None:
        await self.socket.send(sound)

    async def command(self, name: str, **fields: str) -> None:
        await self.socket.send(json.dumps({"command": name, **fields}))

    async def until(self, true: Callable[[], object]) -> None:
        """Wait for something to be so. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def over(self) -> None:
        """Wait until the line has closed. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            await self.socket.wait_closed()

    def take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.heard += message
            self.frame_lengths.add(len(message))
        else:
            self.events.append(json.loads(message))
        self._changed.set()


Script = Callable[[WorkerCall], Awaitable[None]]


async def listen_only(_call: WorkerCall) -> None: ...


class Worker:
    """`calls` in the order in which they came."""

    def __init__(self, script: Script, echo: bool) -> None:
        self.script, self.echo = script, echo
        self.port = 0
        self.calls: list[WorkerCall] = []
        self.authorization: list[str] = []
        self.refuse_with: HTTPStatus | None = None

    async def has_calls(self, count: int) -> None:
        """Wait until so many calls have begun. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            while sum(bool(call.events) for call in self.calls) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/asterisk/media"

    def look(self, connection: ServerConnection, request: Request) -> Response | None:
        told = request.headers.get("Authorization", "")
        self.authorization.append(b64decode(told.removeprefix("Basic ")).decode() if told else "")
        if self.refuse_with is not None:
            return connection.respond(self.refuse_with, "")
        return None

    async def serve(self, socket: ServerConnection) -> None:
        call = WorkerCall(socket)
        self.calls.append(call)
        running = asyncio.create_task(self._run(call))
        try:
            async for message in socket:
                call.take(message)
                if self.echo and isinstance(message, bytes):
                    await socket.send(message)
        except ConnectionClosed:
            pass  # the call was cut off, which tests see by its close code
        finally:
            running.cancel()
            await asyncio.wait([running])

    async def _run(self, call: WorkerCall) -> None:
        await call.until(lambda: call.events)
        await self.script(call)


@asynccontextmanager
async def open_worker(
    script: Script = listen_only, *, echo: bool = False, subprotocol: str = "media"
) -> AsyncIterator[Worker]:
    worker = Worker(script, echo)
    async with serve(
        worker.serve,
        "127.0.0.1",
        0,
        subprotocols=[Subprotocol(subprotocol)],
        process_request=worker.look,
        max_size=None,
    ) as server:
        worker.port = next(iter(server.sockets)).getsockname()[1]
        yield worker
