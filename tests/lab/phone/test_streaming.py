"""A <Stream> is opened as Twilio opens it, fails with Twilio's codes, and the TwiML goes on."""

import asyncio
import base64

import pytest
from twilio.request_validator import (  # type: ignore[import-untyped, unused-ignore]
    RequestValidator,
)

from app.lab.phone import (
    HangUp,
    Impairments,
    Noise,
    Say,
    Script,
    Stall,
    Wait,
    WaitForBot,
    any_audio,
)
from app.lab.phone.streaming import stream_url
from app.lab.phone.twiml import read_twiml
from app.lab.phone.websocket import ConnectFailed
from telecodecs.levels import ulaw_dbfs, ulaw_peak
from tests.lab.phone.bots import AUTH_TOKEN, BOT_NUMBER, CALLER, STREAM, BotSide, WebBot, twiml


def url_of(url: str, document: str = "https://bot.test/twilio/voice") -> str:
    body = f'<Response><Connect><Stream url="{url}"/></Connect></Response>'
    return stream_url(read_twiml(body)[0].children[0], document)


def test_stream_urls_are_absolute_or_relative_and_lose_their_query() -> None:
    assert url_of("wss://b.test/m/x?token=1") == "wss://b.test/m/x"
    assert url_of("/media") == "wss://bot.test/media"
    assert url_of("media") == "wss://bot.test/twilio/media"
    assert url_of("/media", "http://127.0.0.1:80/v") == "ws://127.0.0.1:80/media"
    assert url_of("ws://localhost:80/m") == "ws://localhost:80/m"
    assert url_of("ws://[::1]:80/m") == "ws://[::1]:80/m"


@pytest.mark.parametrize(
    ("url", "code"),
    [("ws://bot.test/m", 31922), ("https://bot.test/m", 31922), ("wss:///m", 31923)],
)
def test_other_stream_urls_are_refused_with_their_code(url: str, code: int) -> None:
    with pytest.raises(ConnectFailed) as error:
        url_of(url)
    assert error.value.code == code


async def test_the_upgrade_is_signed_over_the_socket_url_with_a_lower_case_header() -> None:
    async def media(side: BotSide) -> None:
        await side.next("start")

    async with WebBot({"/voice": twiml(STREAM.replace("/media", "/media?t=1"))}, media) as bot:
        await bot.line().call(Script(), from_=CALLER, to=BOT_NUMBER)
        side = bot.sides[0]
        assert side.target == "/media"
        assert "x-twilio-signature" in side.headers
        made = side.headers["x-twilio-signature"]
        assert RequestValidator(AUTH_TOKEN).validate(f"ws://{bot.base}/media", {}, made)


async def test_a_refused_upgrade_is_31920_and_the_twiml_goes_on() -> None:
    pages = {"/voice": twiml(STREAM, "<Say>Sorry.</Say>")}
    async with WebBot(pages) as bot:
        report = await bot.line().call(Script(), from_=CALLER, to=BOT_NUMBER)
    assert [error.code for error in report.errors] == [31920]
    assert [verb.name for verb in report.verbs] == ["Connect", "Say"]
    assert (report.status, report.ended_by, report.streams) == ("completed", "twiml", [])


async def test_when_the_bot_closes_the_action_is_asked_and_no_stop_is_sent() -> None:
    async def media(side: BotSide) -> None:
        await side.next("media")

    action = STREAM.replace("<Connect>", '<Connect action="/after">')
    pages = {"/voice": twiml(action, "<Say>never</Say>"), "/after": twiml("<Hangup/>")}
    async with WebBot(pages, media) as bot:
        report = await bot.line().call(Script(), from_=CALLER, to=BOT_NUMBER)
        assert "stop" not in bot.sides[0].events()
        (after,) = bot.forms("/after")
        assert after["CallStatus"] == "in-progress"
        assert after["CallSid"] == report.identity.call_sid
    assert report.streams[0].ended_by == "bot"
    assert [verb.name for verb in report.verbs] == ["Connect", "Hangup"]


