"""Twilio's own client places calls that take their course; the log on disk tells what really was,
whatever the client was told of it."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import (  # type: ignore[import-untyped, unused-ignore]
    TwilioException,
    TwilioRestException,
)

from app.lab.carrier import Troubles, read_log
from tests.lab.carrier.bench_side import EVENTS, carrier, create, number, over, placed
from tests.lab.phone.bots import BOT_NUMBER, WebBot
from tests.lab.phone.carrier import IGNORED, refused

pytestmark = IGNORED


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (0, ["initiated", "ringing", "in-progress", "completed"]),
        (4, ["initiated", "ringing", "no-answer"]),
        (5, ["initiated", "busy"]),
        (6, ["initiated", "ringing", "in-progress", "completed"]),
        (8, ["initiated", "failed"]),
        (9, ["initiated", "ringing", "busy"]),
    ],
)
async def test_a_call_takes_the_course_of_its_number(last: int, told: list[str]) -> None:
    async with WebBot({"/status": 204}) as bot, carrier() as (lab, client):
        call = await create(client, number(last), bot.url)
        assert (call.status, call.start_time) == ("queued", None)
        await over(lab, 1)
        fetched = await client.calls(call.sid).fetch_async()
        forms = bot.forms("/status")
    assert [form["CallStatus"] for form in forms] == told
    assert [form["SequenceNumber"] for form in forms] == [str(n) for n in range(len(told))]
    assert fetched.status == told[-1]
    assert fetched.start_time is not None
    assert (fetched.duration is None) == (told[-1] != "completed")


async def test_a_refusal_of_the_called_party_has_its_sip_code() -> None:
    async with WebBot({"/status": 204}) as bot, carrier() as (lab, client):
        for last in (5, 8, 9):
            await create(client, number(last), bot.url)
        await over(lab, 3)
        codes = {form["To"]: form.get("SipResponseCode") for form in bot.forms("/status")}
    assert codes == {number(5): "486", number(8): "404", number(9): "603"}


@pytest.mark.parametrize(
    ("last", "code"), [(19, 21211), (29, 21214), (39, 21215), (49, 21217), (59, 13224)]
)
async def test_numbers_that_cannot_be_called_are_refused_with_their_code(
    last: int, code: int, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    async with carrier(log=log) as (lab, client):
        assert await refused(create(client, number(last))) == (400, code)
        assert len(lab.calls) == 0
    (line,) = read_log(log)
    assert (line.what, line.said["why"]) == ("refused", str(code))


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 601},
        {"machine_detection": "Yes"},
        {"machine_detection": "Enable", "machine_detection_timeout": 2},
        {"status_callback": "http://bot_1.test/status"},
        {"status_callback_event": ["answered", "hung-up"]},
        {"send_digits": "hello"},
        {"url": "bot.test"},
    ],
)
async def test_parameters_that_twilio_would_refuse_are_refused(options: dict[str, Any]) -> None:
    async with carrier() as (lab, client):
        status, _ = await refused(create(client, number(0), **options))
        assert (status, len(lab.calls)) == (400, 0)


@pytest.mark.parametrize(
    ("last", "mode", "found"),
    [
        (0, "DetectMessageEnd", "human"),
        (6, "DetectMessageEnd", "machine_end_beep"),
        (6, "Enable", "machine_start"),
        (7, "DetectMessageEnd", "fax"),
        (69, "DetectMessageEnd", "machine_end_silence"),
        (79, "DetectMessageEnd", "unknown"),
    ],
)
async def test_machine_detection_tells_its_own_callback(last: int, mode: str, found: str) -> None:
    async with WebBot({"/status": 204, "/amd": 204}) as bot, carrier() as (lab, client):
        call = await create(
            client,
            number(last),
            bot.url,
            machine_detection=mode,
            async_amd="true",
            async_amd_status_callback=f"{bot.url}/amd?attempt=7",
        )
        await over(lab, 1)
        (form,) = bot.forms("/amd")
        fetched = await client.calls(call.sid).fetch_async()
    assert (form["CallSid"], form["AnsweredBy"]) == (call.sid, found)
    assert int(form["MachineDetectionDuration"]) > 0
    assert fetched.answered_by == found


async def test_a_call_is_canceled_while_it_rings_and_completed_afterwards() -> None:
    async with carrier(pace=1) as (lab, client):
        call = await create(client, number(4))
        assert (await client.calls(call.sid).update_async(status="completed")).status == "canceled"
        assert await refused(client.calls(call.sid).update_async(status="completed")) == (
            400,
            21220,
        )
        assert await refused(client.calls("CA" + "0" * 32).fetch_async()) == (404, 20404)
        await lab.settled()


async def test_calls_above_the_calls_per_second_wait_and_have_no_start_time() -> None:
    """Three a minute: the third waits for 40 s of its own time."""
    async with carrier(pace=1, per_s=0.05) as (_, client):
        calls = [await create(client, number(0, who)) for who in range(3)]
        listed = await client.calls.list_async(status="queued")
        assert [int(call.queue_time) // 1000 for call in calls] == [0, 19, 39]
        waiting = {call.sid: call.start_time for call in listed if call.sid != calls[0].sid}
        assert waiting == {calls[1].sid: None, calls[2].sid: None}
        started = await client.calls.list_async(start_time_after=calls[0].date_created)
        assert calls[1].sid not in {call.sid for call in started}


async def test_too_many_requests_are_told_when_to_come_again() -> None:
    async with carrier(troubles=Troubles(requests_per_s=2, retry_after_s=3)) as (lab, client):
        seen = []
        for who in range(6):
            try:
                await create(client, number(0, who))
            except TwilioRestException as error:
                seen.append((error.status, error.code))
        headers = client.http_client._test_only_last_response.headers
        assert seen[-1] == (429, 20429)
        assert headers["Retry-After"] == "3"
        assert len(lab.calls) == 6 - len(seen)


def only(fate: str) -> Troubles:
    shares: dict[str, Any] = {fate: 1.0}
    return Troubles(**shares)


@pytest.mark.parametrize(
    ("fate", "there_is_a_call"),
    [
        ("lost", True),
        ("reset_after", True),
        ("fails_after", True),
        ("reset_before", False),
        ("fails_before", False),
        ("rejects", False),
    ],
)
async def test_the_log_knows_whether_there_is_a_call_when_the_client_does_not(
    fate: str, there_is_a_call: bool, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    async with carrier(log=log, troubles=only(fate)) as (lab, client):
        with pytest.raises((TwilioException, aiohttp.ClientError, TimeoutError)):
            async with asyncio.timeout(2 if fate == "lost" else 60):
                await create(client, number(0))
        found = await client.calls.list_async(to=number(0), from_=BOT_NUMBER)
        assert len(found) == len(lab.calls) == there_is_a_call
        await over(lab, int(there_is_a_call))
    assert placed(log) == ([number(0)] if there_is_a_call else [])


async def test_a_new_call_may_be_in_lists_only_later() -> None:
    async with carrier(troubles=Troubles(list_late_s=60)) as (lab, client):
        call = await create(client, number(0))
        assert await client.calls.list_async(to=number(0)) == []
        assert (await client.calls(call.sid).fetch_async()).sid == call.sid
        lab.troubles = Troubles()
        assert [one.sid for one in await client.calls.list_async(to=number(0))] == [call.sid]


async def test_the_log_has_the_attempt_in_the_urls_that_were_given_along(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    async with WebBot({"/status": 204}) as bot, carrier(log=log) as (lab, client):
        call = await create(client, number(0), bot.url)
        await over(lab, 1)
    lines = list(read_log(log))
    assert lines[0].what == "placed"
    assert lines[0].call_sid == call.sid
    assert str(lines[0].said["status_callback"]).endswith("/status?attempt=15005550000")
    assert [line.said["status"] for line in lines if line.what == "status"] == [
        "initiated",
        "ringing",
        "in-progress",
        "completed",
    ]
    assert sum(line.what == "told" for line in lines) == len(EVENTS)
