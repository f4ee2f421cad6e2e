"""Twilio's own async client creates, follows, redirects and ends calls that really take place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from twilio.base.exceptions import (  # type: ignore[import-untyped, unused-ignore]
    TwilioRestException,
)
from twilio.http.async_http_client import (  # type: ignore[import-untyped, unused-ignore]
    AsyncTwilioHttpClient,
)
from twilio.rest import Client  # type: ignore[import-untyped, unused-ignore]

from app.lab.phone import Callee, HangUp, Script, TwilioRest, Wait
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

# twilio 9.13 passes credentials in a way that aiohttp 3.14 has announced the end of.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

ALL_EVENTS = ["initiated", "ringing", "answered", "completed"]


@asynccontextmanager
async def api(callee: Callee, token: str = AUTH_TOKEN) -> AsyncIterator[tuple[TwilioRest, Any]]:
    """The API and Twilio's client for it. Only the base URL differs from the real thing."""
    async with (
        TwilioRest(
            account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, callee=lambda to: callee, pace=FAST
        ) as rest,
        AsyncTwilioHttpClient(timeout=5) as http,
    ):
        client = Client(ACCOUNT_SID, token, http_client=http)
        client.api.base_url = rest.base_url
        yield rest, client


async def refused(awaitable: Any) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as error:
        await awaitable
    return error.value.status, error.value.code


async def test_a_created_call_rings_is_answered_and_ends_as_the_twiml_says() -> None:
    callee = Callee(ring_ms=20)
    async with WebBot({"/out": twiml("<Say>Hi</Say>"), "/status": 204}) as bot:
        async with api(callee) as (rest, client):
            call = await client.calls.create_async(
                to=CALLER,
                from_=BOT_NUMBER,
                url=f"{bot.url}/out",
                status_callback=f"{bot.url}/status",
                status_callback_event=ALL_EVENTS,
            )
            assert (call.status, call.direction) == ("queued", "outbound-api")
            report = await rest.report(call.sid)
            assert rest.call_sids == (call.sid,)
            fetched = await client.calls(call.sid).fetch_async()
        told = bot.forms("/status")
    assert (fetched.status, fetched.duration, fetched.to) == ("completed", "0", CALLER)
    assert fetched.start_time is not None
    assert [form["CallStatus"] for form in told] == [
        "initiated",
        "ringing",
        "in-progress",
        "completed",
    ]
    assert [form["SequenceNumber"] for form in told] == ["0", "1", "2", "3"]
    assert [verb.name for verb in report.verbs] == ["Say"]


@pytest.mark.parametrize(
    ("callee", "options", "status"),
    [
        (Callee(answers="busy"), {}, "busy"),
        (Callee(answers="failed"), {}, "failed"),
        (Callee(ring_ms=5000), {"timeout": 0}, "no-answer"),
    ],
)
async def test_a_call_that_nobody_takes_ends_as_twilio_would_say(
    callee: Callee, options: dict[str, int], status: str
) -> None:
    async with WebBot({"/out": twiml(), "/status": 204}) as bot:
        async with api(callee) as (rest, client):
            call = await client.calls.create_async(
                to=CALLER,
                from_=BOT_NUMBER,
                url=f"{bot.url}/out",
                status_callback=f"{bot.url}/status",
                **options,
            )
            await rest.report(call.sid)
            assert (await client.calls(call.sid).fetch_async()).status == status
        assert [form["CallStatus"] for form in bot.forms("/status")] == [status]
        assert bot.forms("/out") == []


async def test_inline_twiml_needs_no_page() -> None:
    async with api(Callee()) as (rest, client):
        call = await client.calls.create_async(
            to=CALLER, from_=BOT_NUMBER, twiml=twiml("<Say>Hi</Say>")
        )
        report = await rest.report(call.sid)
    assert [verb.text for verb in report.verbs] == ["Hi"]
    assert report.as_scripted


async def test_completing_a_call_ends_its_stream_with_stop() -> None:
    async with WebBot({"/out": twiml(STREAM)}, BotSide.until_closed) as bot:
        async with api(Callee()) as (rest, client):
            call = await client.calls.create_async(
                to=CALLER, from_=BOT_NUMBER, url=f"{bot.url}/out"
            )
            await bot.streaming()
            updated = await client.calls(call.sid).update_async(status="completed")
            assert updated.status == "completed"
            report = await rest.report(call.sid)
            again = client.calls(call.sid).update_async(status="completed")
            assert await refused(again) == (400, 21220)
        assert bot.sides[0].events()[-1] == "stop"
    assert (report.ended_by, report.status) == ("rest", "completed")


