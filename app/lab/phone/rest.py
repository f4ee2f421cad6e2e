"""Twilio's REST API as a bot sees it: calls that it creates are really placed, to a script.

async with TwilioRest(account_sid=..., auth_token=..., callee=find_callee) as rest:
    client.api.base_url = rest.base_url
    call = await client.calls.create_async(to=..., from_=..., url=...)
    report = await rest.report(call.sid)
"""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import TypeAlias

from aiohttp import web

from app.lab.phone.agenda import Agenda
from app.lab.phone.identity import ENDED, CallIdentity, CallStatus, new_sid
from app.lab.phone.impairments import Impairments
from app.lab.phone.line import (
    CalleeAnswer,
    CallPlan,
    CallRun,
    Carrier,
    OnEvent,
    ignore_event,
)
from app.lab.phone.report import CallReport
from app.lab.phone.rest_form import (
    fallback_source,
    one,
    read_form,
    seconds,
    status_callback,
    twiml_source,
)
from app.lab.phone.rest_wire import (
    AUTHENTICATE,
    BAD_REQUEST,
    NOT_FOUND,
    NOT_IN_PROGRESS,
    RestError,
    call_resource,
    check_parties,
)
from app.lab.phone.script import Script
from app.lab.phone.verbs import Pace

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Callee:
    """Who is at the number that the bot dials."""

    script: Script = field(default_factory=Script)
    answers: CalleeAnswer = "answer"
    ring_ms: int = 0


@dataclass(slots=True)
class PlacedCall:
    """A call that the API knows."""

    run: CallRun
    task: "asyncio.Task[CallReport]"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def status(self) -> CallStatus:
        return self.run.live.status

    def resource(self, status: CallStatus | None = None) -> web.Response:
        live = self.run.live
        body = call_resource(
            live.identity,
            status or live.status,
            created=self.created,
            updated=datetime.now(UTC),
            started=live.answered_at,
            ended=live.ended_at,
        )
        return web.json_response(body)


class TwilioRest:
    """The API server of one account, on a loopback port of its own."""

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        callee: Callable[[str], Callee],
        impairments: Impairments | None = None,
        pace: Pace | None = None,
        on_event: OnEvent = ignore_event,
        port: int = 0,
    ) -> None:
        """`callee` says who is at a number. `port` 0 takes a free one."""
        self._carrier = Carrier(
            account_sid, auth_token, impairments or Impairments(), pace or Pace(), on_event
        )
        self._callee = callee
        self._port = port
        self._calls: dict[str, PlacedCall] = {}
        self._agenda: Agenda | None = None
        self._runner: web.AppRunner | None = None
        self.base_url = ""
        """For `client.api.base_url`; set once the server runs."""

    async def __aenter__(self) -> "TwilioRest":
        self._agenda = Agenda()
        app = web.Application(middlewares=[self._guard])
        path = "/2010-04-01/Accounts/{account}/Calls"
        app.router.add_post(path + ".json", self._create)
        app.router.add_get(path + "/{sid}.json", self._fetch)
        app.router.add_post(path + "/{sid}.json", self._update)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Hang up what still runs, wait for its end, stop the server."""
        for placed in self._calls.values():
            placed.run.live.hang_up("rest")
        await asyncio.gather(*(placed.task for placed in self._calls.values()))
        if self._runner is not None:
            await self._runner.cleanup()

    async def report(self, call_sid: str) -> CallReport:
        """Wait for a call's end. Raises KeyError for a call that was never created."""
        return await asyncio.shield(self._calls[call_sid].task)

    @property
    def call_sids(self) -> tuple[str, ...]:
        """Of all calls created, oldest first."""
        return tuple(self._calls)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._authenticate(request)
            return await handler(request)
        except RestError as error:
            return web.json_response(error.body(), status=error.http_status)
        except web.HTTPNotFound:
            missing = RestError(404, NOT_FOUND, f"The requested resource {request.path} not found")
            return web.json_response(missing.body(), status=404)

    def _authenticate(self, request: web.Request) -> None:
        pair = f"{self._carrier.account_sid}:{self._carrier.auth_token}"
        expected = "Basic " + b64encode(pair.encode()).decode("ascii")
        if request.headers.get("Authorization") != expected:
            raise RestError(401, AUTHENTICATE, "Authenticate")
        if request.match_info.get("account") not in (None, self._carrier.account_sid):
            raise RestError(404, NOT_FOUND, f"The requested resource {request.path} was not found")

    async def _create(self, request: web.Request) -> web.StreamResponse:
        form = await read_form(request)
        to, from_ = one(form, "To"), one(form, "From")
        check_parties(to, from_)
        source = twiml_source(form)
        callee = self._callee(to)
        who = CallIdentity(new_sid("CA"), self._carrier.account_sid, from_, to, "outbound-api")
        plan = CallPlan(
            identity=who,
            script=callee.script,
            first=source,
            fallback=fallback_source(form),
            status=status_callback(form),
            callee=callee.answers,
            ring_ms=callee.ring_ms,
            ring_limit_ms=seconds(form, "Timeout", 60) * 1000,
            time_limit_s=seconds(form, "TimeLimit", 0) or None,
        )
        assert self._agenda is not None, "requests come only while the server runs"
        run = CallRun(plan, self._carrier, self._agenda)
        placed = PlacedCall(run, asyncio.ensure_future(run.run()))
        self._calls[who.call_sid] = placed
        answer = placed.resource("queued")
        answer.set_status(201)
        return answer

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        return self._find(request).resource()

    async def _update(self, request: web.Request) -> web.StreamResponse:
        placed = self._find(request)
        form = await read_form(request)
        if placed.status in ENDED:
            raise RestError(400, NOT_IN_PROGRESS, "Call is not in-progress. Cannot redirect.")
        wanted = one(form, "Status")
        if wanted:
            return placed.resource(_end(placed, wanted))
        if one(form, "Url") and one(form, "Twiml"):
            raise RestError(400, BAD_REQUEST, "Url and Twiml exclude each other")
        source = twiml_source(form)
        if placed.status != "in-progress":
            raise RestError(400, NOT_IN_PROGRESS, "Call is not in-progress. Cannot redirect.")
        placed.run.live.redirect(source)
        return placed.resource()

    def _find(self, request: web.Request) -> PlacedCall:
        placed = self._calls.get(request.match_info["sid"])
        if placed is None:
            raise RestError(404, NOT_FOUND, f"The requested resource {request.path} was not found")
        return placed


def _end(placed: PlacedCall, wanted: str) -> CallStatus:
    waiting = placed.status in ("queued", "initiated", "ringing")
    if wanted == "canceled" and not waiting:
        raise RestError(400, NOT_IN_PROGRESS, "Call is in progress. Cannot cancel.")
    if wanted not in ("completed", "canceled"):
        raise RestError(400, BAD_REQUEST, "Status must be completed or canceled")
    status: CallStatus = "canceled" if waiting else "completed"
    placed.run.live.hang_up("rest", status)
    return status
