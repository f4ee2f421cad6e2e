"""A message goes out once and only to a cleared destination; what Twilio refuses has a type."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from app.carriers.twilio.errors import (
    AccountError,
    CallInputError,
    OptedOutError,
    RateError,
    TransportError,
    TwilioError,
    VendorError,
)
from app.carriers.twilio.rest import TwilioRest
from app.carriers.twilio.rest_messages import Sender, send_message
from tests.text.carrier import ACCOUNT, OURS, THEIRS, TOKEN, Carrier


@dataclass(frozen=True)
class Cleared:
    address: str


FROM = Sender(OURS)
TO = Cleared(THEIRS)


@pytest.fixture
async def carrier() -> AsyncIterator[Carrier]:
    async with Carrier() as made:
        yield made


@pytest.fixture
async def rest(carrier: Carrier) -> AsyncIterator[TwilioRest]:
    made = TwilioRest(
        ACCOUNT,
        TOKEN,
        public_url="https://bot.example.com/x",
        api_url=carrier.base_url,
        timeout_s=0.5,
    )
    async with made as opened:
        yield opened


async def test_it_says_where_its_status_goes_and_who_sends(
    carrier: Carrier, rest: TwilioRest
) -> None:
    sent = await send_message(rest, TO, FROM, "Hi 😀")
    assert (sent.message_sid[:2], sent.status, sent.segments) == ("SM", "queued", 1)
    service = "MG" + "a" * 32
    await send_message(rest, TO, Sender(service_sid=service), "Hi")
    status = "https://bot.example.com/x/twilio/sms-status"
    both = {"To": THEIRS, "StatusCallback": status}
    assert carrier.sent == [
        {**both, "From": OURS, "Body": "Hi 😀"},
        {**both, "MessagingServiceSid": service, "Body": "Hi"},
    ]


@pytest.mark.parametrize("nobody", [THEIRS, None, 5, ("a",)])
async def test_a_destination_that_nobody_cleared_is_a_fault_of_ours(
    carrier: Carrier, rest: TwilioRest, nobody: Any
) -> None:
    with pytest.raises(TypeError, match="cleared"):
        await send_message(rest, nobody, FROM, "Hi")
    assert carrier.asked == 0


@pytest.mark.parametrize(
    ("to", "sender", "body"),
    [
        (Cleared("5550177"), FROM, "Hi"),
        (Cleared("+1555010000\n"), FROM, "Hi"),
        (Cleared("+１５５５０１０００００"), FROM, "Hi"),
        (Cleared("whatsapp:+15550100001"), FROM, "Hi"),
        (TO, Sender(), "Hi"),
        (TO, Sender(OURS, "MG" + "a" * 32), "Hi"),
        (TO, Sender("BANK"), "Hi"),
        (TO, Sender(service_sid="MGxyz"), "Hi"),
        (TO, FROM, " \n"),
        (TO, FROM, "😀" * 801),
    ],
)
async def test_what_cannot_be_sent_is_not_tried(
    carrier: Carrier, rest: TwilioRest, to: Cleared, sender: Sender, body: str
) -> None:
    with pytest.raises(CallInputError) as caught:
        await send_message(rest, to, sender, body)
    assert carrier.asked == 0
    assert to.address not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code", "kind", "unknown"),
    [
        (400, 21610, OptedOutError, False),
        (400, 21614, CallInputError, False),
        (403, 21408, AccountError, False),
        (400, 21606, AccountError, False),
        (429, 20429, RateError, False),
        (429, 21611, RateError, False),
        (503, 0, VendorError, True),
    ],
)
async def test_a_refusal_says_who_can_mend_it(
    carrier: Carrier,
    rest: TwilioRest,
    status: int,
    code: int,
    kind: type[TwilioError],
    unknown: bool,
) -> None:
    carrier.refuse.append((status, code))
    with pytest.raises(kind) as caught:
        await send_message(rest, TO, FROM, "Hi")
    assert type(caught.value) is kind
    assert caught.value.outcome_unknown is unknown
    assert carrier.asked == 1, "it is not tried again"


async def test_without_an_answer_nobody_knows_whether_it_went_out(
    carrier: Carrier, rest: TwilioRest
) -> None:
    carrier.hang = True
    with pytest.raises(TransportError) as caught:
        await send_message(rest, TO, FROM, "Hi")
    assert caught.value.outcome_unknown
    assert carrier.asked == 1
