"""A request that never ends, or whose sender leaves, costs a bounded time and opens nothing."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from app.carriers import body
from app.carriers.twilio.intake import RefusedError, Webhook, receive
from app.carriers.twilio.signature import SignatureChecker

URL = "https://bot.example.com/twilio/status"
CHECKER = SignatureChecker(["secret"], "https://bot.example.com")


def request(receive_: Receive, **more: str) -> Request:
    fields = {"CallSid": "CA1", **more}
    signature = RequestValidator("secret").compute_signature(URL, fields)
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/twilio/status",
        "raw_path": b"/twilio/status",
        "query_string": b"",
        "headers": [
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"x-twilio-signature", signature.encode()),
        ],
    }
    return Request(scope, receive_)


def sends(*messages: Message) -> Receive:
    left = list(messages)

    async def receive_() -> Message:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    return receive_


async def refusal(receive_: Receive, **more: str) -> tuple[int, str]:
    """`more`: what is signed besides the CallSid."""
    with pytest.raises(RefusedError) as caught:
        await receive(request(receive_, **more), CHECKER, ("POST",))
    return caught.value.status, caught.value.reason


async def test_a_body_may_come_in_pieces() -> None:
    pieces = sends(
        {"type": "http.request", "body": b"Call", "more_body": True},
        {"type": "http.request", "body": b"Sid=CA1", "more_body": False},
    )
    webhook = await receive(request(pieces), CHECKER, ("POST",))
    assert webhook == Webhook("CA1", {"CallSid": "CA1"}, {}, None)


async def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "READ_S", 0.01)
    slow = sends({"type": "http.request", "body": b"CallSid=CA1", "more_body": True})
    assert await refusal(slow) == (408, "body_too_slow")


async def test_a_sender_that_leaves_is_no_accident() -> None:
    gone = sends(
        {"type": "http.request", "body": b"CallSid=CA1", "more_body": True},
        {"type": "http.disconnect"},
    )
    assert await refusal(gone) == (400, "client_left")


async def test_the_webhook_shows_nothing_of_the_caller() -> None:
    assert "4155550100" not in repr(Webhook("CA1", {"From": "+14155550100"}, {"q": "4155550100"}))


async def test_a_body_without_a_length_is_cut_off_at_the_limit() -> None:
    half = {"type": "http.request", "body": b"x" * 40_000, "more_body": True}
    assert await refusal(sends(half, half, half)) == (413, "body_too_large")


@pytest.mark.parametrize("name", ["CallSid", "SipDomain", "SipSourceIp", "StirVerstat"])
async def test_a_field_that_steers_us_may_not_be_given_twice(name: str) -> None:
    given = f"CallSid=CA1&{name}=CA1&{name}=CA1".encode()
    twice = {"type": "http.request", "body": given, "more_body": False}
    assert await refusal(sends(twice), **{name: "CA1"}) == (400, "repeated_field")
