"""REST: recordings of calls are begun, paused, resumed, stopped, listed, fetched and deleted."""

from typing import Literal, cast

from aiohttp import web

from app.lab.phone.account import Account
from app.lab.phone.recording import CallRecording, PauseBehavior, Track
from app.lab.phone.rest_calls import find_call
from app.lab.phone.rest_form import one, read_form, recording_callback
from app.lab.phone.rest_wire import BAD_REQUEST, NOT_FOUND, NOT_IN_PROGRESS, RestError

CURRENT = "Twilio.CURRENT"


class RecordingRoutes:
    def __init__(self, account: Account) -> None:
        self._account = account
        self._recordings = account.recordings

    def add(self, router: web.UrlDispatcher, root: str) -> None:
        of_call = root + "/Calls/{sid}/Recordings"
        router.add_post(of_call + ".json", self._start)
        router.add_get(of_call + ".json", self._list)
        router.add_get(of_call + "/{recording}.json", self._fetch)
        router.add_post(of_call + "/{recording}.json", self._update)
        router.add_delete(of_call + "/{recording}.json", self._delete)
        own = root + "/Recordings/{recording}"
        router.add_get(own + ".wav", self._audio)
        router.add_get(own + ".json", self._fetch)
        router.add_delete(own + ".json", self._delete)
        router.add_get(own, self._audio)

    async def _start(self, request: web.Request) -> web.StreamResponse:
        placed = find_call(self._account, request)
        if placed.status != "in-progress":
            raise RestError(
                400, NOT_IN_PROGRESS, "Requested resource is not eligible for recording"
            )
        form = await read_form(request)
        channels: Literal[1, 2] = 2 if one(form, "RecordingChannels") == "dual" else 1
        begun = self._recordings.open(
            placed.live,
            "StartCallRecordingAPI",
            channels=channels,
            track=cast("Track", one(form, "RecordingTrack") or "both"),
            trim=one(form, "Trim") == "trim-silence",
            callback=recording_callback(form),
        )
        return web.json_response(begun.resource(), status=201)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        sid = find_call(self._account, request).live.identity.call_sid
        found = [each.resource() for each in reversed(self._recordings.of_call(sid))]
        return web.json_response({"recordings": found, "page": 0, "next_page_uri": None})

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._find(request).resource())

    async def _update(self, request: web.Request) -> web.StreamResponse:
        found = self._find(request)
        form = await read_form(request)
        wanted = one(form, "Status")
        if found.ended:
            raise RestError(400, NOT_IN_PROGRESS, "Recording is over. Cannot be changed.")
        if wanted == "paused":
            behavior = one(form, "PauseBehavior") or "silence"
            if behavior not in ("silence", "skip"):
                raise RestError(400, BAD_REQUEST, "PauseBehavior must be silence or skip")
            found.pause(cast("PauseBehavior", behavior))
        elif wanted == "in-progress":
            found.resume()
        elif wanted == "stopped":
            self._recordings.close(found)
        else:
            raise RestError(400, BAD_REQUEST, "Status must be paused, in-progress or stopped")
        return web.json_response(found.resource())

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        found = self._find(request)
        self._recordings.close(found)
        del self._recordings.by_sid[found.sid]
        return web.Response(status=204)

    async def _audio(self, request: web.Request) -> web.StreamResponse:
        """A recording that still runs has no audio yet."""
        found = self._find(request)
        if not found.ended:
            raise _missing(request)
        return web.Response(body=found.wav(), content_type="audio/x-wav")

    def _find(self, request: web.Request) -> CallRecording:
        sid = request.match_info["recording"]
        call_sid = request.match_info.get("sid")
        if sid == CURRENT and call_sid is not None:
            found = self._recordings.current(call_sid)
        else:
            found = self._recordings.by_sid.get(sid)
        if found is None or call_sid not in (None, found.call.identity.call_sid):
            raise _missing(request)
        return found


def _missing(request: web.Request) -> RestError:
    return RestError(404, NOT_FOUND, f"The requested resource {request.path} was not found")