@pytest.mark.parametrize("inline", [True, False])
async def test_a_redirect_ends_the_stream_and_runs_the_new_twiml(inline: bool) -> None:
    pages = {"/out": twiml(STREAM, "<Say>never</Say>"), "/new": twiml("<Say>Moved</Say>")}
    async with WebBot(pages, BotSide.until_closed) as bot:
        async with api(Callee()) as (rest, client):
            call = await client.calls.create_async(
                to=CALLER, from_=BOT_NUMBER, url=f"{bot.url}/out"
            )
            await bot.streaming()
            target = {"twiml": pages["/new"]} if inline else {"url": f"{bot.url}/new"}
            updated = await client.calls(call.sid).update_async(**target)
            assert updated.status == "in-progress"
            report = await rest.report(call.sid)
        assert bot.sides[0].events()[-1] == "stop"
    assert [(verb.name, verb.text, verb.cut) for verb in report.verbs] == [
        ("Connect", "", True),
        ("Say", "Moved", False),
    ]
    assert report.streams[0].ended_by == "phone"


async def test_a_redirect_to_a_new_stream_begins_it_anew() -> None:
    async with WebBot({"/out": twiml(STREAM)}, BotSide.until_closed) as bot:
        async with api(Callee(Script((Wait(500), HangUp())))) as (rest, client):
            call = await client.calls.create_async(
                to=CALLER, from_=BOT_NUMBER, url=f"{bot.url}/out"
            )
            await bot.streaming()
            await client.calls(call.sid).update_async(url=f"{bot.url}/out")
            report = await rest.report(call.sid)
        first, second = (side.received for side in bot.sides)
    assert first[1]["streamSid"] != second[1]["streamSid"]
    assert first[1]["start"]["callSid"] == second[1]["start"]["callSid"] == call.sid
    assert second[2]["media"]["timestamp"] == "0"
    assert second[2]["media"]["chunk"] == "1"
    assert len(report.streams) == 2


async def test_a_ringing_call_can_be_canceled_but_not_redirected() -> None:
    async with WebBot({"/out": twiml(), "/status": 204}) as bot:
        async with api(Callee(ring_ms=30_000)) as (rest, client):
            call = await client.calls.create_async(
                to=CALLER,
                from_=BOT_NUMBER,
                url=f"{bot.url}/out",
                status_callback=f"{bot.url}/status",
                status_callback_event=["ringing", "completed"],
            )
            await bot.asked("/status")
            assert (await client.calls(call.sid).fetch_async()).status == "ringing"
            redirect = client.calls(call.sid).update_async(url=f"{bot.url}/out")
            assert await refused(redirect) == (400, 21220)
            await client.calls(call.sid).update_async(status="canceled")
            report = await rest.report(call.sid)
        assert [form["CallStatus"] for form in bot.forms("/status")] == ["ringing", "canceled"]
    assert (report.status, report.ended_by) == ("canceled", "rest")


async def test_the_time_limit_ends_a_call() -> None:
    async with (
        WebBot({"/out": twiml(STREAM)}, BotSide.until_closed) as bot,
        api(Callee()) as (rest, client),
    ):
        call = await client.calls.create_async(
            to=CALLER, from_=BOT_NUMBER, url=f"{bot.url}/out", time_limit=1
        )
        report = await rest.report(call.sid)
    assert (report.ended_by, report.status) == ("limit", "completed")


async def test_requests_that_twilio_refuses_have_its_codes() -> None:
    async with api(Callee()) as (_, client):
        url = "http://127.0.0.1/out"
        create = client.calls.create_async
        assert await refused(create(to="12", from_=BOT_NUMBER, url=url)) == (400, 21211)
        assert await refused(create(to=CALLER, from_=BOT_NUMBER)) == (400, 21205)
        assert await refused(
            create(
                to=CALLER,
                from_=BOT_NUMBER,
                url=url,
                status_callback=url,
                status_callback_event=["answred"],
            )
        ) == (400, 20001)
        assert await refused(client.calls("CA404").fetch_async()) == (404, 20404)
        assert await refused(client.calls("CA404").update_async(status="completed")) == (404, 20404)
        assert await refused(client.messages("SM404").fetch_async()) == (404, 20404)
    async with api(Callee(), token="wrong") as (_, client):
        assert await refused(client.calls("CA404").fetch_async()) == (401, 20003)


async def test_leaving_hangs_up_what_still_runs() -> None:
    async with WebBot({"/out": twiml(STREAM)}, BotSide.until_closed) as bot:
        async with api(Callee()) as (rest, client):
            call = await client.calls.create_async(
                to=CALLER, from_=BOT_NUMBER, url=f"{bot.url}/out"
            )
            await bot.streaming()
        report = await rest.report(call.sid)
        assert bot.sides[0].events()[-1] == "stop"
    assert report.ended_by == "rest"
