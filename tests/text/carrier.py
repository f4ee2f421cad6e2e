"""Twilio's side of text messages, as far as these tests need it: signed webhooks in, REST out."""

import asyncio
import itertools
from base64 import b64encode
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import aiohttp
from aiohttp import web

from app.lab.phone.webhook import WebhookAnswer, Webhooks

ACCOUNT = "AC" + "0" * 32
TOKEN = "lab-token-of-no-account"
OURS = "+12025550102"
THEIRS = "+12025550101"


@dataclass
class Carrier:
    """`async with Carrier() as carrier:`; `sent` are the messages that it took, in order."""

    sent: list[dict[str, str]] = field(default_factory=list)
    asked: int = 0
    refuse: list[tuple[int, int]] = field(default_factory=list)
    """(HTTP status, code) of the next refusals."""
    opted_out: set[str] = field(default_factory=set)
    hang: bool = False
    base_url: str = ""
    took: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    _runner: web.AppRunner | None = None
    _http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Carrier":
        app = web.Application()
        app.router.add_post("/2010-04-01/Accounts/{account}/Messages.json", self._create)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}"
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def bodies(self) -> list[str]:
        return [message["Body"] for message in self.sent]

    def form(self, body: str, **fields: str) -> dict[str, str]:
        """An inbound message as Twilio describes it."""
        sid = fields.pop("MessageSid", f"SM{next(self._numbers):032x}")
        return {
            "MessageSid": sid,
            "SmsSid": sid,
            "AccountSid": ACCOUNT,
            "From": THEIRS,
            "To": OURS,
            "Body": body,
            "NumMedia": "0",
            "NumSegments": "1",
            **fields,
        }

    async def text(
        self, bot_url: str, body: str, *, token: str = TOKEN, **fields: str
    ) -> WebhookAnswer:
        """Somebody writes. Raises `WebhookFailed` unless the bot takes it."""
        return await self.post(f"{bot_url}/twilio/sms", self.form(body, **fields), token=token)

    async def post(self, url: str, form: dict[str, str], *, token: str = TOKEN) -> WebhookAnswer:
        assert self._http is not None
        return await Webhooks(self._http, token).request(url, form)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        form = {name: str(value) for name, value in (await request.post()).items()}
        pair = b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {pair}":
            return _refusal(401, 20003)
        if self.hang:
            await asyncio.sleep(3600)
        if self.refuse:
            return _refusal(*self.refuse.pop(0))
        if form["To"] in self.opted_out:
            return _refusal(400, 21610)
        self.sent.append(form)
        self.took.set()
        sid = f"SM{next(self._numbers):032x}"
        body: dict[str, Any] = {"sid": sid, "status": "queued", "num_segments": "1"}
        return web.json_response(body, status=201)


def _refusal(status: int, code: int) -> web.Response:
    body = {"code": code, "message": "no", "status": status, "more_info": ""}
    return web.json_response(body, status=status)
