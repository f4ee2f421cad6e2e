"""An operator's system that takes webhooks: a real HTTP server that can fail as scripted.

It verifies each with the `standardwebhooks` package, as a stranger would.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks.webhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
OTHER_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrs="
NAME = "CRM_WEBHOOK_SECRET"


@dataclass(frozen=True, slots=True)
class Got:
    """One request."""

    at_s: float
    headers: Mapping[str, str]
    body: bytes
    status: int
    """What it was answered."""
    verified: bool

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = Webhook(SECRET).verify(self.body, dict(self.headers))
        return payload


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    reset: bool = False
    """Break the connection instead."""
    endless: bool = False
    """Never stop answering."""


OK = Answer()


class Receiver:
    """`answers`: one for each request in order, then `otherwise`."""

    def __init__(self, answers: Sequence[Answer] = (), *, otherwise: Answer = OK) -> None:
        self.got: list[Got] = []
        self.otherwise = otherwise
        self.at_once = 0
        """The most requests that were under way at one time."""
        self._now = 0
        self._answers = iter(answers)
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> "Receiver":
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{tail:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def taken(self) -> list[Got]:
        """What was answered 2xx."""
        return [got for got in self.got if 200 <= got.status < 300]

    @property
    def types(self) -> list[str]:
        return [got.payload["type"] for got in self.taken]

    @property
    def tried(self) -> set[str]:
        """The types of all that came, taken or not."""
        return {got.payload["type"] for got in self.got}

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        answer = next(self._answers, self.otherwise)
        headers = {name.lower(): value for name, value in request.headers.items()}
        at_s = asyncio.get_running_loop().time()
        self.got.append(Got(at_s, headers, body, answer.status, verified(body, headers)))
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        try:
            await asyncio.sleep(answer.delay_s)
            if answer.reset and request.transport is not None:
                request.transport.abort()
            if answer.endless:
                return await _endless(request)
            return web.Response(status=answer.status, headers=answer.headers, text="said")
        finally:
            self._now -= 1


async def _endless(request: web.Request) -> web.StreamResponse:
    stream = web.StreamResponse()
    await stream.prepare(request)
    while True:
        await stream.write(b"x" * 4096)
        await asyncio.sleep(0)


def verified(body: bytes, headers: Mapping[str, str], secret: str = SECRET) -> bool:
    try:
        Webhook(secret).verify(body, dict(headers))
    except Exception:  # the package raises several kinds for what is malformed
        return False
    return True


async def until(happened: Callable[[], bool], limit_s: float = 20) -> None:
    async with asyncio.timeout(limit_s):
        while not happened():  # noqa: ASYNC110 - it is somebody else's state
            await asyncio.sleep(0.01)
