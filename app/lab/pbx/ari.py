"""Asterisk's REST interface, as far as a bot that places calls needs it: one whose orders really
happen, or are refused as Asterisk refuses them.

    async with PbxAri(phone, people, user="earshot", password="...", news_url=...) as ari:
        ...  # EARSHOT_ARI_URL=ari.base_url
        report = await ari.report(channel_id)

Source: Asterisk docs, "Channels REST API" and "Asterisk REST API".
"""

import asyncio
import base64
import hmac
import json
import re
from collections.abc import Mapping
from types import TracebackType

from aiohttp import web
from aiohttp.typedefs import Handler

from app.lab.pbx.dialplan import Dialplan
from app.lab.pbx.line import PbxPhone
from app.lab.pbx.outgoing import News, OutgoingCall
from app.lab.phone.people import Callee, Directory, find
from app.lab.phone.report import CallReport
from app.lab.phone.rest_manners import RestManners

_LOCAL = re.compile(r"Local/(?P<exten>[^@/]+)@(?P<context>[\w-]+)(/n)?\Z")
CONTEXTS = {"earshot-out", "earshot-outgoing"}
"""What the dialplan has for calls of the bot."""


class PbxAri:
    """The HTTP server of one PBX, on a loopback port of its own. `people`: who is at a number or a
    SIP address. `news_url`: where the dialplan tells what came of a call."""

    def __init__(
        self,
        phone: PbxPhone,
        people: Directory,
        *,
        user: str,
        password: str,
        news_url: str,
        manners: RestManners | None = None,
    ) -> None:
        self.calls: dict[str, OutgoingCall] = {}
        """All that there ever were, by the channel's id, oldest first; also those that are over."""
        self.requests: list[tuple[str, str]] = []
        """(method, path) of all that came with the right login."""
        self.news = News(news_url)
        self.manners = manners or RestManners()
        self.base_url = ""
        """For EARSHOT_ARI_URL; set once the server runs."""
        self._phone = phone
        self._people = people
        self._login = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._tasks: dict[str, asyncio.Task[CallReport]] = {}
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> "PbxAri":
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/ari/asterisk/ping", self._ping)
        app.router.add_get("/ari/channels", self._list)
        app.router.add_post("/ari/channels/{id}", self._originate)
        app.router.add_get("/ari/channels/{id}", self._fetch)
        app.router.add_delete("/ari/channels/{id}", self._delete)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up what still runs, wait for its end, stop the server."""
        for call in self.calls.values():
            call.hang_up()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    async def report(self, channel_id: str) -> CallReport:
        """Wait for a call's end, of which the bot's server was told by then. Raises KeyError for a
        call that there never was."""
        return await asyncio.shield(self._tasks[channel_id])

    def calls_to(self, address: str) -> list[OutgoingCall]:
        return [call for call in self.calls.values() if call.live.identity.to == address]

    @property
    def dialplan(self) -> Dialplan:
        return self._phone.dialplan

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").removeprefix("Basic ")
        if not hmac.compare_digest(given.encode(), self._login.encode()):
            headers = {"WWW-Authenticate": 'Basic realm="Asterisk REST Interface"'}
            return _said(401, "Authentication required", headers)
        self.requests.append((request.method, request.path))
        try:
            answer = await handler(request)
        except web.HTTPException as error:
            return _said(error.status, "Resource not found")
        if self.manners.loses(request.method, request.path):
            _lose(request)
        return answer

    async def _ping(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"asterisk_id": "lab", "ping": "pong", "timestamp": ""})

    async def _originate(self, request: web.Request) -> web.StreamResponse:
        query, channel_id = request.query, request.match_info["id"]
        wrong = _what_is_wrong(query)
        if wrong:
            return _said(400, wrong)
        if channel_id in self._live:
            return _said(409, "Channel with given unique ID already exists")
        local = _LOCAL.match(query["endpoint"])
        if local is None or local["context"] not in CONTEXTS:
            return _said(500, "Allocation failed")
        variables = _variables(await request.text())
        if variables is None:
            return _said(400, "Invalid JSON")
        call = self._begin(channel_id, variables, local["exten"])
        return web.json_response(_resource(call))

    def _begin(self, channel_id: str, variables: Mapping[str, str], exten: str) -> OutgoingCall:
        to = exten if exten.startswith("+") else variables.get("EARSHOT_TO", "")
        callee: Callee = find(self._people, to)
        call = OutgoingCall(self._phone, callee, self.news, channel_id, variables)
        self.calls[channel_id] = call
        self._tasks[channel_id] = asyncio.create_task(call.run(), name="a channel")
        return call

    @property
    def _live(self) -> dict[str, OutgoingCall]:
        return {key: call for key, call in self.calls.items() if not call.live.over.is_set()}

    async def _list(self, request: web.Request) -> web.StreamResponse:
        return web.json_response([_resource(call) for call in self._live.values()])

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        call = self._live.get(request.match_info["id"])
        return _said(404, "Channel not found") if call is None else _found(call)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        call = self._live.get(request.match_info["id"])
        if call is None:
            return _said(404, "Channel not found")
        call.hang_up()
        return web.Response(status=204)


def _lose(request: web.Request) -> None:
    """It was carried out, and nobody learns of it."""
    if request.transport is not None:
        request.transport.abort()


def _what_is_wrong(query: Mapping[str, str]) -> str:
    """Of an order; "": nothing."""
    endpoint = query.get("endpoint", "")
    if not endpoint:
        return "Endpoint must be specified"
    if "/" not in endpoint:
        return "Invalid endpoint specified"
    if not (query.get("extension") or query.get("app")):
        return "Application or extension must be specified"
    return ""


def _variables(text: str) -> dict[str, str] | None:
    """By name without underscores; None: it is no JSON object as ARI takes it."""
    try:
        given = json.loads(text) if text else {}
        found = dict(given.get("variables", {}))
    except (ValueError, AttributeError, TypeError):
        return None
    return {name.lstrip("_"): str(value) for name, value in found.items()}


def _found(call: OutgoingCall) -> web.Response:
    return web.json_response(_resource(call))


def _resource(call: OutgoingCall) -> Mapping[str, object]:
    """A Channel. Of the first half of a Local channel."""
    who = call.live.identity
    return {
        "id": call.channel_id,
        "name": f"Local/{who.to}@earshot-out-00000001;1",
        "state": call.state,
        "caller": {"name": "", "number": who.from_},
        "connected": {"name": "", "number": ""},
        "accountcode": "",
        "dialplan": {"context": "earshot-outgoing", "exten": "talk", "priority": 1},
        "creationtime": call.created.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000",
        "language": "en",
    }


def _said(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"message": message}, status=status, headers=headers)
