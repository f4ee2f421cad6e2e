"""A small web server in the role of the bot: TwiML by path, a handler for its media socket."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeAlias

from aiohttp import WSMsgType, web

from app.lab.phone import Impairments, Pace, PhoneLine

ACCOUNT_SID = "AC" + "a" * 32
AUTH_TOKEN = "f" * 32
CALLER = "+15005550006"
BOT_NUMBER = "+15005550010"
FAST = Pace(say_ms_per_char=0, play_ms=0, pause_factor=0)

Media: TypeAlias = Callable[["BotSide"], Awaitable[None]]


@dataclass
class BotSide:
    """The bot's end of one media socket."""

    socket: web.WebSocketResponse
    headers: Mapping[str, str]
    target: str
    """Path and query of the upgrade request."""
    tell: Callable[[], Awaitable[None]]
    stream_sid: str = ""
    received: list[dict[str, Any]] = field(default_factory=list)

    async def next(self, event: str = "") -> dict[str, Any] | None:
        """The next message of this kind (any if ""); None when the carrier closed."""
        async for frame in self.socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            message: dict[str, Any] = json.loads(frame.data)
            self.received.append(message)
            if len(self.received) <= 3:
                await self.tell()
            if message["event"] == "start":
                self.stream_sid = message["streamSid"]
            if event in ("", message["event"]):
                return message
        return None

    async def until_closed(self) -> None:
        while await self.next() is not None:
            pass

    async def send(self, event: str, **body: object) -> None:
        await self.socket.send_json({"event": event, "streamSid": self.stream_sid, **body})

    def events(self) -> list[str]:
        return [message["event"] for message in self.received]


class WebBot:
    """`pages` maps a path to TwiML, or to an HTTP status to answer with."""

    def __init__(self, pages: Mapping[str, str | int], media: Media | None = None) -> None:
        self.pages = dict(pages)
        self.media = media
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.headers: list[Mapping[str, str]] = []
        self.sides: list[BotSide] = []
        self.base = ""
        self._news = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://{self.base}"

    async def __aenter__(self) -> "WebBot":
        app = web.Application()
        app.router.add_get("/media", self._media)
        app.router.add_route("*", "/{tail:.*}", self._page)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base = f"127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def forms(self, path: str) -> list[dict[str, str]]:
        """The parameters of each request to this path, in order."""
        return [form for seen, form in self.requests if seen == path]

    async def asked(self, path: str) -> None:
        """Returns once this path was requested."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: bool(self.forms(path)))

    async def streaming(self) -> None:
        """Returns once caller audio has arrived on the newest media socket."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(
                lambda: bool(self.sides) and "media" in self.sides[-1].events()
            )

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    def line(self, path: str = "/voice", impairments: Impairments | None = None) -> PhoneLine:
        """A number that this bot answers."""
        return PhoneLine(
            self.url + path,
            account_sid=ACCOUNT_SID,
            auth_token=AUTH_TOKEN,
            impairments=impairments,
            pace=FAST,
        )

    async def _page(self, request: web.Request) -> web.Response:
        fields = await request.post() if request.method == "POST" else request.query
        self.requests.append((request.path, {name: str(fields[name]) for name in fields}))
        self.headers.append(dict(request.headers))
        await self._tell()
        page = self.pages.get(request.path, 404)
        if isinstance(page, int):
            return web.Response(status=page)
        return web.Response(text=page.replace("BASE", self.base), content_type="text/xml")

    async def _media(self, request: web.Request) -> web.StreamResponse:
        if self.media is None:
            return web.Response(status=403)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        side = BotSide(socket, dict(request.headers), request.path_qs, self._tell)
        self.sides.append(side)
        await self.media(side)
        await socket.close()
        return socket


STREAM = '<Connect><Stream url="ws://BASE/media"/></Connect>'


def twiml(*verbs: str) -> str:
    return f"<Response>{''.join(verbs)}</Response>"
