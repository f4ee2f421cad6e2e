"""What every request to Twilio's REST API passes first: who asks, and how much at once."""

import asyncio
from base64 import b64encode

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from app.lab.phone.rest_manners import RestManners
from app.lab.phone.rest_wire import AUTHENTICATE, NOT_FOUND, TOO_MANY_REQUESTS, RestError

ROOT = "/2010-04-01/Accounts/{account}"
"""Of all that an account has."""


class RestGuard:
    """`middleware` is for an aiohttp application. `manners` may be changed while it runs."""

    def __init__(self, account_sid: str, auth_token: str, manners: RestManners) -> None:
        self.manners = manners
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._under_way = 0

    @property
    def middleware(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guarded(request, handler)

        return guard

    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._under_way += 1
        try:
            self._authenticate(request)
            return await self._handled(request, handler)
        except RestError as error:
            return web.json_response(error.body(), status=error.http_status, headers=error.headers)
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
        pair = f"{self._account_sid}:{self._auth_token}"
        expected = "Basic " + b64encode(pair.encode()).decode("ascii")
        if request.headers.get("Authorization") != expected:
            raise RestError(401, AUTHENTICATE, "Authenticate")
        if request.match_info.get("account") not in (None, self._account_sid):
            raise RestError(404, NOT_FOUND, f"The requested resource {request.path} was not found")
