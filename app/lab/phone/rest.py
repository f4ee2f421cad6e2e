"""Twilio's REST API as a bot sees it: what it orders really happens, or is refused with its code.

async with TwilioRest(account=account) as rest:
    client.api.base_url = rest.base_url
    call = await client.calls.create_async(to=..., from_=..., url=...)
    report = await rest.report(call.sid)
"""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TypeAlias

from aiohttp import web

from app.lab.phone.account import Account, OnEvent, ignore_event
from app.lab.phone.impairments import Impairments
from app.lab.phone.pace import Pace
from app.lab.phone.people import Callee, Directory
from app.lab.phone.report import CallReport
from app.lab.phone.rest_calls import CallRoutes
from app.lab.phone.rest_conferences import ConferenceRoutes
from app.lab.phone.rest_manners import RestManners
from app.lab.phone.rest_messages import MessageRoutes
from app.lab.phone.rest_queues import QueueRoutes
from app.lab.phone.rest_recordings import RecordingRoutes
from app.lab.phone.rest_wire import AUTHENTICATE, NOT_FOUND, TOO_MANY_REQUESTS, RestError

__all__ = ["Callee", "RestManners", "TwilioRest"]

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

ROOT = "/2010-04-01/Accounts/{account}"


class TwilioRest:
    """The API server of one account, on a loopback port of its own."""

    def __init__(
        self,
        *,
        account_sid: str = "",
        auth_token: str = "",
        account: Account | None = None,
        callee: Directory | None = None,
        impairments: Impairments | None = None,
        pace: Pace | None = None,
        on_event: OnEvent = ignore_event,
        manners: RestManners | None = None,
        port: int = 0,
    ) -> None:
        """Either `account`, to share it with lines, or what makes one: `account_sid`, `auth_token`,
        `callee` (who is at a number), `impairments`, `pace` and `on_event`. `port` 0 takes a free
        one."""
        self.account = account or Account(
            account_sid=account_sid,
            auth_token=auth_token,
            people=callee,
            impairments=impairments,
            pace=pace,
            on_event=on_event,
        )
        self.manners = manners or RestManners()
        """May be changed while the server runs."""
        self._port = port
        self._under_way = 0
        self._runner: web.AppRunner | None = None
        self.base_url = ""
        """For `client.api.base_url`; set once the server runs."""

    async def __aenter__(self) -> "TwilioRest":
        app = web.Application(middlewares=[self._guard])
        for routes in (
            CallRoutes(self.account),
            RecordingRoutes(self.account),
            ConferenceRoutes(self.account),
            QueueRoutes(self.account),
            MessageRoutes(self.account),
        ):
            routes.add(app.router, ROOT)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}"
        self.account.recordings.base_url = self.base_url
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Hang up what still runs, wait for its end, stop the server."""
        await self.account.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def report(self, call_sid: str) -> CallReport:
        """Wait for a call's end. Raises KeyError for a call that there never was."""
        return await self.account.report(call_sid)

    @property
    def call_sids(self) -> tuple[str, ...]:
        """Of all calls of the account, oldest first."""
        return tuple(self.account.calls)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._under_way += 1
        try:
            self._authenticate(request)
            return await self._handled(request, handler)
        except RestError as error:
            return web.json_response(error.body(), status=error.http_status)
        except web.HTTPNotFound:
            missing = RestError(404, NOT_FOUND, f"The requested resource {request.path} not found")
            return web.json_response(missing.body(), status=404)
        finally:
            self._under_way -= 1

    async def _handled(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        manners = self.manners
        if manners.concurrent is not None and self._under_way > manners.concurrent:
            raise RestError(429, TOO_MANY_REQUESTS, "Too Many Requests")
        if manners.delay_ms:
            await asyncio.sleep(manners.delay_ms / 1000)
        answer = await handler(request)
        if manners.loses(request.method, request.path):
            await asyncio.sleep(manners.lost_after_s)  # done, and nobody is told
        answer.headers["Twilio-Concurrent-Requests"] = str(self._under_way)
        return answer

    def _authenticate(self, request: web.Request) -> None:
        pair = f"{self.account.account_sid}:{self.account.auth_token}"
        expected = "Basic " + b64encode(pair.encode()).decode("ascii")
        if request.headers.get("Authorization") != expected:
            raise RestError(401, AUTHENTICATE, "Authenticate")
        if request.match_info.get("account") not in (None, self.account.account_sid):
            raise RestError(404, NOT_FOUND, f"The requested resource {request.path} was not found")
