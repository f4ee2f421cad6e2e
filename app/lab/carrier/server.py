"""The carrier as a server of its own on a loopback port.

async with LabCarrier(account_sid=..., auth_token=..., log=Path("carrier.jsonl"), pace=1000):
    ...
"""

from pathlib import Path
from types import TracebackType

from aiohttp import web

from app.lab.carrier.callbacks import Callbacks
from app.lab.carrier.calls import Calls
from app.lab.carrier.exchange import Exchange
from app.lab.carrier.log import Log
from app.lab.carrier.parties import Digits, People
from app.lab.carrier.routes import CarrierRoutes
from app.lab.carrier.teller import Teller, now_ms
from app.lab.carrier.troubles import Troubles
from app.lab.phone.agenda import Agenda
from app.lab.phone.rest_guard import ROOT, RestGuard

_BACKLOG = 2048


class LabCarrier:
    """`people`: who is where. `pace`: how much faster than real time calls go. `per_s`: calls
    dialled in a second of their own time, 0 for any number. `log`: appended to. `port` 0 takes a
    free one."""

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        people: People | None = None,
        troubles: Troubles | None = None,
        pace: float = 1.0,
        per_s: float = 0.0,
        log: Path | None = None,
        port: int = 0,
    ) -> None:
        self._account_sid = account_sid
        self._people = people or Digits()
        self._troubles = troubles or Troubles()
        self._pace, self._per_s, self._port = pace, per_s, port
        self._log = Log(log)
        self._guard = RestGuard(account_sid, auth_token, self._troubles.manners)
        self._callbacks = Callbacks(auth_token, self._troubles, self._log, pace)
        self.calls = Calls()
        self._routes: CarrierRoutes | None = None
        self._runner: web.AppRunner | None = None
        self.base_url = ""
        """For `client.api.base_url`; set once the server runs."""

    async def __aenter__(self) -> "LabCarrier":
        await self._callbacks.__aenter__()
        app = web.Application(middlewares=[self._guard.middleware])
        self._make_routes().add(app.router, ROOT)
        # A request whose client has given up need not be held any longer.
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, backlog=_BACKLOG).start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Calls stop where they are."""
        if self._runner is not None:
            await self._runner.cleanup()
        await self._callbacks.__aexit__()
        self._log.close()

    @property
    def troubles(self) -> Troubles:
        """May be changed while the server runs."""
        return self._troubles

    @troubles.setter
    def troubles(self, troubles: Troubles) -> None:
        self._troubles = self._callbacks.troubles = troubles
        self._guard.manners = troubles.manners
        if self._routes is not None:
            self._routes.troubles = troubles

    async def settled(self) -> None:
        """Wait until every callback of what has happened so far was sent."""
        await self._callbacks.settled()

    def _make_routes(self) -> CarrierRoutes:
        teller = Teller(self._log, self._callbacks)
        exchange = Exchange(Agenda(), now_ms, teller, pace=self._pace, per_s=self._per_s)
        self._routes = CarrierRoutes(
            self._account_sid, self._people, self._troubles, exchange, teller, self.calls
        )
        return self._routes
