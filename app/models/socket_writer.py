"""Writing to a WebSocket without waiting: the one place that reaches inside `websockets`.

`await socket.send(...)` may suspend, so the reader of the carrier's socket would wait for the
model. Here a message is framed and goes straight to the transport; while the transport is
paused, messages wait in a bounded queue that one task empties in order. Not waiting is the reason;
the price is a gain as well: 20 ms of audio cost 3.3 µs of CPU against 9 for `send` and about 180
for the SDK's append (bench/models_hot_path.py, Python 3.11, uvloop, 2026-11-21).

This uses attributes of `websockets.asyncio.connection.Connection` that its documentation does not
promise: `protocol`, `transport`, `paused`, `drain()`. `REQUIRED` lists them, and a test holds the
installed version to it. Frames are made here only because no extension was agreed on: `connect`
must be told `compression=None`.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from websockets.asyncio.client import ClientConnection
from websockets.protocol import State

from app.models.text_frame import text_frame

REQUIRED = ("protocol", "transport", "paused", "drain")
"""What this module needs of an open connection beyond its documented interface."""


class SocketWriter:
    """Ordered, bounded, never-waiting writes to one open connection without extensions.

    `on_stalled` is called once, with a reason, when the peer has taken nothing for `stall_s`
    seconds or more than `queue_limit_bytes` wait; from then on messages are dropped.
    """

    def __init__(
        self,
        socket: ClientConnection,
        *,
        stall_s: float,
        queue_limit_bytes: int,
        on_stalled: Callable[[str], None],
    ) -> None:
        assert not socket.protocol.extensions, "frames are made here: connect with compression=None"
        self._socket = socket
        self._protocol, self._transport = socket.protocol, socket.transport
        self._stall_s = stall_s
        self._queue_limit_bytes = queue_limit_bytes
        self._on_stalled = on_stalled
        self._queue: deque[bytes] = deque()
        self._flusher: asyncio.Task[None] | None = None
        self._stopped = False
        self.queued_bytes = 0
        self.queued_max_bytes = 0

    def write(self, message: bytes) -> None:
        """Send a text frame now, or queue it while the peer reads slowly. Never waits."""
        if self._queue or self._socket.paused:
            self._enqueue(message)
        elif not self._stopped:
            self._put(message)

    def stop(self) -> None:
        """Drop what waits and whatever comes later."""
        self._stopped = True
        self._queue.clear()
        self.queued_bytes = 0
        if self._flusher is not None:
            self._flusher.cancel()

    async def abort(self) -> None:
        """Stop, break the connection without a closing handshake, and leave no task behind."""
        self.stop()
        self._transport.abort()
        if self._flusher is not None:
            await asyncio.wait([self._flusher])

    def _put(self, message: bytes) -> None:
        if self._protocol.state is not State.OPEN:
            return  # whoever receives learns of the end there
        try:
            self._transport.write(text_frame(message))
        except (OSError, RuntimeError):
            # uvloop raises where asyncio would report the loss to the protocol.
            self.stop()
            self._transport.abort()

    def _enqueue(self, message: bytes) -> None:
        if self._stopped:
            return
        if self.queued_bytes + len(message) > self._queue_limit_bytes:
            self._stall(f"{self.queued_bytes} bytes wait for the server to read: stalled")
            return
        self._queue.append(message)
        self.queued_bytes += len(message)
        self.queued_max_bytes = max(self.queued_max_bytes, self.queued_bytes)
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())

    def _stall(self, reason: str) -> None:
        self.stop()
        self._on_stalled(reason)

    async def _flush(self) -> None:
        while self._queue:
            if not await self._has_room():
                self._stall(f"the server took nothing for {self._stall_s:g} s: stalled")
                return
            while self._queue and not self._socket.paused:
                message = self._queue.popleft()
                self.queued_bytes -= len(message)
                self._put(message)

    async def _has_room(self) -> bool:
        """Wait until the transport takes more; False when nothing moved for `stall_s`."""
        transport = self._transport
        while self._socket.paused:
            before = transport.get_write_buffer_size()
            try:
                async with asyncio.timeout(self._stall_s):
                    await self._socket.drain()
            except TimeoutError:
                if transport.get_write_buffer_size() >= before:
                    return False
            except OSError:
                self.stop()  # the connection is gone; whoever receives learns of it there
        return True
