"""REST: calls are created, looked at, redirected and ended; those of lines too."""

from collections.abc import Mapping
from datetime import UTC, datetime

from aiohttp import web

from app.lab.phone.account import Account, PlacedCall
from app.lab.phone.calling import place
from app.lab.phone.identity import ENDED, CallIdentity, CallStatus, new_sid
from app.lab.phone.leg import CallPlan
from app.lab.phone.rest_form import (
    Form,
    detection,
    fallback_source,
    one,
    read_form,
    recording_on_answer,
    seconds,
    status_callback,
    twiml_source,
)
from app.lab.phone.rest_wire import (
    BAD_REQUEST,
    GEO_FORBIDS_CALL,
    NOT_FOUND,
    NOT_IN_PROGRESS,
    NOT_OUR_NUMBER,
    RestError,
    call_resource,
    check_parties,
)


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
        source = twiml_source(form)
        callee = self._account.callee(to)
        sid = self._account.account_sid
        return CallPlan(
            identity=CallIdentity(new_sid("CA"), sid, from_, to, "outbound-api"),
            script=callee.script,
            first=source,
            fallback=fallback_source(form),
            status=status_callback(form),
            callee=callee.answers,
            ring_ms=callee.ring_ms,
            ring_limit_ms=seconds(form, "Timeout", 60) * 1000,
            time_limit_s=seconds(form, "TimeLimit", 0) or None,
            sip_code=callee.sip_code,
            answered_by=callee.answered_by,
            detection=detection(form),
            on_answer=recording_on_answer(form),
        )

    async def _list(self, request: web.Request) -> web.StreamResponse:
        """By To, From and Status, newest first; everything on one page."""
        wanted = {
            name: request.query[name]
            for name in ("To", "From", "Status", "ParentCallSid")
            if name in request.query
        }
        found = [resource(placed) for placed in reversed(self._account.calls.values())]
        names = {"To": "to", "From": "from", "Status": "status", "ParentCallSid": "parent_call_sid"}
        calls = [
            call
            for call in found
            if all(call[names[name]] == value for name, value in wanted.items())
        ]
        return web.json_response({"calls": calls, "page": 0, "next_page_uri": None})

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
        started=live.answered_at,
        ended=live.ended_at,
    )


def _end(placed: PlacedCall, wanted: str) -> CallStatus:
    waiting = placed.status in ("queued", "initiated", "ringing")
    if wanted == "canceled" and not waiting:
        raise RestError(400, NOT_IN_PROGRESS, "Call is in progress. Cannot cancel.")
    if wanted not in ("completed", "canceled"):
        raise RestError(400, BAD_REQUEST, "Status must be completed or canceled")
    status: CallStatus = "canceled" if waiting else "completed"
    placed.live.hang_up("rest", status)
    return status
