"""Somebody's database of customers: a real HTTP server that answers as a test says."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Crm:
    url: str = ""
    answer: Answer | None = None
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        if self.answer is not None:
            return await self.answer(request)
        return web.json_response({"customer": {"name": "Ada", "vip": True}, "orders": [4711, {}]})


@asynccontextmanager
async def open_crm() -> AsyncIterator[Crm]:
    crm = Crm()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", crm.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    crm.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield crm
    await runner.cleanup()
