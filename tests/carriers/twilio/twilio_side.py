"""Twilio's side of the webhooks: signed requests to a real server, and what came of them.

The fixtures `stage`, `world` and `twilio` are in conftest.py.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

import aiohttp
from starlette.applications import Starlette
from starlette.datastructures import ImmutableMultiDict
from starlette.types import ASGIApp, Receive, Scope, Send
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from app.call.endings import EndReason
from app.call.facts import CallFacts
from app.carriers.twilio.caller import FactSeals, from_parameters
from app.carriers.twilio.door import Admission, Ending, OfferedCall, TwilioDoor
from app.carriers.twilio.progress import CallProgress, StreamStatus
from app.carriers.twilio.signature import SignatureChecker
from app.carriers.twilio.tokens import Grant, StreamTokens
from app.carriers.twilio.webhooks import routes
from tests.onward.nowhere import Nowhere

AUTH = "0123456789abcdef"
PUBLIC = "https://bot.example.com/earshot"
CALL = "CA" + "0b" * 16
NOW_S = 1_800_000_000.0
SEALS = FactSeals([AUTH])
RINGING = (
    ("CallSid", CALL),
    ("From", "+14155550100"),
    ("To", "+14155550199"),
    ("CallStatus", "ringing"),
    ("Direction", "inbound"),
    ("CallerName", ""),
)
Form: TypeAlias = Sequence[tuple[str, str]]


@dataclass
class World:
    """What the webhooks did to the rest of the bot, and how it answers them."""

    offered: list[OfferedCall] = field(default_factory=list)
    progress: list[CallProgress] = field(default_factory=list)
    streams: list[StreamStatus] = field(default_factory=list)
    admission: Admission = "open"
    ending: EndReason | None = None
    detail: str = ""
    error: Exception | None = None
    gate: asyncio.Event | None = None
    began: asyncio.Event = field(default_factory=asyncio.Event)

    async def admit(self, call: OfferedCall) -> Admission:
        self.offered.append(call)
        self.began.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.admission

    async def ending_of(self, call_sid: str) -> Ending | None:
        assert call_sid == CALL
        return None if self.ending is None else Ending(self.ending, self.detail)

    async def on_progress(self, progress: CallProgress) -> None:
        self.progress.append(progress)

    async def on_stream(self, status: StreamStatus) -> None:
        self.streams.append(status)

    @property
    def untouched(self) -> bool:
        return not (self.offered or self.progress or self.streams)


def door(world: World, **changes: Any) -> TwilioDoor:
    whole = TwilioDoor(
        checker=SignatureChecker([AUTH], PUBLIC),
        tokens=StreamTokens([AUTH]),
        seals=SEALS,
        default_agent="reception",
        knows_agent={"reception", "sales"}.__contains__,
        ending_of=world.ending_of,
        onward=Nowhere(),
        admit=world.admit,
        on_progress=world.on_progress,
        on_stream=world.on_stream,
        now_s=lambda: NOW_S,
    )
    return replace(whole, **changes)


@dataclass
class Answered:
    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def verbs(self) -> list[str]:
        assert self.status == 200
        assert self.headers["content-type"] == "text/xml; charset=utf-8"
        return [child.tag for child in ElementTree.fromstring(self.text)]

    def find(self, path: str) -> Mapping[str, str]:
        found = ElementTree.fromstring(self.text).find(path)
        assert found is not None
        return found.attrib

    @property
    def parameters(self) -> Mapping[str, str]:
        """What Twilio will give back to us in the stream's `start`."""
        found = ElementTree.fromstring(self.text).findall("Connect/Stream/Parameter")
        return {each.attrib["name"]: each.attrib["value"] for each in found}

    @property
    def facts(self) -> CallFacts:
        """What the stream will know of the call."""
        facts = SEALS.open(from_parameters(self.parameters), CALL)
        assert facts is not None
        return facts

    @property
    def grant(self) -> Grant:
        token = self.find("Connect/Stream/Parameter")["value"]
        return StreamTokens([AUTH]).check(token, CALL, NOW_S).grant


@dataclass
class Twilio:
    """Requests as Twilio sends them: signed over the public URL, sent to wherever the bot is."""

    http: aiohttp.ClientSession
    base: str

    async def post(self, path: str, form: Form = RINGING, **changes: Any) -> Answered:
        """`path` may hold a query."""
        auth = changes.pop("auth", AUTH)
        headers = {
            "X-Twilio-Signature": sign(f"{PUBLIC}{path}", form, auth),
            "Content-Type": "application/x-www-form-urlencoded",
        } | changes.pop("headers", {})
        body = changes.pop("body", urlencode(form).encode())
        return await self.send("POST", path, headers, body)

    async def get(self, path: str) -> Answered:
        return await self.send("GET", path, {"X-Twilio-Signature": sign(f"{PUBLIC}{path}")})

    async def send(
        self, method: str, path: str, headers: Mapping[str, str | None], body: Any = None
    ) -> Answered:
        kept = {name: value for name, value in headers.items() if value is not None}
        url = f"{self.base}{path}"
        async with self.http.request(
            method, url, data=body, headers=kept, skip_auto_headers=["Content-Type"]
        ) as answer:
            return Answered(answer.status, await answer.text(), dict(lowered(answer.headers)))


def lowered(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in headers.items()]


def sign(url: str, form: Form = (), auth: str = AUTH) -> str:
    return str(RequestValidator(auth).compute_signature(url, ImmutableMultiDict(list(form))))


class Stage:
    """One server for all tests of this module; each test plays its own app on it."""

    def __init__(self) -> None:
        self.base = ""
        self.app: ASGIApp = Starlette()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    @asynccontextmanager
    async def serving(self, one: TwilioDoor) -> AsyncIterator[Twilio]:
        self.app = Starlette(routes=routes(one))
        async with aiohttp.ClientSession() as http:
            yield Twilio(http, self.base)


def queued_url(answer: Answered) -> str:
    """The path and query that a queued call asks next."""
    url = ElementTree.fromstring(answer.text)[-1].text or ""
    assert url.startswith(PUBLIC)
    return url.removeprefix(PUBLIC)


def path_of(url: str) -> str:
    parts = urlsplit(url.removeprefix(PUBLIC))
    return f"{parts.path}?{parts.query}"


def ended(status: str = "in-progress") -> Form:
    return [("CallSid", CALL), ("CallStatus", status), ("Direction", "inbound")]
