"""Status callbacks leave in order, for subscribed events only, and all before the call is over."""

import aiohttp
import pytest

from app.lab.phone.call import LiveCall
from app.lab.phone.identity import CallIdentity, CallStatus
from app.lab.phone.impairments import Impairments
from app.lab.phone.script import Script
from app.lab.phone.status import EVENTS, Callbacks, StatusCallback, StatusEvent
from app.lab.phone.webhook import Webhooks
from tests.lab.phone.bots import AUTH_TOKEN, WebBot
from tests.lab.phone.virtual import VirtualClock

LIFE: tuple[CallStatus, ...] = ("queued", "initiated", "ringing", "in-progress", "completed")


async def told(
    events: tuple[StatusEvent, ...], life: tuple[CallStatus, ...]
) -> list[dict[str, str]]:
    clock = VirtualClock()
    who = CallIdentity("CA1", "AC1", "+1", "+2", "outbound-api")
    call = LiveCall(who, Script(), clock, Impairments(), lambda event: None)
    async with WebBot({"/status": 204}) as bot, aiohttp.ClientSession() as session:
        status = StatusCallback(f"{bot.url}/status", events=events)
        callbacks = Callbacks(call, Webhooks(session, AUTH_TOKEN), status)
        for state in life:
            if state == "in-progress":
                call.answer()
            callbacks.set_status(state)
            clock.advance(61_000)
        await callbacks.drain()
        assert call.status == life[-1]
        return bot.forms("/status")


async def test_all_events_in_order_with_their_numbers() -> None:
    forms = await told(EVENTS, LIFE)
    assert [form["CallStatus"] for form in forms] == list(LIFE[1:])
    assert [form["SequenceNumber"] for form in forms] == ["0", "1", "2", "3"]
    assert (forms[-1]["CallDuration"], forms[-1]["Duration"]) == ("61", "2")


@pytest.mark.parametrize("last", ["completed", "busy", "failed", "no-answer", "canceled"])
async def test_every_ending_comes_under_completed(last: CallStatus) -> None:
    forms = await told(("completed",), ("initiated", "ringing", last))
    assert [form["CallStatus"] for form in forms] == [last]
    assert forms[0]["SequenceNumber"] == "0"
    assert forms[0]["SipResponseCode"].isdecimal()


async def test_only_what_was_subscribed_is_told() -> None:
    forms = await told(("answered",), LIFE)
    assert [form["CallStatus"] for form in forms] == ["in-progress"]