async def test_when_the_caller_hangs_up_stop_is_the_last_message() -> None:
    async with WebBot({"/voice": twiml(STREAM)}, BotSide.until_closed) as bot:
        script = Script((Wait(200), HangUp()))
        delay = Impairments(delay_ms=80, jitter_ms=30)
        report = await bot.line(impairments=delay).call(script, from_=CALLER, to=BOT_NUMBER)
        events = bot.sides[0].events()
    assert events[:2] == ["connected", "start"]
    assert set(events[2:-1]) == {"media"}
    assert events[-1] == "stop"
    assert events.count("media") == report.streams[0].sent_frames
    assert (report.ended_by, report.streams[0].ended_by) == ("caller", "phone")


async def test_stream_status_callbacks_tell_of_start_stop_and_failure() -> None:
    stream = (
        '<Connect><Stream name="talk" url="ws://BASE/media" '
        'statusCallback="http://BASE/status"/></Connect>'
    )

    async def media(side: BotSide) -> None:
        await side.next("start")

    for handler, wanted in (
        (media, ["stream-started", "stream-stopped"]),
        (None, ["stream-error"]),
    ):
        async with WebBot({"/voice": twiml(stream), "/status": 204}, handler) as bot:
            report = await bot.line().call(Script(), from_=CALLER, to=BOT_NUMBER)
            told = bot.forms("/status")
        assert [form["StreamEvent"] for form in told] == wanted
        assert {form["CallSid"] for form in told} == {report.identity.call_sid}
        assert all(form["StreamName"] == "talk" and form["StreamSid"] for form in told)
        assert ("31920" in told[0].get("StreamError", "")) == (handler is None)


async def test_a_protocol_fault_ends_the_stream_as_31924() -> None:
    async def media(side: BotSide) -> None:
        await side.next("start")
        transport = side.socket._req.transport if side.socket._req else None
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"\xc1\x00")
        await side.until_closed()

    async with WebBot({"/voice": twiml(STREAM, "<Say>Sorry.</Say>")}, media) as bot:
        report = await bot.line().call(Script(), from_=CALLER, to=BOT_NUMBER)
    assert [fault.code for fault in report.faults] == [31924]
    assert report.streams[0].ended_by == "fault"
    assert report.verbs[-1].name == "Say"


async def test_what_the_caller_said_is_dated_on_the_clock_that_the_bot_sees() -> None:
    words = b"\xff" * 250 + b"\x20" * 1001 + b"\xff" * 349
    steps = (Wait(300), Say(words, "hm", kind="backchannel"), Wait(100), HangUp())
    line = Impairments(first_timestamp_ms=59, delay_ms=30, noise=Noise("pink", 40), seed=4)
    async with WebBot({"/voice": twiml(STREAM)}, BotSide.until_closed) as bot:
        script = Script(steps, background="silence")
        report = await bot.line(impairments=line).call(script, from_=CALLER, to=BOT_NUMBER)
        received = bot.sides[0].received
    media = [message["media"] for message in received if message["event"] == "media"]
    audio = b"".join(base64.b64decode(each["payload"]) for each in media)
    assert [int(each["timestamp"]) for each in media] == list(range(59, 59 + 20 * len(media), 20))
    loud = [at for at, byte in enumerate(audio) if ulaw_peak(bytes([byte])) > 4_000]
    (one,) = report.streams[0].spoken
    assert (one.kind, one.text) == ("backchannel", "hm")
    assert (one.onset_ms, one.end_ms) == (59 + loud[0] / 8, 59 + (loud[-1] + 1) / 8)
    assert report.spoken[0].onset_ms == pytest.approx(300 + 250 / 8)
    assert ulaw_dbfs(audio[:800]) == pytest.approx(-60, abs=3)


async def test_delays_apply_each_way_and_a_stall_holds_the_bots_audio() -> None:
    payload = {"payload": base64.b64encode(b"\x10" * 160 * 5).decode()}

    async def media(side: BotSide) -> None:
        await side.next("media")
        await side.send("media", media=payload)
        await side.send("mark", mark={"name": "end"})
        await side.until_closed()

    impairments = Impairments(delay_ms=60, stalls=(Stall(100, 300, "to_phone"),))
    script = Script((WaitForBot.finished(100), HangUp()), hears=any_audio)
    async with WebBot({"/voice": twiml(STREAM)}, media) as bot:
        report = await bot.line(impairments=impairments).call(script, from_=CALLER, to=BOT_NUMBER)
    played = report.streams[0].played
    assert played.heard_at(0) >= 400
    assert played.position == 800
    assert [mark.fate for mark in played.marks] == ["played"]
    assert played.marks[0].echoed_ms == played.last_heard_ms
