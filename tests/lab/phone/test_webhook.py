"""Webhooks are signed over exactly what is sent, and a bad answer is the bot's fault by code."""

import asyncio

import aiohttp
import pytest
from twilio.request_validator import (  # type: ignore[import-untyped, unused-ignore]
    RequestValidator,
)

from app.lab.phone import webhook
from app.lab.phone.webhook import WebhookFailed, Webhooks, read_method
from tests.lab.phone.bots import AUTH_TOKEN, WebBot

FIELDS = {"CallSid": "CA1", "FromCity": "", "From": "+15005550006", "Say": "a b&c=d"}


async def test_a_post_carries_the_form_the_signature_and_the_idempotency_token() -> None:
    async with WebBot({"/voice": "<Response/>"}) as bot, aiohttp.ClientSession() as session:
        url = f"{bot.url}/voice?x=1%202#rc=2"
        answer = await Webhooks(session, AUTH_TOKEN).request(url, FIELDS)
        assert (answer.status, answer.content_type) == (200, "text/xml")
        assert bot.forms("/voice") == [FIELDS]
        headers = bot.headers[0]
        made = headers["X-Twilio-Signature"]
        assert RequestValidator(AUTH_TOKEN).validate(f"{bot.url}/voice?x=1%202", FIELDS, made)
        assert headers["I-Twilio-Idempotency-Token"]


async def test_a_get_carries_its_parameters_in_the_signed_url() -> None:
    async with WebBot({"/voice": "<Response/>"}) as bot, aiohttp.ClientSession() as session:
        await Webhooks(session, AUTH_TOKEN).request(f"{bot.url}/voice?a=b", FIELDS, method="GET")
        assert bot.forms("/voice") == [{"a": "b", **FIELDS}]
        made = bot.headers[0]["X-Twilio-Signature"]
        url = f"{bot.url}/voice?a=b&CallSid=CA1&FromCity=&From=%2B15005550006&Say=a+b%26c%3Dd"
        assert RequestValidator(AUTH_TOKEN).validate(url, {}, made)


@pytest.mark.parametrize("status", [301, 404, 500])
async def test_any_answer_but_2xx_is_a_retrieval_failure(status: int) -> None:
    async with WebBot({"/voice": status}) as bot, aiohttp.ClientSession() as session:
        with pytest.raises(WebhookFailed, match=f"got {status}") as failure:
            await Webhooks(session, AUTH_TOKEN).request(f"{bot.url}/voice", {})
    assert failure.value.code == 11200


async def test_nobody_there_or_no_url_at_all(unused_tcp_port: int) -> None:
    async with aiohttp.ClientSession() as session:
        webhooks = Webhooks(session, AUTH_TOKEN)
        with pytest.raises(WebhookFailed) as refused:
            await webhooks.request(f"http://127.0.0.1:{unused_tcp_port}/", {})
        with pytest.raises(WebhookFailed) as relative:
            await webhooks.request("/relative", {})
    assert (refused.value.code, relative.value.code) == (11205, 11200)


async def test_a_bot_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TOTAL_LIMIT_S", 0.05)
    done = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, aiohttp.ClientSession() as session:
        with pytest.raises(WebhookFailed, match="no answer within") as failure:
            await Webhooks(session, AUTH_TOKEN).request(f"http://127.0.0.1:{port}/", {})
        done.set()
    assert failure.value.code == 11205


def test_the_method_is_post_unless_it_says_get() -> None:
    assert [read_method(text) for text in ("get", "GET", "POST", "", None)] == [
        "GET",
        "GET",
        "POST",
        "POST",
        "POST",
    ]
