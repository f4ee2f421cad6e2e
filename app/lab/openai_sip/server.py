"""The connector as a server: REST for calls and the sideband socket, on a local port; and callers.

Paths, bodies and results are those of openai-python 3.51 (`resources/realtime/calls.py`,
`resources/realtime/realtime.py`).
"""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any, Final

import aiohttp
from aiohttp import web

from app.lab.openai_sip.call import RefusedError, SipCall, Trouble
from app.lab.openai_sip.signing import Event, incoming, signed

HEADERS: Final = (
    ("From", '"Lab" <sip:+15550100001@carrier.example>;tag=1'),
    ("To", "<sip:+14155550199@sip.api.openai.com>"),
)
"""Of an INVITE whose numbers are kept free for fiction."""


class LabOpenAISip:
    """An async context manager that serves `base_url`. `model_url`: of the lab's realtime model,
    whose sessions carry the calls. `webhook_url` may be set later."""

    def __init__(self, *, api_key: str, secret: str, model_url: str, webhook_url: str = "") -> None:
        self.webhook_url = webhook_url
        self.calls: dict[str, SipCall] = {}
        self._api_key = api_key
        self._secret = secret
        self._model_url = model_url
        self._runner: web.AppRunner | None = None
        self._client: aiohttp.ClientSession | None = None
        self._port = 0

    @property
    def base_url(self) -> str:
        """For `OPENAI_BASE_URL`."""
        return f"http://127.0.0.1:{self._port}/v1"

    async def __aenter__(self) -> "LabOpenAISip":
        app = web.Application()
        app.router.add_post("/v1/realtime/calls/{call_id}/{what}", self._rest)
        app.router.add_get("/v1/realtime", self._sideband)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for call in self.calls.values():
            await call.close()
        if self._client is not None:
            await self._client.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # Callers

    def invite(self, trouble: Trouble | None = None) -> SipCall:
        """Somebody calls; nobody has been told yet."""
        call = SipCall(self._model_url, self._api_key, trouble or Trouble())
        self.calls[call.call_id] = call
        return call

    def offer(self, call: SipCall, headers: Sequence[tuple[str, str]] = HEADERS) -> Event:
        """The event that tells of a call, to be delivered."""
        return incoming(call.call_id, headers)

    async def dial(
        self,
        headers: Sequence[tuple[str, str]] = HEADERS,
        *,
        trouble: Trouble | None = None,
        times: int = 1,
    ) -> SipCall:
        """Call, and offer the call by webhook, `times` over at once."""
        call = self.invite(trouble)
        event = self.offer(call, headers)
        statuses = await asyncio.gather(*(self.deliver(event) for _ in range(times)))
        if set(statuses) != {200}:
            raise RuntimeError(f"the webhook was answered with {statuses}, expected 200")
        return call

    async def deliver(self, event: Event, *, secret: str = "", at_s: float | None = None) -> int:
        """One attempt; its HTTP status. `secret`: another one than ours; `at_s`: another time."""
        return await self.post(event.body, signed(event, secret or self._secret, at_s=at_s))

    async def post(self, body: bytes, headers: Any) -> int:
        assert self._client is not None, "enter the lab's context first"
        async with self._client.post(self.webhook_url, data=body, headers=headers) as answer:
            return answer.status

    # What customers ask for

    async def _rest(self, request: web.Request) -> web.Response:
        what = request.match_info["what"]
        try:
            call = self._known(request, request.match_info["call_id"])
            text = await request.text()
            body: dict[str, Any] = json.loads(text) if text else {}
            call.asked.append((what, body))
            match what:
                case "accept":
                    await call.accept(body)
                case "reject":
                    call.reject(body)
                case "refer":
                    call.refer(body)
                case "hangup":
                    call.hangup()
                case _:
                    raise RefusedError(404, "not_found", f"unknown: {what}")
        except RefusedError as refused:
            return _error(refused)
        return web.Response(status=200)

    def _known(self, request: web.Request, call_id: str) -> SipCall:
        if request.headers.get("Authorization") != f"Bearer {self._api_key}":
            raise RefusedError(401, "invalid_api_key", "Incorrect API key provided.")
        if call_id not in self.calls:
            raise RefusedError(404, "call_id_not_found", "no such call")
        return self.calls[call_id]

    async def _sideband(self, request: web.Request) -> web.StreamResponse:
        try:
            call = self._known(request, request.query.get("call_id", ""))
            if call.state != "talking":
                raise RefusedError(404, "call_id_not_found", f"the call is {call.state}")
            if call.trouble.unknown_sidebands:
                call.trouble.unknown_sidebands -= 1
                raise RefusedError(404, "call_id_not_found", "No session found")
            if call.trouble.refuse_sidebands:
                call.trouble.refuse_sidebands -= 1
                raise RefusedError(503, "server_error", "try again")
        except RefusedError as refused:
            return _error(refused)
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        sideband = _Socket(socket, request)
        call.join(sideband)
        if call.trouble.breaking_sidebands:
            call.trouble.breaking_sidebands -= 1
            call.drop_sidebands(1011)
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await call.command(message.data)
        finally:
            sideband.gone()
            if sideband in call.sidebands:
                call.sidebands.remove(sideband)
        return socket


class _Socket:
    """See `app.lab.openai_sip.call.Sideband`."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self._socket = socket
        self._request = request
        self._queue: asyncio.Queue[str | int] = asyncio.Queue()
        self._task = asyncio.create_task(self._write())

    def put(self, text: str) -> None:
        self._queue.put_nowait(text)

    def close(self, code: int, reason: str = "") -> None:
        if code:
            self._queue.put_nowait(code)
        elif self._request.transport is not None:
            self._request.transport.abort()

    def gone(self) -> None:
        self._task.cancel()

    async def _write(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            while True:
                out = await self._queue.get()
                if isinstance(out, int):
                    await self._socket.close(code=out)
                    return
                await self._socket.send_str(out)


def _error(refused: RefusedError) -> web.Response:
    error = {
        "message": refused.message,
        "type": "invalid_request_error" if refused.status < 500 else "server_error",
        "param": None,
        "code": refused.code,
    }
    return web.json_response({"error": error}, status=refused.status)
