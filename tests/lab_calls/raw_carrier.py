"""A carrier that a test drives frame by frame: Twilio's messages, made and broken by hand."""

import json
import secrets
import socket
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

import aiohttp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.demo.stage import CALLED, CALLER, LAB_ACCOUNT, LAB_TOKEN, Stage
from app.lab.phone.identity import new_sid
from app.lab.phone.signing import signature
from app.lab.phone.wire import CONNECTED, StreamIdentity, Writer
from app.lab.speech.coded import coded_audio

FRAME_MS = 20
LINE = 1_950
"""The coded stream of a raw carrier's line."""


def frame(tick: int) -> bytes:
    """The caller's quiet 20 ms of this tick."""
    return coded_audio(LINE, FRAME_MS * tick, FRAME_MS, quiet=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """Of a webhook."""

    status: int
    text: str

    @property
    def verbs(self) -> list[str]:
        return [child.tag for child in ElementTree.fromstring(self.text)]

    @property
    def parameters(self) -> dict[str, str]:
        """Those that the stream's `start` must bring back."""
        found = ElementTree.fromstring(self.text).iter("Parameter")
        return {each.attrib["name"]: each.attrib["value"] for each in found}


def form(call_sid: str, **more: str) -> dict[str, str]:
    return {
        "CallSid": call_sid,
        "AccountSid": LAB_ACCOUNT,
        "From": CALLER,
        "To": CALLED,
        "CallStatus": "ringing",
        "Direction": "inbound",
        **more,
    }


async def post(
    url: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> Answer:
    """A webhook. `headers` replace the right signature."""
    given = {"X-Twilio-Signature": signature(LAB_TOKEN, url, fields)}
    given = given if headers is None else dict(headers)
    given["Content-Type"] = "application/x-www-form-urlencoded"
    body = urlencode(fields).encode()
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=given) as response,
    ):
        return Answer(response.status, await response.text())


async def offer(stage: Stage, call_sid: str) -> Answer:
    """A call comes in."""
    return await post(f"{stage.url}/twilio/voice", form(call_sid))


@dataclass
class RawCarrier:
    """One media socket. Ticks count the frames sent."""

    socket: ClientConnection
    call_sid: str
    stream_sid: str = field(default_factory=lambda: new_sid("MZ"))
    ticks: int = 0

    def __post_init__(self) -> None:
        self.writer = Writer(StreamIdentity(self.stream_sid, self.call_sid, LAB_ACCOUNT))

    async def begin(self, parameters: Mapping[str, str]) -> None:
        await self.socket.send(CONNECTED)
        await self.socket.send(self.writer.start(parameters))

    async def talk(self, ticks: int) -> bytes:
        """That many good frames at once; returns their audio."""
        said = b""
        for _ in range(ticks):
            audio = frame(self.ticks)
            await self.socket.send(self.writer.media(audio, FRAME_MS * self.ticks))
            self.ticks += 1
            said += audio
        return said

    def media(self, **changes: Any) -> str:
        """A media message as it would come next, with changes at any depth ("media.payload")."""
        audio = frame(self.ticks)
        message = json.loads(self.writer.media(audio, FRAME_MS * self.ticks))
        for path, value in changes.items():
            *way, last = path.split("__")
            place = message
            for step in way:
                place = place[step]
            place[last] = value
        return json.dumps(message)

    async def until_closed(self) -> int:
        """Read on; the code with which the app closed the socket."""
        try:
            while True:
                await self.socket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else 1006


def media_url(stage: Stage) -> str:
    return stage.url.replace("http", "ws", 1) + "/twilio/media"


@asynccontextmanager
async def opened(  # type: ignore[no-untyped-def]
    stage: Stage,
    call_sid: str,
    *,
    headers: Mapping[str, str] | None = None,
    small: bool = False,
):
    """A media socket after its upgrade. `headers` replace the right signature; `small`: with
    little room in the kernel for what is not read."""
    url = media_url(stage)
    given = {"X-Twilio-Signature": signature(LAB_TOKEN, url)} if headers is None else headers
    tcp = socket.socket()
    if small:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    tcp.connect(("127.0.0.1", urlsplit(url).port))
    tcp.setblocking(False)
    async with connect(
        url, sock=tcp, additional_headers=given, compression=None, max_queue=1 if small else 64
    ) as connection:
        yield RawCarrier(connection, call_sid)


def stranger_sid() -> str:
    return "CA" + secrets.token_hex(16)
