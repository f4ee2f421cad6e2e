"""The telephone drives a bot that knows nothing of it, written from Twilio's documented messages.

The bot below answers the voice webhook with <Connect><Stream>, sends every caller frame back, asks
for a mark after each second of it and clears the playout when a key is pressed. What the caller
hears must be what the caller said: complete, in order, byte for byte.
"""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import WSMsgType, web
from twilio.request_validator import (  # type: ignore[import-untyped, unused-ignore]
    RequestValidator,
)

from app.lab.phone import (
    HangUp,
    Impairments,
    PhoneLine,
    Press,
    Say,
    Script,
    Wait,
    any_audio,
)

AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT_SID = "AC" + "1" * 32


class EchoBot:
    """Somebody else's bot."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.marks: list[str] = []
        self.base = ""
        self.validator = RequestValidator(AUTH_TOKEN)

    async def voice(self, request: web.Request) -> web.Response:
        form = await request.post()
        signature = request.headers["X-Twilio-Signature"]
        if not self.validator.validate(f"http://{self.base}/voice", form, signature):
            return web.Response(status=403)
        return web.Response(
            content_type="text/xml",
            text=f'<Response><Connect><Stream url="ws://{self.base}/media?dropped=1">'
            '<Parameter name="token" value="secret &amp; shared"/></Stream></Connect>'
            "<Say>Bye.</Say></Response>",
        )

    async def media(self, request: web.Request) -> web.StreamResponse:
        signature = request.headers["x-twilio-signature"]
        if request.query_string or not self.validator.validate(
            f"ws://{self.base}/media", {}, signature
        ):
            return web.Response(status=403)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        sid, frames = "", 0
        async for frame in socket:
            assert frame.type is WSMsgType.TEXT
            message = json.loads(frame.data)
            event = message["event"]
            self.seen.append(event)
            if event == "start":
                sid = message["start"]["streamSid"]
                assert message["start"]["customParameters"] == {"token": "secret & shared"}
            elif event == "media":
                payload = base64.b64decode(message["media"]["payload"])
                reply = {"payload": base64.b64encode(payload).decode()}
                await socket.send_json({"event": "media", "streamSid": sid, "media": reply})
                frames += 1
                if frames % 50 == 0:
                    mark = {"name": f"second {frames // 50}"}
                    await socket.send_json({"event": "mark", "streamSid": sid, "mark": mark})
            elif event == "mark":
                self.marks.append(message["mark"]["name"])
            elif event == "dtmf" and message["dtmf"]["digit"] == "*":
                await socket.send_json({"event": "clear", "streamSid": sid})
        return socket


@asynccontextmanager
async def serving(bot: EchoBot) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/voice", bot.voice)
    app.router.add_get("/media", bot.media)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    bot.base = f"127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield f"http://{bot.base}/voice"
    finally:
        await runner.cleanup()


def coded(tick: int, speech: bytes | None) -> bytes | None:
    """Caller audio that says where it is: its tick in its first bytes, then a ramp."""
    return tick.to_bytes(4, "big", signed=True) + bytes(range(156))


@pytest.mark.parametrize(
    "impairments",
    [Impairments(), Impairments(delay_ms=40, jitter_ms=30, seed=5)],
    ids=["direct", "delayed"],
)
async def test_the_echo_is_heard_complete_and_in_order(impairments: Impairments) -> None:
    bot = EchoBot()
    script = Script((Wait(2600), HangUp()), line_audio=coded, hears=any_audio)
    async with serving(bot) as url:
        line = PhoneLine(
            url, account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, impairments=impairments
        )
        report = await line.call(script, from_="+15005550006", to="+15005550010")
    (stream,) = report.streams
    heard = b"".join(frame for frame in stream.played.frames if frame)
    said = b"".join(coded(tick, None) or b"" for tick in range(stream.sent_frames))
    assert len(heard) > 160 * 100
    assert said.startswith(heard)
    assert bot.seen[:3] == ["connected", "start", "media"]
    assert bot.seen[-1] == "stop"
    assert bot.marks == ["second 1", "second 2"]
    assert [(mark.name, mark.fate) for mark in stream.played.marks] == [
        ("second 1", "played"),
        ("second 2", "played"),
    ]
    assert report.as_scripted
    assert (report.status, report.ended_by) == ("completed", "caller")


async def test_a_key_reaches_the_bot_and_its_clear_empties_the_playout() -> None:
    bot = EchoBot()
    script = Script((Say(b"\x10" * 1600), Press("*"), Wait(300), HangUp()), background="silence")
    async with serving(bot) as url:
        line = PhoneLine(url, account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN)
        report = await line.call(script, from_="+15005550006", to="+15005550010")
    assert "dtmf" in bot.seen
    assert len(report.streams[0].played.clears) == 1
    assert report.as_scripted


async def test_the_bot_hears_nothing_from_a_carrier_with_the_wrong_key() -> None:
    bot = EchoBot()
    async with serving(bot) as url:
        line = PhoneLine(url, account_sid=ACCOUNT_SID, auth_token="not the key")
        report = await line.call(Script(), from_="+15005550006", to="+15005550010")
    assert bot.seen == []
    assert [error.code for error in report.errors] == [11200]
    assert report.status == "failed"
