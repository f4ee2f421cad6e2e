"""Behind a proxy with a path prefix the webhooks answer whether the prefix was stripped or not,
and a stream that Twilio could not open is seen."""

import logging
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from app.demo.stage import LAB_ACCOUNT, LAB_KEY, LAB_TOKEN
from app.server import Worker, make_worker
from app.settings import Settings

PUBLIC = "https://bot.example.com/bots"


def worker() -> Worker:
    given = {
        "openai_api_key": LAB_KEY,
        "twilio_account_sid": LAB_ACCOUNT,
        "twilio_auth_token": LAB_TOKEN,
        "public_url": PUBLIC,
    }
    return make_worker(Settings.model_validate(given))


async def post(made: Worker, path: str, signed_path: str, form: dict[str, str]) -> int:
    """A webhook as Twilio signs it; `path` is what the proxy makes of it."""
    signature = RequestValidator(LAB_TOKEN).compute_signature(f"{PUBLIC}{signed_path}", form)
    body = urlencode(form).encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"x-twilio-signature", signature.encode()),
        ],
    }
    status = 0

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: object) -> None:
        nonlocal status
        assert isinstance(message, dict)
        status = message.get("status", status)

    await made.app(scope, receive, send)
    return status


CALL = {"CallSid": "CA" + "1" * 32, "From": "+15550100001", "To": "+15550100002"}


@pytest.mark.parametrize("path", ["/twilio/voice", "/bots/twilio/voice"])
async def test_the_prefix_may_be_stripped_or_left_on(path: str) -> None:
    assert await post(worker(), path, "/twilio/voice", CALL) == 200


async def test_another_prefix_is_nobodys() -> None:
    assert await post(worker(), "/else/twilio/voice", "/twilio/voice", CALL) == 404


async def test_a_stream_that_twilio_could_not_open_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    form = {**CALL, "StreamSid": "MZ1", "StreamEvent": "stream-error", "StreamError": "31920"}
    with caplog.at_level(logging.WARNING, logger="app.server"):
        assert await post(worker(), "/twilio/status", "/twilio/status", form) == 204
    (record,) = [r for r in caplog.records if r.name == "app.server"]
    assert record.__dict__["fields"]["error"] == "31920"
