"""What Twilio says of messages is read as it is meant, and only what it signed is read at all."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import uvicorn
from starlette.applications import Starlette

from app.carriers.body import MOST_BODY_BYTES
from app.carriers.twilio.intake import Webhook
from app.carriers.twilio.public_url import SMS_PATH, SMS_STATUS_PATH
from app.carriers.twilio.signature import SignatureChecker
from app.carriers.twilio.sms import (
    MOST_BODY_CHARACTERS,
    DeliveryReport,
    InboundSms,
    SmsDoor,
    read_delivery,
    read_message,
    sms_routes,
)
from app.demo.stage import free_port
from app.lab.phone.webhook import WebhookFailed
from tests.text.carrier import OURS, THEIRS, TOKEN, Carrier

SID = "SM" + "c" * 32


def webhook(**fields: str) -> Webhook:
    return Webhook("", {"MessageSid": SID, "From": THEIRS, "To": OURS, **fields}, {})


def test_a_message_is_read_with_all_that_matters() -> None:
    service = "MG" + "a" * 32
    read = read_message(
        webhook(Body="Hi", NumMedia="2", OptOutType="stop", MessagingServiceSid=service)
    )
    assert read == InboundSms(SID, THEIRS, OURS, "Hi", 2, "STOP", service)


@pytest.mark.parametrize("odd", ["", "-1", "many", "1e3", "٣", "1000"])
def test_a_count_of_pictures_that_is_none_counts_none(odd: str) -> None:
    assert read_message(webhook(NumMedia=odd)).n_media == 0


def test_an_unknown_opt_out_is_none_and_a_body_has_an_end() -> None:
    read = read_message(webhook(OptOutType="MAYBE", Body="x" * 10_000))
    assert (read.opt_out, len(read.body)) == ("", MOST_BODY_CHARACTERS)


def test_numbers_and_words_do_not_show_in_a_repr() -> None:
    shown = repr(read_message(webhook(Body="secret")))
    assert THEIRS not in shown
    assert "secret" not in shown


def test_of_a_delivery_the_end_counts_and_steps_on_the_way_do_not() -> None:
    failed = read_delivery(webhook(MessageStatus="failed", ErrorCode="30003"))
    assert failed == DeliveryReport(SID, "failed", 30003, OURS)
    assert read_delivery(webhook(MessageStatus="queued")) is None
    assert read_delivery(webhook()) is None
    odd = read_delivery(webhook(MessageStatus="delivered", ErrorCode="none"))
    assert odd is not None
    assert odd.error_code == 0


@dataclass
class Bot:
    """Two webhooks behind a real socket, and what came through them."""

    url: str = ""
    messages: list[InboundSms] = field(default_factory=list)
    reports: list[DeliveryReport] = field(default_factory=list)
    error: Exception | None = None

    async def on_message(self, sms: InboundSms) -> None:
        self.messages.append(sms)
        if self.error is not None:
            raise self.error

    async def on_delivery(self, report: DeliveryReport) -> None:
        self.reports.append(report)


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    made, port = Bot(), free_port()
    made.url = f"http://127.0.0.1:{port}"
    checker = SignatureChecker([TOKEN], made.url)
    door = SmsDoor(checker=checker, on_message=made.on_message, on_delivery=made.on_delivery)
    app = Starlette(routes=[*sms_routes(door)])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.005)
    yield made
    server.should_exit = True
    await serving


@pytest.fixture
async def carrier() -> AsyncIterator[Carrier]:
    async with Carrier() as made:
        yield made


async def test_a_message_is_taken_and_answered_with_nothing(bot: Bot, carrier: Carrier) -> None:
    answer = await carrier.text(bot.url, "Hi")
    assert (answer.status, answer.content_type) == (200, "text/xml")
    assert b"<Response/>" in answer.body
    assert [sms.body for sms in bot.messages] == ["Hi"]
    assert (SMS_PATH, SMS_STATUS_PATH) == ("/twilio/sms", "/twilio/sms-status")


@pytest.mark.parametrize(
    ("status", "fields"),
    [("400", {"MessageSid": ""}), ("400", {"MessageSid": "a/b"}), ("413", {"Body": "x" * 70_000})],
)
async def test_what_is_no_message_is_refused(
    bot: Bot, carrier: Carrier, status: str, fields: dict[str, str]
) -> None:
    assert len(fields.get("Body", "x" * 70_000)) > MOST_BODY_BYTES
    form = carrier.form("Hi")
    with pytest.raises(WebhookFailed, match=status):
        await carrier.post(bot.url + SMS_PATH, {**form, **fields})
    assert bot.messages == []


async def test_a_forged_signature_opens_nothing(bot: Bot, carrier: Carrier) -> None:
    for path in (SMS_PATH, SMS_STATUS_PATH):
        form = carrier.form("Hi", MessageStatus="failed")
        with pytest.raises(WebhookFailed, match="403"):
            await carrier.post(bot.url + path, form, token="another")
    assert (bot.messages, bot.reports) == ([], [])


async def test_a_fault_of_ours_is_no_200_so_that_a_fallback_gets_the_message(
    bot: Bot, carrier: Carrier
) -> None:
    bot.error = RuntimeError("broken")
    with pytest.raises(WebhookFailed, match="500"):
        await carrier.text(bot.url, "Hi")


async def test_a_delivery_report_is_passed_on(bot: Bot, carrier: Carrier) -> None:
    form = {"MessageSid": SID, "MessageStatus": "delivered", "To": THEIRS}
    answer = await carrier.post(bot.url + SMS_STATUS_PATH, form)
    assert answer.status == 204
    assert bot.reports == [DeliveryReport(SID, "delivered", 0, THEIRS)]
