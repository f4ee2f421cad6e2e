"""REST: conferences and their participants, who are called, held, muted and removed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import cast

from aiohttp import web

from app.lab.phone.account import Account, PlacedCall
from app.lab.phone.calling import place
from app.lab.phone.conference import BEEPS, Attendance, Beep, Conference, Participant
from app.lab.phone.conference_events import WORDS, ConferenceCallback
from app.lab.phone.course import HungUp, Next
from app.lab.phone.identity import API_VERSION, CallIdentity, new_sid
from app.lab.phone.leg import CallPlan, Leg, sounds_for
from app.lab.phone.rest_calls import check_call
from app.lab.phone.rest_form import (
    Form,
    detection,
    one,
    read_form,
    recording_on_answer,
    seconds,
    status_callback,
    truth,
)
from app.lab.phone.rest_wire import (
    BAD_REQUEST,
    NOT_FOUND,
    RestError,
)
from app.lab.phone.webhook import Method, read_method

PARTICIPANT_STATUS: Mapping[str, str] = {
    "queued": "queued",
    "initiated": "connecting",
    "ringing": "ringing",
    "in-progress": "connected",
    "completed": "complete",
}


class ConferenceRoutes:
    def __init__(self, account: Account) -> None:
        self._account = account

    def add(self, router: web.UrlDispatcher, root: str) -> None:
        router.add_get(root + "/Conferences.json", self._list)
        path = root + "/Conferences/{conference}"
        router.add_get(path + ".json", self._fetch)
        router.add_post(path + ".json", self._update)
        router.add_get(path + "/Participants.json", self._participants)
        router.add_post(path + "/Participants.json", self._invite)
        router.add_get(path + "/Participants/{sid}.json", self._participant)
        router.add_post(path + "/Participants/{sid}.json", self._change)
        router.add_delete(path + "/Participants/{sid}.json", self._remove)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        found = [
            self._conference(each)
            for each in reversed(self._account.conferences.by_sid.values())
            if query.get("FriendlyName", each.name) == each.name
            and query.get("Status", each.status) == each.status
        ]
        return web.json_response({"conferences": found, "page": 0, "next_page_uri": None})

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._conference(self._find(request)))

    async def _update(self, request: web.Request) -> web.StreamResponse:
        found = self._find(request)
        form = await read_form(request)
        if one(form, "Status") == "completed":
            found.end("conference-ended-via-api")
        elif one(form, "Status"):
            raise RestError(400, BAD_REQUEST, "Status must be completed")
        url = one(form, "AnnounceUrl")
        if url:
            for each in tuple(found.participants.values()):
                found.announce(each, url, read_method(one(form, "AnnounceMethod")))
        return web.json_response(self._conference(found))

    async def _participants(self, request: web.Request) -> web.StreamResponse:
        found = self._find(request)
        told = [self._told(found, each) for each in found.participants.values()]
        told += [self._invited(found, sid) for sid in found.invited]
        return web.json_response({"participants": told, "page": 0, "next_page_uri": None})

    async def _invite(self, request: web.Request) -> web.StreamResponse:
        """Calls somebody into the conference. Its name will do, also of one to be."""
        form = await read_form(request)
        to, from_ = one(form, "To"), one(form, "From")
        check_call(self._account, to, from_)
        name = request.match_info["conference"]
        known = self._account.conferences.find(name)
        if (known is None and name.startswith("CF")) or (known and known.status == "completed"):
            raise _missing(request)
        how = _attendance(form)
        conference = known or self._account.conferences.enter(name)
        conference.events.adopt(how.callback)
        placed = self._call(conference, how, form, to, from_)
        sid = placed.live.identity.call_sid
        return web.json_response(self._invited(conference, sid), status=201)

    def _call(
        self, conference: Conference, how: Attendance, form: Form, to: str, from_: str
    ) -> PlacedCall:
        callee = self._account.callee(to)

        async def join(leg: Leg) -> Next:
            await conference.attend(leg.call, how, sounds_for(leg))
            return HungUp("far_end")

        identity = CallIdentity(new_sid("CA"), self._account.account_sid, from_, to, "outbound-api")
        plan = CallPlan(
            identity=identity,
            script=callee.script,
            first=None,
            status=status_callback(form),
            callee=callee.answers,
            ring_ms=callee.ring_ms,
            ring_limit_ms=seconds(form, "Timeout", 60) * 1000,
            time_limit_s=seconds(form, "TimeLimit", 0) or None,
            sip_code=callee.sip_code,
            answered_by=callee.answered_by,
            verdicts=callee.verdicts,
            detection=detection(form, "AmdStatusCallback"),
            join=join,
            on_answer=recording_on_answer(form),
        )
        placed = place(plan, self._account)
        conference.invited[identity.call_sid] = (placed.live, how)
        placed.task.add_done_callback(lambda done: conference.unanswered(placed.live, how))
        return placed

    async def _participant(self, request: web.Request) -> web.StreamResponse:
        conference = self._find(request)
        sid = request.match_info["sid"]
        if sid in conference.invited:
            return web.json_response(self._invited(conference, sid))
        return web.json_response(self._told(conference, self._present(conference, request)))

    async def _change(self, request: web.Request) -> web.StreamResponse:
        conference = self._find(request)
        found = self._present(conference, request)
        form = await read_form(request)
        hold = one(form, "HoldUrl")
        if hold:
            found.hold_url, found.hold_method = hold, _get_unless_post(one(form, "HoldMethod"))
        conference.change(
            found,
            muted=truth(form, "Muted"),
            hold=truth(form, "Hold"),
            ends=truth(form, "EndConferenceOnExit"),
        )
        announce = one(form, "AnnounceUrl")
        if announce:
            conference.announce(found, announce, read_method(one(form, "AnnounceMethod")))
        return web.json_response(self._told(conference, found))

    async def _remove(self, request: web.Request) -> web.StreamResponse:
        conference = self._find(request)
        invited = conference.invited.get(request.match_info["sid"])
        if invited is not None:
            invited[0].hang_up("rest", "canceled")
        else:
            conference.remove(self._present(conference, request).call_sid)
        return web.Response(status=204)

    def _find(self, request: web.Request) -> Conference:
        found = self._account.conferences.find(request.match_info["conference"])
        if found is None:
            raise _missing(request)
        return found

    def _present(self, conference: Conference, request: web.Request) -> Participant:
        """By call SID or by label."""
        wanted = request.match_info["sid"]
        for each in conference.participants.values():
            if wanted in (each.call_sid, each.how.label):
                return each
        raise _missing(request)

    def _conference(self, one_: Conference) -> Mapping[str, object]:
        uri = f"/{API_VERSION}/Accounts/{one_.account_sid}/Conferences/{one_.sid}"
        return {
            "sid": one_.sid,
            "account_sid": one_.account_sid,
            "friendly_name": one_.name,
            "status": one_.status,
            "region": "us1",
            "api_version": API_VERSION,
            "date_created": format_datetime(one_.created),
            "date_updated": format_datetime(one_.updated),
            "reason_conference_ended": one_.reason_ended or None,
            "call_sid_ending_conference": one_.ended_by or None,
            "uri": uri + ".json",
            "subresource_uris": {"participants": uri + "/Participants.json"},
        }

    def _told(self, conference: Conference, found: Participant) -> Mapping[str, object]:
        how = replace(found.how, muted=found.muted, ends=found.ends)
        return _participant(conference, found.call_sid, how, "connected", hold=found.hold)

    def _invited(self, conference: Conference, sid: str) -> Mapping[str, object]:
        call, how = conference.invited[sid]
        status = PARTICIPANT_STATUS.get(call.status, "failed")
        return _participant(conference, sid, how, status)


def _participant(
    conference: Conference, call_sid: str, how: Attendance, status: str, *, hold: bool = False
) -> Mapping[str, object]:
    path = f"/{API_VERSION}/Accounts/{conference.account_sid}/Conferences/{conference.sid}"
    now = format_datetime(datetime.now(UTC))
    return {
        "account_sid": conference.account_sid,
        "call_sid": call_sid,
        "conference_sid": conference.sid,
        "label": how.label or None,
        "muted": how.muted,
        "hold": hold,
        "coaching": bool(how.coaches),
        "call_sid_to_coach": how.coaches or None,
        "end_conference_on_exit": how.ends,
        "start_conference_on_enter": how.starts,
        "status": status,
        "queue_time": "0",
        "date_created": now,
        "date_updated": now,
        "uri": f"{path}/Participants/{call_sid}.json",
    }


def _attendance(form: Form) -> Attendance:
    beep = one(form, "Beep") or "true"
    if beep not in BEEPS:
        raise RestError(400, BAD_REQUEST, "Beep must be true, false, onEnter or onExit")
    starts, ends = truth(form, "StartConferenceOnEnter"), truth(form, "EndConferenceOnExit")
    return Attendance(
        label=one(form, "Label"),
        muted=truth(form, "Muted") or False,
        starts=True if starts is None else starts,
        ends=ends or False,
        beep=cast("Beep", beep),
        wait_url=form["WaitUrl"][0] if "WaitUrl" in form else None,
        wait_method=read_method(one(form, "WaitMethod")),
        coaches=one(form, "CallSidToCoach"),
        callback=_conference_callback(form),
    )


def _conference_callback(form: Form) -> ConferenceCallback | None:
    url = one(form, "ConferenceStatusCallback")
    if not url:
        return None
    named = {
        word for each in form.get("ConferenceStatusCallbackEvent", []) for word in each.split()
    }
    events = WORDS.intersection(named) or frozenset({"start", "end"})
    return ConferenceCallback(url, read_method(one(form, "ConferenceStatusCallbackMethod")), events)


def _get_unless_post(method: str) -> Method:
    return "POST" if method.upper() == "POST" else "GET"


def _missing(request: web.Request) -> RestError:
    return RestError(404, NOT_FOUND, f"The requested resource {request.path} was not found")
