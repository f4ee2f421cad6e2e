"""REST: calls are created, looked at, redirected and ended; those of lines too."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from app.lab.phone.account import Account, PlacedCall
from app.lab.phone.calling import place
from app.lab.phone.identity import ENDED, CallIdentity, CallStatus, new_sid
from app.lab.phone.leg import CallPlan
from app.lab.phone.people import admitted
from app.lab.phone.rest_form import Form, one, read_form, recording_on_answer, twiml_source
from app.lab.phone.rest_list import page_of
from app.lab.phone.rest_order import ends_as, read_order
from app.lab.phone.rest_wire import (
    BAD_REQUEST,
    BAD_TO,
    GEO_FORBIDS_CALL,
    NOT_FOUND,
    NOT_IN_PROGRESS,
    NOT_OUR_NUMBER,
    RestError,
    call_resource,
    check_parties,
)
from app.lab.phone.sip import SipTarget, answer_parameters, is_sip, read_target
from app.lab.phone.twiml import TwimlError


class CallRoutes:
    def __init__(self, account: Account) -> None:
        self._account = account

    def add(self, router: web.UrlDispatcher, root: str) -> None:
        router.add_post(root + "/Calls.json", self._create)
        router.add_get(root + "/Calls.json", self._list)
        router.add_get(root + "/Calls/{sid}.json", self._fetch)
        router.add_post(root + "/Calls/{sid}.json", self._update)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        form = await read_form(request)
        to, from_ = one(form, "To"), one(form, "From")
        check_call(self._account, to, from_)
        placed = place(self._plan(form, to, from_), self._account)
        return web.json_response(resource(placed, "queued"), status=201)

    def _plan(self, form: Form, to: str, from_: str) -> CallPlan:
        order = read_order(form)
        check_byoc(self._account, to, one(form, "Byoc"))
        target, callee = sip_target(to), self._account.callee(to)
        if target is not None:
            login = one(form, "SipAuthUsername"), one(form, "SipAuthPassword")
            callee = admitted(callee, *login)
        sid = self._account.account_sid
        return CallPlan(
            identity=CallIdentity(
                new_sid("CA"),
                sid,
                from_,
                to if target is None else target.uri,
                "outbound-api",
                {} if target is None else answer_parameters(callee.sip_headers),
                sip_headers={} if target is None else target.headers,
            ),
            script=callee.script,
            first=order.first,
            fallback=order.fallback,
            status=order.status,
            callee=callee.answers,
            ring_ms=callee.ring_ms,
            ring_limit_ms=order.ring_limit_ms,
            time_limit_s=order.time_limit_s,
            sip_code=callee.sip_code,
            answered_by=callee.answered_by,
            verdicts=callee.verdicts,
            detection=order.detection,
            on_answer=recording_on_answer(form),
        )

    async def _list(self, request: web.Request) -> web.StreamResponse:
        calls = reversed(self._account.calls.values())
        return page_of(request, (ListedCall(placed) for placed in calls))

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(resource(find_call(self._account, request)))

    async def _update(self, request: web.Request) -> web.StreamResponse:
        placed = find_call(self._account, request)
        form = await read_form(request)
        if placed.status in ENDED:
            raise RestError(400, NOT_IN_PROGRESS, "Call is not in-progress. Cannot redirect.")
        wanted = one(form, "Status")
        if wanted:
            return web.json_response(resource(placed, _end(placed, wanted)))
        if one(form, "Url") and one(form, "Twiml"):
            raise RestError(400, BAD_REQUEST, "Url and Twiml exclude each other")
        source = twiml_source(form)
        if placed.status != "in-progress":
            raise RestError(400, NOT_IN_PROGRESS, "Call is not in-progress. Cannot redirect.")
        placed.live.redirect(source)
        return web.json_response(resource(placed))


def check_call(account: Account, to: str, from_: str) -> None:
    """Raises RestError for a call that the account may not make."""
    check_parties(to, from_)
    if not account.may_call_from(from_):
        raise RestError(400, NOT_OUR_NUMBER, "The source number is not yet verified")
    if account.blocks(to):
        raise RestError(400, GEO_FORBIDS_CALL, "Account not authorized to call this number")


def sip_target(to: str) -> SipTarget | None:
    """Raises RestError for a SIP address, or headers, that Twilio refuses."""
    if not is_sip(to):
        return None
    try:
        return read_target(to)
    except TwimlError as error:
        raise RestError(400, BAD_TO, f"The 'To' address is not valid: {error.detail}") from error


def check_byoc(account: Account, to: str, byoc: str) -> None:
    """Raises RestError for a trunk that is none, or that this call cannot take."""
    if not byoc:
        return
    if not re.fullmatch(r"BY[0-9a-fA-F]{32}", byoc) or is_sip(to):
        raise RestError(400, BAD_REQUEST, "Byoc must be a BYOC trunk's SID, for a call to a number")
    if byoc not in account.kept.get("/ByocTrunks", {}):
        raise RestError(404, NOT_FOUND, f"The requested resource {byoc} was not found")


def find_call(account: Account, request: web.Request) -> PlacedCall:
    """The call of the path. Raises RestError for one that there never was."""
    placed = account.calls.get(request.match_info["sid"])
    if placed is None:
        raise RestError(404, NOT_FOUND, f"The requested resource {request.path} was not found")
    return placed


def resource(placed: PlacedCall, status: CallStatus | None = None) -> Mapping[str, object]:
    """The Call resource."""
    live = placed.live
    return call_resource(
        live.identity,
        status or live.status,
        created=placed.created,
        updated=datetime.now(UTC),
        dialled=None if (status or live.status) == "queued" else placed.created,
        answered=live.answered_at,
        ended=live.ended_at,
    )


@dataclass(frozen=True, slots=True)
class ListedCall:
    """A call of the account, for lists."""

    placed: PlacedCall

    @property
    def identity(self) -> CallIdentity:
        return self.placed.live.identity

    @property
    def status(self) -> CallStatus:
        return self.placed.status

    @property
    def dialled_at(self) -> datetime | None:
        return None if self.placed.status == "queued" else self.placed.created

    @property
    def ended_at(self) -> datetime | None:
        return self.placed.live.ended_at

    def resource(self) -> Mapping[str, object]:
        return resource(self.placed)


def _end(placed: PlacedCall, wanted: str) -> CallStatus:
    status = ends_as(placed.status, wanted)
    placed.live.hang_up("rest", status)
    return status
