"""The line: takes what comes on the SIP socket, holds the calls, ends them all when it stops."""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from app.sip_line.admission import Admission, Reply, abilities, busy, not_allowed, unsupported
from app.sip_line.call import Call
from app.sip_line.config import LineConfig
from app.sip_line.log import Seldom, event
from app.sip_line.registration import Registration
from app.sip_line.stack import Answer, SipStack
from app.sip_line.ticker import Ticker

_log = logging.getLogger(__name__)

GOODBYE_S: Final = 3.0
"""So long a stopping line waits for the answers to its BYEs and for workers' sockets."""
_GRACE_S: Final = 0.3
"""After the last call, for the answer to its BYE to come or the BYE to be sent again."""


class Line:
    """Opened by `open_line`."""

    def __init__(self, config: LineConfig) -> None:
        self._config = config
        self._admission = Admission(config)
        self._stack = SipStack(config.host, self._take)
        self._ticker = Ticker()
        self._calls: dict[asyncio.Task[None], Call] = {}
        self._taken = 0
        self._stopping = False
        self._refused = Seldom()
        self._chores: list[asyncio.Task[None]] = []
        self.registration: Registration | None = None

    @property
    def port(self) -> int:
        """The UDP port that SIP is served on."""
        return self._stack.address.port

    @property
    def calls(self) -> int:
        """So many are in progress, ringing ones included."""
        return len(self._calls)

    async def open(self) -> None:
        """Raises OSError when the address cannot be had."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            listener.setblocking(False)
            listener.bind((self._config.listen.host, self._config.listen.port))
        except OSError:
            listener.close()
            raise
        await self._stack.open(listener)
        self._chores.append(asyncio.create_task(self._ticker.run()))
        if self._config.trunk is not None:
            self.registration = Registration(self._stack, self._config.trunk)
            self._chores.append(asyncio.create_task(self.registration.run()))

    async def close(self) -> None:
        """No new calls; BYE to those that are; withdraw from the trunk; then nothing is left."""
        self._stopping = True
        had_calls = bool(self._calls)
        for call in self._calls.values():
            call.end()
        if self._calls:
            await asyncio.wait(list(self._calls), timeout=GOODBYE_S)
        for task in [*self._calls, *self._chores]:
            task.cancel()
        if left := [*self._calls, *self._chores]:
            await asyncio.wait(left, timeout=GOODBYE_S)
        if had_calls:
            await asyncio.sleep(_GRACE_S)
        await self._stack.close()

    def _take(self, request: Any, transaction: Any) -> Answer:
        """A request that belongs to no call. Responses in the answer are sent by the stack."""
        reply = self._reply(request)
        if reply is None:
            return self._begin(request, transaction)
        response = reply.response(request)
        if request.getMethod() != "INVITE" or self._admission.is_peer(request):
            return response, None, None
        self._stack.answer_once(response, transaction)
        return None

    def _reply(self, request: Any) -> Reply | None:
        """The answer to what begins no call."""
        method, tag = request.getMethod(), request.getHFBody("to").getTag()
        if not self._admission.knows_of(request.getSource()[0]):
            return Reply(403, "Forbidden")
        if method == "OPTIONS":
            return unsupported(request) or abilities()
        if tag is not None:
            return Reply(481, "Call/Transaction Does Not Exist")
        if method != "INVITE":
            return not_allowed()
        refusal = self._refusal(request)
        if refusal is not None and refusal.code != 401:
            left_out = self._refused.ask()
            if left_out is not None:
                event(
                    _log,
                    logging.INFO,
                    "a SIP call was refused",
                    code=refusal.code,
                    left_out=left_out,
                )
        return refusal

    def _refusal(self, request: Any) -> Reply | None:
        if self._stopping:
            return busy(self._config.retry_after_s)
        if request.getTId() in [call.invite for call in self._calls.values()]:
            return Reply(482, "Loop Detected")  # it came by two ways (RFC 3261, 8.2.2.2)
        return self._admission.judge(request, self.calls, time.monotonic())

    def _begin(self, request: Any, transaction: Any) -> Answer:
        self._taken += 1
        call = Call(self._config, self._stack, self._ticker, self._taken)
        try:
            answer = call.take(request, transaction)
        except Exception:
            call.end()
            raise
        task = asyncio.create_task(call.run())
        self._calls[task] = call
        task.add_done_callback(self._over)
        return answer

    def _over(self, task: asyncio.Task[None]) -> None:
        del self._calls[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            event(_log, logging.ERROR, "a SIP call broke", error_kind=type(error).__name__)


@asynccontextmanager
async def open_line(config: LineConfig) -> AsyncIterator[Line]:
    """A line that serves while the context lasts. Raises OSError when it cannot listen."""
    line = Line(config)
    await line.open()
    try:
        yield line
    finally:
        await line.close()
