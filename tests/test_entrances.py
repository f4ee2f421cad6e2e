"""Everything that is answered has its one place: behind a proxy with a path prefix the webhooks
answer whether the prefix was stripped or not, and beside them and the pages there is nothing."""

from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from app.demo.stage import LAB_ACCOUNT, LAB_KEY, LAB_TOKEN
from app.server import Worker, make_worker
from app.settings import Settings
from tests.asgi import ask

PUBLIC = "https://bot.example.com/bots"
CALL = {"CallSid": "CA" + "1" * 32, "From": "+15550100001", "To": "+15550100002"}


def worker() -> Worker:
    given = {
        "openai_api_key": LAB_KEY,
        "twilio_account_sid": LAB_ACCOUNT,
        "twilio_auth_token": LAB_TOKEN,
        "public_url": PUBLIC,
    }
    return make_worker(Settings.model_validate(given))


async def post(
    made: Worker, path: str, signed_path: str, form: dict[str, str] = CALL
) -> tuple[int, str]:
    """A webhook as Twilio signs it; `path` is what the proxy makes of it."""
    signature = RequestValidator(LAB_TOKEN).compute_signature(f"{PUBLIC}{signed_path}", form)
    headers = [
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"x-twilio-signature", signature.encode()),
    ]
    return await ask(made.app, path, "POST", headers, urlencode(form).encode())


@pytest.mark.parametrize("path", ["/twilio/voice", "/bots/twilio/voice"])
async def test_the_prefix_may_be_stripped_or_left_on(path: str) -> None:
    status, text = await post(worker(), path, "/twilio/voice")
    assert status == 200
    assert "<Connect" in text


async def test_another_prefix_is_nobodys() -> None:
    assert (await post(worker(), "/else/twilio/voice", "/twilio/voice"))[0] == 404


async def test_calls_texts_and_recordings_have_their_webhooks() -> None:
    made = worker()
    text = {"MessageSid": "SM" + "1" * 32, "MessageStatus": "queued"}
    recording = CALL | {"RecordingSid": "RE" + "1" * 32, "RecordingStatus": "in-progress"}
    for path, form in (("sms-status", text), ("recording", recording)):
        assert await post(made, f"/twilio/{path}", f"/twilio/{path}", form) == (204, "")


async def test_the_pages_are_there_and_no_others() -> None:
    made = worker()
    assert (await ask(made.app, "/healthz"))[0] == 200
    assert (await ask(made.app, "/readyz"))[0] == 200
    assert "earshot_" in (await ask(made.app, "/metrics"))[1]
    for path in ("/", "/docs", "/twilio", "/bots/healthz"):
        assert (await ask(made.app, path))[0] == 404


async def test_where_a_pbx_brings_the_calls_there_need_be_no_twilio() -> None:
    given = {"openai_api_key": LAB_KEY, "pbx_user": "pbx", "pbx_password": "a-password-of-16-x"}
    settings = Settings.model_validate(given)
    settings.require(*settings.needed_to_serve)
    made = make_worker(settings)
    assert (await ask(made.app, "/healthz"))[0] == 200
    assert (await ask(made.app, "/asterisk/next", "POST"))[0] == 401
    assert (await ask(made.app, "/twilio/voice", "POST"))[0] == 404


async def test_without_a_lock_a_pbx_finds_nothing() -> None:
    assert (await ask(worker().app, "/asterisk/next", "POST"))[0] == 404


async def test_a_call_is_let_in_and_its_end_frees_the_place() -> None:
    made = worker()
    await post(made, "/twilio/voice", "/twilio/voice")
    assert made.switchboard.offered == 1
    over = CALL | {"CallStatus": "completed", "SequenceNumber": "3"}
    assert await post(made, "/twilio/status", "/twilio/status", over) == (204, "")
    assert made.switchboard.offered == 0
