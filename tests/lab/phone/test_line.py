"""A call from dialling to its end: parameters, status callbacks, and many calls at once."""

import asyncio

import pytest

from app.lab.phone import HangUp, PhoneLine, Script, Wait
from app.lab.phone.people import CalleeAnswer
from app.lab.phone.report import LineEvent
from tests.lab.phone.bots import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    BOT_NUMBER,
    CALLER,
    FAST,
    STREAM,
    BotSide,
    WebBot,
    twiml,
)


def line_of(bot: WebBot, events: list[LineEvent] | None = None) -> PhoneLine:
    return PhoneLine(
        f"{bot.url}/voice",
        account_sid=ACCOUNT_SID,
        auth_token=AUTH_TOKEN,
        status_url=f"{bot.url}/status",
        pace=FAST,
        on_event=(events if events is not None else []).append,
    )


async def test_the_voice_webhook_carries_the_documented_parameters() -> None:
    async with WebBot({"/voice": twiml(), "/status": 204}) as bot:
        report = await line_of(bot).call(
            Script(), from_=CALLER, to=BOT_NUMBER, parameters={"ForwardedFrom": "+15005550012"}
        )
        (form,) = bot.forms("/voice")
        told = bot.forms("/status")
    assert form["CallSid"] == report.identity.call_sid
    assert (form["From"], form["To"], form["Caller"], form["Called"]) == (
        CALLER,
        BOT_NUMBER,
        CALLER,
        BOT_NUMBER,
    )
    assert (form["AccountSid"], form["ApiVersion"]) == (ACCOUNT_SID, "2010-04-01")
    assert (form["Direction"], form["CallStatus"]) == ("inbound", "ringing")
    assert (form["FromCity"], form["FromCountry"]) == ("", "US")
    assert form["ForwardedFrom"] == "+15005550012"
    assert form["StirVerstat"]
    assert [status["CallStatus"] for status in told] == ["completed"]


async def test_an_outbound_call_tells_its_life_in_numbered_callbacks() -> None:
    async with WebBot({"/voice": twiml("<Say>Hi</Say>"), "/status": 204}) as bot:
        await line_of(bot).call(
            Script(), from_=BOT_NUMBER, to=CALLER, direction="outbound", ring_ms=20
        )
        told = bot.forms("/status")
        (voice,) = bot.forms("/voice")
    assert (voice["Direction"], voice["CallStatus"]) == ("outbound-api", "in-progress")
    assert [(form["SequenceNumber"], form["CallStatus"]) for form in told] == [
        ("0", "initiated"),
        ("1", "ringing"),
        ("2", "in-progress"),
        ("3", "completed"),
    ]
    assert all(form["CallbackSource"] == "call-progress-events" for form in told)
    assert (told[-1]["CallDuration"], told[-1]["SipResponseCode"]) == ("0", "200")
    assert "CallDuration" not in told[0]
    assert told[0]["Timestamp"].endswith("+0000")


@pytest.mark.parametrize(
    ("callee", "statuses", "code"),
    [
        ("busy", ["initiated", "ringing", "busy"], "486"),
        ("failed", ["initiated", "failed"], "503"),
    ],
)
async def test_a_call_that_is_not_answered_asks_for_no_twiml(
    callee: CalleeAnswer, statuses: list[str], code: str
) -> None:
    async with WebBot({"/voice": twiml(), "/status": 204}) as bot:
        report = await line_of(bot).call(
            Script(), from_=BOT_NUMBER, to=CALLER, direction="outbound", callee=callee
        )
        told = bot.forms("/status")
        assert bot.forms("/voice") == []
    assert [form["CallStatus"] for form in told] == statuses
    assert told[-1]["SipResponseCode"] == code
    assert (report.status, report.ended_by) == (callee, "callee")


async def test_a_status_callback_that_fails_is_reported_and_harms_nothing() -> None:
    async with WebBot({"/voice": twiml(), "/status": 500}) as bot:
        report = await line_of(bot).call(Script(), from_=CALLER, to=BOT_NUMBER)
    assert report.status == "completed"
    assert [error.code for error in report.errors] == [11200]
    assert not report.as_scripted


async def test_live_events_tell_the_call_in_order() -> None:
    events: list[LineEvent] = []
    async with WebBot({"/voice": twiml(STREAM), "/status": 204}, BotSide.until_closed) as bot:
        script = Script((Wait(60), HangUp()))
        await line_of(bot, events).call(script, from_=CALLER, to=BOT_NUMBER)
    assert [(event.kind, event.text) for event in events if event.kind != "stream_started"] == [
        ("status", "ringing"),
        ("webhook", "twiml"),
        ("status", "in-progress"),
        ("verb", "Connect"),
        ("stream_stopped", "phone"),
        ("status", "completed"),
        ("ended", "caller"),
    ]


async def test_many_calls_run_side_by_side_on_one_line() -> None:
    async with WebBot({"/voice": twiml(STREAM), "/status": 204}, BotSide.until_closed) as bot:
        line = line_of(bot)
        script = Script((Wait(600), HangUp()))
        reports = await asyncio.gather(
            *(line.call(script, from_=CALLER, to=BOT_NUMBER) for _ in range(10))
        )
        received = [side.events().count("media") for side in bot.sides]
    assert len({report.identity.call_sid for report in reports}) == 10
    assert all(report.as_scripted for report in reports)
    assert sorted(received) == sorted(report.streams[0].sent_frames for report in reports)
    for report in reports:
        # From the stream's first tick to the one at which the caller hung up, none missing.
        stream = report.streams[0]
        assert stream.sent_frames == stream.ticks >= (600 - stream.began_ms) // 20 + 1


async def test_a_call_that_is_cancelled_leaves_nothing_running() -> None:
    async with WebBot({"/voice": twiml(STREAM), "/status": 204}, BotSide.until_closed) as bot:
        call = asyncio.ensure_future(line_of(bot).call(Script(), from_=CALLER, to=BOT_NUMBER))
        await bot.streaming()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert bot.sides[0].events()[-1] == "stop"
        assert [form["CallStatus"] for form in bot.forms("/status")] == ["failed"]
    assert asyncio.all_tasks() == {asyncio.current_task()}
