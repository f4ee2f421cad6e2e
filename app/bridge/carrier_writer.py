"""The carrier socket's outgoing side: one task, one order, every send bounded in time.

A half-dead socket never raises, it only stops taking data (bolna bounds its sends for the same
reason); after `send_timeout_s` it is given up and the call told so, once.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from app.carriers.line import Frame

SEND_TIMEOUT_S = 5.0
QUEUE_LIMIT = 2_000
"""Messages waiting; at 20 or so a second of speech this is past any hope."""


class CarrierWriter:
    """`send` writes one message to the socket; `on_broken` is told of the end of all sending.

    `on_broken("stalled" | "lost", detail)` runs in the event loop, at most once.
    """

    def __init__(
        self,
        send: Callable[[Frame], Awaitable[None]],
        on_broken: Callable[[str, str], None],
        *,
        send_timeout_s: float = SEND_TIMEOUT_S,
    ) -> None:
        self._send = send
        self._on_broken = on_broken
        self._send_timeout_s = send_timeout_s
        self._queue: deque[Frame] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._sending_since_s: float | None = None
        self._task = self._loop.create_task(self._run())

    def write(self, message: Frame) -> None:
        """Queue a message. Never waits; ignored once the socket is broken or closing."""
        if self._closing:
            return
        self._queue.append(message)
        self._wake.set()

    def check(self) -> None:
        """Give up a send that takes too long. Called now and then: a timer per message would cost
        more than the message."""
        since_s = self._sending_since_s
        if since_s is not None and self._loop.time() - since_s > self._send_timeout_s:
            self._task.cancel()
            self._stalled()

    async def close(self) -> None:
        """Send what is queued, within the send timeout, then stop."""
        self._closing = True
        self._wake.set()
        await asyncio.wait({self._task}, timeout=self._send_timeout_s)
        self._task.cancel()

    async def _run(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._drain()
                if self._closing:
                    return
        except (OSError, RuntimeError) as error:
            self._break("lost", type(error).__name__)

    async def _drain(self) -> None:
        while self._queue:
            if len(self._queue) > QUEUE_LIMIT:
                self._stalled()
                return
            self._sending_since_s = self._loop.time()
            await self._send(self._queue.popleft())
            self._sending_since_s = None

    def _stalled(self) -> None:
        self._sending_since_s = None
        self._break("stalled", f"the carrier took nothing for {self._send_timeout_s:g} s")

    def _break(self, cause: str, detail: str) -> None:
        told = self._closing
        self._closing = True
        self._queue.clear()
        if not told:
            self._on_broken(cause, detail)
