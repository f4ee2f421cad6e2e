"""A bot of its own make, in a process's web server: greets, answers, and yields when spoken to.

It knows Twilio's documented messages and nothing of the lab. Its words are a tone.
"""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import WSMsgType, web
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from telecodecs.g711 import FRAME_BYTES
from telecodecs.levels import ulaw_dbfs

TOKEN = "any-secret-of-yours"
_TONE = (b"\x10\x10\x10\x10\x90\x90\x90\x90" * 20)[:FRAME_BYTES]
_LOUD_DBFS = -40.0
_PAUSE_FRAMES = 25
"""Quiet after which the caller's turn is over: half a second."""


class Conversation:
    """One media socket."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._stream_sid = ""
        self._quiet = 0
        self._caller_spoke = False
        self._said = 0

    async def take(self, message: dict[str, object]) -> None:
        match message:
            case {"event": "start", "streamSid": str(stream_sid)}:
                self._stream_sid = stream_sid
                await self._say(40)
            case {"event": "media", "media": {"payload": str(payload)}}:
                await self._hear(base64.b64decode(payload))

    async def _hear(self, frame: bytes) -> None:
        if ulaw_dbfs(frame) > _LOUD_DBFS:
            if not self._caller_spoke:
                await self._send("clear")
            self._caller_spoke, self._quiet = True, 0
            return
        self._quiet += 1
        if self._caller_spoke and self._quiet == _PAUSE_FRAMES:
            self._caller_spoke = False
            await self._say(150)

    async def _say(self, frames: int) -> None:
        for _ in range(frames):
            await self._send("media", media={"payload": base64.b64encode(_TONE).decode()})
        self._said += 1
        await self._send("mark", mark={"name": f"answer {self._said}"})

    async def _send(self, event: str, **body: object) -> None:
        await self._socket.send_json({"event": event, "streamSid": self._stream_sid, **body})


@asynccontextmanager
async def tiny_bot() -> AsyncIterator[str]:
    """Serve the bot; gives its voice URL."""
    base = ""

    async def voice(request: web.Request) -> web.Response:
        form = await request.post()
        signature = request.headers["X-Twilio-Signature"]
        if not RequestValidator(TOKEN).validate(f"http://{base}/voice", form, signature):
            return web.Response(status=403)
        stream = f'<Response><Connect><Stream url="ws://{base}/media"/></Connect></Response>'
        return web.Response(text=stream, content_type="text/xml")

    async def media(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        conversation = Conversation(socket)
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                await conversation.take(json.loads(frame.data))
        return socket

    app = web.Application()
    app.add_routes([web.post("/voice", voice), web.get("/media", media)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield f"http://{base}/voice"
    finally:
        await runner.cleanup()
