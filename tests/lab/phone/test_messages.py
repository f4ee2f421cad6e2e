"""Text messages go out and come in as with Twilio: refused with its codes, and never to somebody
who said STOP."""

from typing import Any, Literal

import pytest

from app.lab.phone import Account, Callee, PhoneLine, TextReport
from app.lab.phone.signing import signature
from tests.lab.phone.bots import AUTH_TOKEN, BOT_NUMBER, CALLER, WebBot, twiml
from tests.lab.phone.carrier import ANN, IGNORED, account, api, refused

pytestmark = IGNORED

REPLY = twiml("<Message><Body>We open at 9</Body></Message>")


async def text(bot: WebBot, owner: Account, body: str) -> TextReport:
    line = PhoneLine(bot.url + "/voice", account=owner, sms_url=bot.url + "/sms")
    return await line.text(body, from_=CALLER, to=BOT_NUMBER)


@pytest.mark.parametrize(
    ("fate", "told"),
    [
        ("delivered", [("sent", None), ("delivered", None)]),
        ("undelivered", [("sent", None), ("undelivered", "30003")]),
        ("failed", [("failed", "30003")]),
    ],
)
async def test_a_message_is_sent_and_its_fate_is_told(
    fate: Literal["delivered", "undelivered", "failed"], told: list[tuple[str, str | None]]
) -> None:
    owner = account({CALLER: Callee(text=fate)})
    async with WebBot({"/status": 204}) as bot, api(owner) as (_, client):
        sent = await client.messages.create_async(
            to=CALLER, from_=BOT_NUMBER, body="Hello", status_callback=f"{bot.url}/status"
        )
        assert (sent.status, sent.direction, sent.error_code) == ("queued", "outbound-api", None)
        await owner.notices.settled()
        fetched = await client.messages(sent.sid).fetch_async()
        forms = bot.forms("/status")
    assert fetched.status == fate
    assert [(form["MessageStatus"], form.get("ErrorCode")) for form in forms] == told
    assert [form["MessageSid"] for form in forms] == [sent.sid] * len(told)
    assert [one.body for one in owner.messages.inbox(CALLER)] == ["Hello"] * (fate == "delivered")


GOOD = {"to": CALLER, "from_": BOT_NUMBER, "body": "Hello"}


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"to": "12"}, (400, 21211)),
        ({"to": "+1٥005550006"}, (400, 21211)),
        ({"to": ""}, (400, 21604)),
        ({"from_": ""}, (400, 21603)),
        ({"from_": "+12"}, (400, 21212)),
        ({"from_": ANN}, (400, 21606)),
        ({"from_": CALLER}, (400, 21266)),
        ({"body": ""}, (400, 21602)),
        ({"body": "x" * 1601}, (400, 21617)),
        ({"to": "+447700900000"}, (400, 21408)),
        ({"from_": "", "messaging_service_sid": "MG" + "1" * 32}, (404, 21701)),
    ],
)
async def test_what_twilio_refuses_has_its_code(
    change: dict[str, str], refusal: tuple[int, int]
) -> None:
    owner = account(
        numbers=[BOT_NUMBER, CALLER], services=["MG" + "0" * 32], blocked_prefixes=("+44",)
    )
    async with api(owner) as (_, client):
        wanted: dict[str, Any] = {**GOOD, **change}
        assert await refused(client.messages.create_async(**wanted)) == refusal
    assert owner.messages.by_sid == {}


async def test_an_incoming_message_is_signed_and_answered() -> None:
    owner = account()
    async with WebBot({"/sms": REPLY}) as bot:
        report = await text(bot, owner, "When are you open?")
        (form,), headers = bot.forms("/sms"), bot.headers[0]
        assert headers["X-Twilio-Signature"] == signature(AUTH_TOKEN, bot.url + "/sms", form)
    assert (form["From"], form["To"], form["Body"]) == (CALLER, BOT_NUMBER, "When are you open?")
    assert (form["NumMedia"], form["MessageSid"][:2]) == ("0", "SM")
    assert "OptOutType" not in form
    assert [reply.body for reply in report.replies] == ["We open at 9"]
    assert [(one.from_, one.to) for one in owner.messages.inbox(CALLER)] == [(BOT_NUMBER, CALLER)]
    assert report.errors == ()


async def test_who_says_stop_gets_no_more_until_start() -> None:
    owner = account(numbers=[BOT_NUMBER])
    async with WebBot({"/sms": REPLY}) as bot, api(owner) as (_, client):
        stopped = await text(bot, owner, " Stop ")
        assert stopped.opt_out == "STOP"
        assert [reply.automatic for reply in stopped.replies] == [True]
        assert [error.code for error in stopped.errors] == [21610]
        assert await refused(client.messages.create_async(**GOOD)) == (400, 21610)
        service = {**GOOD, "from_": "", "messaging_service_sid": "MG" + "0" * 32}
        assert await refused(client.messages.create_async(**service)) == (400, 21610)
        begun = await text(bot, owner, "START")
        assert [reply.automatic for reply in begun.replies] == [True, False]
        assert (await client.messages.create_async(**GOOD)).status == "queued"
        assert (await text(bot, owner, "help")).opt_out == "HELP"
        assert (await text(bot, owner, "please stop that")).opt_out is None
        types = [form.get("OptOutType") for form in bot.forms("/sms")]
    assert types == ["STOP", "START", "HELP", None]


async def test_a_bot_that_does_not_answer_is_told_of() -> None:
    async with WebBot({"/sms": 500}) as bot:
        report = await text(bot, account(), "Hello")
    assert [error.code for error in report.errors] == [11200]
    async with WebBot({"/sms": twiml("<Say>Hello</Say>")}) as bot:
        report = await text(bot, account(), "Hello")
    assert [error.code for error in report.errors] == [12100]


async def test_a_line_without_a_url_for_messages_takes_none() -> None:
    with pytest.raises(ValueError, match="sms_url"):
        await PhoneLine("http://x", account=account()).text("Hi", from_=CALLER, to=BOT_NUMBER)
