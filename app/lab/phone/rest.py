"""Twilio's REST API as a bot sees it: what it orders really happens, or is refused with its code.

async with TwilioRest(account=account) as rest:
    client.api.base_url = rest.base_url
    call = await client.calls.create_async(to=..., from_=..., url=...)
    report = await rest.report(call.sid)
"""

from types import TracebackType

from aiohttp import web

from app.lab.phone.account import Account, OnEvent, ignore_event
from app.lab.phone.impairments import Impairments
from app.lab.phone.pace import Pace
from app.lab.phone.people import Callee, Directory
from app.lab.phone.report import CallReport
from app.lab.phone.rest_calls import CallRoutes
from app.lab.phone.rest_conferences import ConferenceRoutes
from app.lab.phone.rest_guard import ROOT, RestGuard
from app.lab.phone.rest_manners import RestManners
from app.lab.phone.rest_messages import MessageRoutes
from app.lab.phone.rest_queues import QueueRoutes
from app.lab.phone.rest_recordings import RecordingRoutes
from app.lab.phone.rest_shelves import ShelfRoutes

__all__ = ["Callee", "RestManners", "TwilioRest"]


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
        self._guard = RestGuard(
            self.account.account_sid, self.account.auth_token, manners or RestManners()
        )
        self._port = port
        self._runner: web.AppRunner | None = None
        self.base_url = ""
        """For `client.api.base_url`; set once the server runs."""

    @property
    def manners(self) -> RestManners:
        """May be changed while the server runs."""
        return self._guard.manners

    @manners.setter
    def manners(self, manners: RestManners) -> None:
        self._guard.manners = manners

    async def __aenter__(self) -> "TwilioRest":
        app = web.Application(middlewares=[self._guard.middleware])
        for routes in (
            CallRoutes(self.account),
            RecordingRoutes(self.account),
            ConferenceRoutes(self.account),
            QueueRoutes(self.account),
            MessageRoutes(self.account),
        ):
            routes.add(app.router, ROOT)
        ShelfRoutes(self.account).add(app.router, ROOT)
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
