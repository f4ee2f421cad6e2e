"""What is asked of OpenAI about a call is asked once, in the right words, and comes back as one of
three words within a bounded time."""

import asyncio
import json
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from app.agents import load_agent
from app.carriers.openai_sip.answers import SIP_CODES
from app.carriers.openai_sip.rest import WAITS_S, Calls, refer_uri
from app.policy.destinations import By, Cleared, Purpose, judge
from app.rules import destination_rules


class Vendor:
    """Answers with these statuses, in order; the last one for ever."""

    def __init__(self, *statuses: int, hangs: bool = False, body: Any = None) -> None:
        self.body = body or {}
        self.statuses = list(statuses)
        self.hangs = hangs
        self.asked: list[tuple[str, Any]] = []

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.url.path, body))
        if self.hangs:
            await asyncio.sleep(60)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return httpx2.Response(status, json=self.body)

    def calls(self, timeout_s: float = 5.0) -> Calls:
        http = DefaultAsyncHttpxClient(transport=httpx2.MockTransport(self))
        client = AsyncOpenAI(api_key="k", base_url="http://x/v1", http_client=http, max_retries=0)
        return Calls(client, timeout_s, waits_s=(0.0,) * len(WAITS_S))


def cleared(target: str, purpose: Purpose = Purpose.TRANSFER) -> Cleared:
    rules = destination_rules(load_agent("receptionist"), ("+14155550199",), {"desk": target})
    verdict = judge(rules, "desk", purpose=purpose, by=By.OPERATOR)
    assert isinstance(verdict, Cleared), verdict
    return verdict


async def test_a_call_is_accepted_with_a_whole_session() -> None:
    vendor = Vendor(200)
    session = {"type": "realtime", "model": "gpt-realtime-2.1", "tools": [], "audio": {}}
    assert await vendor.calls().accept("rtc_1", session) == "done"
    assert vendor.asked == [("/v1/realtime/calls/rtc_1/accept", session)]


async def test_a_call_is_rejected_with_the_code_of_the_table() -> None:
    vendor = Vendor(200)
    assert await vendor.calls().reject("rtc_1", "busy") == "done"
    assert vendor.asked == [("/v1/realtime/calls/rtc_1/reject", {"status_code": 486})]
    assert set(SIP_CODES.values()) == {404, 480, 486, 500, 503, 603}


async def test_a_number_is_referred_to_as_tel() -> None:
    vendor = Vendor(200)
    assert await vendor.calls().refer("rtc_1", cleared("+14155550123")) == "done"
    assert vendor.asked[0][1] == {"target_uri": "tel:+14155550123"}


@pytest.mark.parametrize("status", [404, 409, 410])
async def test_a_call_that_is_not_there_is_gone(status: int) -> None:
    vendor = Vendor(status)
    assert await vendor.calls().accept("rtc_1", {"type": "realtime"}) == "gone"
    assert await vendor.calls().hang_up("rtc_1") == "gone"
    assert len(vendor.asked) == 2


async def test_a_session_that_openai_does_not_take_is_a_fault_and_no_hang_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log names the field, and repeats no value."""
    error = {"message": "no voice 'x'", "code": "invalid_value", "param": "audio.output.voice"}
    vendor = Vendor(400, body={"error": error})
    assert await vendor.calls().accept("rtc_1", {"type": "realtime"}) == "failed"
    (record,) = caplog.records
    assert vars(record)["fields"]["error"] == "HTTP 400, invalid_value at audio.output.voice"


async def test_hanging_up_outlives_a_short_outage() -> None:
    vendor = Vendor(503, 503, 429, 200)
    assert await vendor.calls().hang_up("rtc_1") == "done"
    assert len(vendor.asked) == 4


async def test_hanging_up_is_not_tried_for_ever() -> None:
    vendor = Vendor(503)
    assert await vendor.calls().hang_up("rtc_1") == "failed"
    assert len(vendor.asked) == 1 + len(WAITS_S)


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_everything_else_has_failed_and_is_not_tried_again(status: int) -> None:
    vendor = Vendor(status)
    assert await vendor.calls().accept("rtc_1", {"type": "realtime"}) == "failed"
    assert len(vendor.asked) == 1


async def test_only_a_hang_up_is_asked_for_twice() -> None:
    vendor = Vendor(500, 200)
    assert await vendor.calls().hang_up("rtc_1") == "done"
    assert [path for path, _ in vendor.asked] == ["/v1/realtime/calls/rtc_1/hangup"] * 2


async def test_a_vendor_that_does_not_answer_is_not_waited_for() -> None:
    vendor = Vendor(200, hangs=True)
    async with asyncio.timeout(60):
        assert await vendor.calls(timeout_s=0.05).reject("rtc_1", "full") == "failed"


def test_a_queue_has_no_address_that_could_be_referred_to() -> None:
    number = cleared("+14155550123")
    assert refer_uri(number) == "tel:+14155550123"
