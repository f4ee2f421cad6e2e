"""The carrier's REST routes: calls are placed, listed, looked at and ended."""

import asyncio

from aiohttp import web

from app.lab.carrier.calls import Calls, CarrierCall
from app.lab.carrier.exchange import Exchange
from app.lab.carrier.parties import REFUSALS, People
from app.lab.carrier.teller import Teller, now_ms
from app.lab.carrier.troubles import PLACES, Fate, Rate, Troubles
from app.lab.phone.identity import CallIdentity, new_sid
from app.lab.phone.rest_form import Form, one, read_form, twiml_source
from app.lab.phone.rest_list import page_of
from app.lab.phone.rest_order import CallOrder, ends_as, read_order
from app.lab.phone.rest_wire import (
    BAD_REQUEST,
    NOT_FOUND,
    NOT_IN_PROGRESS,
    TOO_MANY_REQUESTS,
    RestError,
    check_parties,
)

_GIVEN_ALONG = {
    "url": "Url",
    "status_callback": "StatusCallback",
    "amd_callback": "AsyncAmdStatusCallback",
}


class CarrierRoutes:
    """`troubles` may be changed while it runs."""

    def __init__(
        self,
        account_sid: str,
        people: People,
        troubles: Troubles,
        exchange: Exchange,
        teller: Teller,
        calls: Calls,
    ) -> None:
        self._account_sid = account_sid
        self._people = people
        self._exchange = exchange
        self._teller = teller
        self._calls = calls
        self._requests: dict[str, int] = {}
        """For calls to a number, those that were refused too."""
        self.troubles = troubles

    @property
    def troubles(self) -> Troubles:
        return self._troubles

    @troubles.setter
    def troubles(self, troubles: Troubles) -> None:
        self._troubles = troubles
        self._rate = Rate(troubles.requests_per_s)

    def add(self, router: web.UrlDispatcher, root: str) -> None:
        router.add_post(root + "/Calls.json", self._create)
        router.add_get(root + "/Calls.json", self._list)
        router.add_get(root + "/Calls/{sid}.json", self._fetch)
        router.add_post(root + "/Calls/{sid}.json", self._update)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        form = await read_form(request)
        to = one(form, "To")
        nth = self._requests[to] = self._requests.get(to, 0) + 1
        fate = self._troubles.fate(to, nth)
        try:
            order = self._ordered(form, fate)
        except RestError as error:
            self._refused(form, str(error.code))
            raise
        if fate not in PLACES:
            self._refused(form, fate)
            return self._broken(request, fate, nth, to)
        call = self._place(form, order, fate)
        if fate == "lost":
            await asyncio.sleep(self._troubles.lost_s)  # cancelled when the client gives up
        if fate != "fine":
            return self._broken(request, fate, nth, to)
        return web.json_response({**call.resource(), "status": "queued"}, status=201)

    def _ordered(self, form: Form, fate: Fate) -> CallOrder:
        """Raises RestError for what is refused."""
        if fate == "rejects" or not self._rate.takes(now_ms() / 1000):
            after_s = self._troubles.retry_after_s
            headers = {"Retry-After": str(after_s)} if after_s else {}
            raise RestError(429, TOO_MANY_REQUESTS, "Too Many Requests", headers)
        to = one(form, "To")
        check_parties(to, one(form, "From"))
        order = read_order(form)
        does = self._people(to, len(self._calls.to(to))).does
        if does in REFUSALS:
            raise RestError(400, *REFUSALS[does])
        return order

    def _place(self, form: Form, order: CallOrder, fate: Fate) -> CarrierCall:
        to, from_ = one(form, "To"), one(form, "From")
        identity = CallIdentity(new_sid("CA"), self._account_sid, from_, to, "outbound-api")
        party = self._people(to, len(self._calls.to(to)))
        call = self._exchange.place(identity, order, party)
        self._calls.add(call)
        urls = {name: one(form, field) for name, field in _GIVEN_ALONG.items()}
        said = {"to": to, "from": from_, "does": party.does, "fate": fate, **urls}
        self._teller.note("placed", call, said)
        return call

    def _broken(self, request: web.Request, fate: Fate, nth: int, to: str) -> web.StreamResponse:
        """An answer that is none."""
        if fate in ("fails_before", "fails_after"):
            status = self._troubles.failure(to, nth)
            return web.Response(status=status, text="<html>Service unavailable</html>")
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    def _refused(self, form: Form, why: str) -> None:
        said = {"to": one(form, "To"), "from": one(form, "From"), "why": why}
        self._teller.note("refused", None, said)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        before_ms = now_ms() - self._troubles.list_late_s * 1000
        return page_of(request, self._calls.newest_first(request.query.get("To"), before_ms))

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._find(request).resource())

    async def _update(self, request: web.Request) -> web.StreamResponse:
        call, form = self._find(request), await read_form(request)
        if wanted := one(form, "Status"):
            self._exchange.end(call, ends_as(call.status, wanted))
            return web.json_response(call.resource())
        if one(form, "Url") and one(form, "Twiml"):
            raise RestError(400, BAD_REQUEST, "Url and Twiml exclude each other")
        twiml_source(form)  # nobody listens, so nothing comes of it
        if call.status != "in-progress":
            raise RestError(400, NOT_IN_PROGRESS, "Call is not in-progress. Cannot redirect.")
        return web.json_response(call.resource())

    def _find(self, request: web.Request) -> CarrierCall:
        call = self._calls.get(request.match_info["sid"])
        if call is None:
            raise RestError(404, NOT_FOUND, f"The requested resource {request.path} was not found")
        return call
