"""The WebSocket to the worker, one for each call, as `chan_websocket` opens it."""

import asyncio
import base64
import logging
from collections.abc import Callable
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from app.sip_line.control import BINARY_MOST_BYTES
from app.sip_line.log import event

_log = logging.getLogger(__name__)

SUBPROTOCOL: Final = "media"
MOST_FRAMES_WAITING: Final = 50
"""A second of sound for a worker that reads slowly; what is older is dropped."""
CLOSE_S: Final = 2.0


class WorkerAwayError(Exception):
    """No worker takes the call: it cannot be reached, refuses, or speaks something else."""


class WorkerSocket:
    """Writes never wait: they are queued, and sound is dropped before it is old."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._outgoing: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._frames_waiting = 0

    @classmethod
    async def open(
        cls, url: str, user: str, password: str, timeout_s: float, connection_id: str
    ) -> "WorkerSocket":
        """Connect. Raises `WorkerAwayError`."""
        headers = {}
        if user:
            words = base64.b64encode(f"{user}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {words}"
        try:
            async with asyncio.timeout(timeout_s):
                connection = await connect(
                    url,
                    subprotocols=[Subprotocol(SUBPROTOCOL)],
                    additional_headers=headers,
                    user_agent_header=None,
                    compression=None,
                    max_size=BINARY_MOST_BYTES,
                    close_timeout=CLOSE_S,
                    proxy=None,
                )
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, EOFError) as error:
            raise WorkerAwayError(type(error).__name__) from error
        if connection.subprotocol != SUBPROTOCOL:
            await connection.close(1002)
            raise WorkerAwayError(f"expected the subprotocol {SUBPROTOCOL}")
        return cls(connection)

    def tell(self, text: str) -> None:
        """Queue a control message."""
        self._outgoing.put_nowait(text)

    def hear(self, frame: bytes) -> None:
        """Queue a frame of the caller's sound, or drop it where the worker does not read."""
        if self._frames_waiting < MOST_FRAMES_WAITING:
            self._frames_waiting += 1
            self._outgoing.put_nowait(frame)

    async def run(self, take: Callable[[str | bytes], None]) -> None:
        """Write what is queued and give what comes to `take`, until the connection is closed."""
        writer = asyncio.create_task(self._write())
        try:
            async for message in self._connection:
                take(message)
        except ConnectionClosed as closed:
            if closed.sent is not None and closed.sent.code == 1009:
                event(
                    _log,
                    logging.WARNING,
                    "the worker sent a message that is too long",
                    most_bytes=BINARY_MOST_BYTES,
                )
        finally:
            writer.cancel()
            await asyncio.wait([writer])

    async def _write(self) -> None:
        while True:
            message = await self._outgoing.get()
            if isinstance(message, bytes):
                self._frames_waiting -= 1
            try:
                await self._connection.send(message)
            except ConnectionClosed:
                return

    async def close(self) -> None:
        """End with 1000 and no farewell, as Asterisk does."""
        await self._connection.close(1000)
