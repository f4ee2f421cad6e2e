"""A campaign's call is asked for once, with its attempt in every URL that Twilio is given; and
calls are found again by their numbers and their time, those that still wait too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web

from app.carriers.twilio.caller import FactSeals
from app.carriers.twilio.campaign_calls import (
    CLOCKS_MS,
    AttemptCall,
    CampaignCalls,
    read_attempt,
)
from app.carriers.twilio.errors import CallInputError, TransportError, TwilioError, VendorError
from app.carriers.twilio.outgoing import PLAIN, Outgoing
from app.carriers.twilio.rest import TwilioRest
from app.lab.carrier import LabCarrier, Troubles
from tests.lab.carrier.bench_side import number, over, placed
from tests.lab.phone.bots import ACCOUNT_SID, AUTH_TOKEN, BOT_NUMBER
from tests.lab.phone.carrier import until

PUBLIC = "https://bot.example.com"


def order(**changes: Any) -> AttemptCall:
    usual: dict[str, Any] = {
        "attempt_id": "a-1",
        "to": number(0),
        "from_": BOT_NUMBER,
        "agent": "sales",
        "ring_s": 25,
        "detect_machine": True,
        "variables": {},
    }
    return AttemptCall(**{**usual, **changes})


@asynccontextmanager
async def calls(
    timeout_s: float = 5.0, **options: Any
) -> AsyncIterator[tuple[LabCarrier, CampaignCalls]]:
    options = {"pace": 2_000, **options}
    async with (
        LabCarrier(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, **options) as lab,
        TwilioRest(
            ACCOUNT_SID,
            AUTH_TOKEN,
            public_url=PUBLIC,
            api_url=lab.base_url,
            timeout_s=timeout_s,
        ) as rest,
    ):
        yield lab, CampaignCalls(rest)


async def asked(call: AttemptCall, outgoing: Outgoing = PLAIN) -> dict[str, list[str]]:
    """The form that Twilio is sent."""
    forms: list[dict[str, list[str]]] = []

    async def create(request: web.Request) -> web.Response:
        form = await request.post()
        forms.append({name: [str(value) for value in form.getall(name)] for name in form})
        return web.json_response({"sid": "CA" + "0" * 32, "status": "queued"}, status=201)

    app = web.Application()
    app.router.add_post("/{path:.*}", create)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with TwilioRest(
        ACCOUNT_SID, AUTH_TOKEN, public_url=PUBLIC, api_url=url, outgoing=outgoing
    ) as rest:
        await CampaignCalls(rest).place(call)
    await runner.cleanup()
    (form,) = forms
    return form


async def test_campaigns_leave_by_the_trunk_of_the_operator() -> None:
    trunk = "BY" + "0a" * 16
    assert (await asked(order(), Outgoing(byoc=trunk)))["Byoc"] == [trunk]
    assert "Byoc" not in await asked(order())
    own = "BY" + "0b" * 16
    assert (await asked(order(byoc=own), Outgoing(byoc=trunk)))["Byoc"] == [own]


async def test_every_url_has_the_attempt() -> None:
    assert await asked(order(detect_machine=True)) == {
        "To": [number(0)],
        "From": [BOT_NUMBER],
        "Url": [f"{PUBLIC}/twilio/voice?agent=sales&attempt=a-1"],
        "Method": ["POST"],
        "StatusCallback": [f"{PUBLIC}/twilio/status?attempt=a-1#rc=3&rp=all"],
        "StatusCallbackMethod": ["POST"],
        "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
        "Timeout": ["25"],
        "MachineDetection": ["DetectMessageEnd"],
        "AsyncAmd": ["true"],
        "AsyncAmdStatusCallback": [f"{PUBLIC}/twilio/amd?attempt=a-1#rc=3&rp=all"],
        "AsyncAmdStatusCallbackMethod": ["POST"],
    }


async def test_machines_are_looked_for_only_where_that_was_asked_for() -> None:
    form = await asked(order(detect_machine=False))
    assert not any("amd" in name.lower() or "machine" in name.lower() for name in form)


async def test_variables_travel_sealed() -> None:
    form = await asked(order(variables={"name": "Ada"}))
    query = dict(parse_qsl(urlsplit(form["Url"][0]).query))
    assert FactSeals([AUTH_TOKEN]).open_variables(query["vars"]) == {"name": "Ada"}
    assert "Ada" not in str(form)


@pytest.mark.parametrize(
    "changes",
    [
        {"attempt_id": ""},
        {"attempt_id": "a&b"},
        {"attempt_id": "x" * 41},
        {"to": "4155550100"},
        {"from_": "me"},
        {"ring_s": 0},
        {"ring_s": 601},
        {"variables": {"n": "x" * 2000}},
    ],
)
async def test_what_cannot_be_asked_for_is_not(changes: dict[str, Any], tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    async with calls(log=log) as (_, ours):
        with pytest.raises(CallInputError):
            await ours.place(order(**changes))
    assert log.read_text() == ""


@pytest.mark.parametrize(
    ("fate", "there"),
    [
        ("lost", 1),
        ("reset_after", 1),
        ("fails_after", 1),
        ("reset_before", 0),
        ("fails_before", 0),
    ],
)
async def test_one_request_is_sent_whatever_becomes_of_it(
    fate: str, there: int, tmp_path: Path
) -> None:
    """What is not known is said not to be known, also where there is no call."""
    shares: dict[str, Any] = {fate: 1.0}
    log = tmp_path / "log.jsonl"
    patience_s = 2.0 if fate == "lost" else 60.0
    async with calls(patience_s, log=log, troubles=Troubles(**shares)) as (_, ours):
        with pytest.raises(TwilioError) as caught:
            await ours.place(order())
        assert caught.value.outcome_unknown
        await until(lambda: log.read_text().count("placed") + log.read_text().count("refused"))
        assert len(await ours.between(number(0), BOT_NUMBER, 0)) == there
    assert placed(log) == [number(0)] * there
    assert log.read_text().count('"refused"') == 1 - there


async def test_calls_are_found_by_their_numbers_and_since_when(tmp_path: Path) -> None:
    async with calls(pace=1) as (_, ours):
        ids = [await ours.place(order(to=number(0, who))) for who in (1, 1, 2)]
        await ours.place(order(to=number(0, 1), from_="+15005550019"))
        found = await ours.between(number(0, 1), BOT_NUMBER, 0)
        assert {call.call_sid for call in found} == set(ids[:2])
        first_ms, *_, last_ms = sorted(call.created_ms for call in found)
        assert len(await ours.between(number(0, 1), BOT_NUMBER, first_ms + CLOCKS_MS)) == 2
        assert await ours.between(number(0, 1), BOT_NUMBER, last_ms + CLOCKS_MS + 1) == []


async def test_a_call_that_still_waits_to_be_dialled_is_found() -> None:
    async with calls(pace=1, per_s=0.01) as (_, ours):
        for who in range(3):
            await ours.place(order(to=number(0, who)))
        (last,) = await ours.between(number(0, 2), BOT_NUMBER, 0)
        assert last.status == "queued"
        await ours.end(last.call_sid)
        known = await ours.fetch(last.call_sid)
        assert known is not None
        assert known.status == "canceled"


async def test_all_pages_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.carriers.twilio.campaign_calls._PAGE", 2)
    async with calls(pace=1) as (_, ours):
        ids = {await ours.place(order()) for _ in range(5)}
        assert {call.call_sid for call in await ours.between(number(0), BOT_NUMBER, 0)} == ids
        monkeypatch.setattr("app.carriers.twilio.campaign_calls._MOST_CALLS", 5)
        with pytest.raises(VendorError, match="fewer than 5"):
            await ours.between(number(0), BOT_NUMBER, 0)


async def test_calls_are_looked_at_and_one_that_never_was_is_none() -> None:
    async with calls() as (lab, ours):
        sid = await ours.place(order(to=number(6)))
        await over(lab, 1)
        known = await ours.fetch(sid)
        assert known is not None
        assert (known.status, known.answered_by) == ("completed", "machine_end_beep")
        assert known.duration_s is not None
        assert await ours.fetch("CA" + "9" * 32) is None
        with pytest.raises(CallInputError):
            await ours.fetch("CA9")


async def test_a_call_is_ended_in_whatever_state_it_is() -> None:
    async with calls(pace=20) as (lab, ours):
        ringing = await ours.place(order(to=number(4)))
        talking = await ours.place(order(to=number(0)))
        call = lab.calls.get(talking)
        assert call is not None
        await until(lambda: call.status == "in-progress")
        for sid in (ringing, talking, talking):
            await ours.end(sid)
        states = [await ours.fetch(sid) for sid in (ringing, talking)]
        assert [known and known.status for known in states] == ["canceled", "completed"]


async def test_where_ringing_calls_can_only_be_canceled_they_are() -> None:
    """As the reference has it: "completed" is for calls that were answered."""
    asked_for: list[str] = []

    async def update(request: web.Request) -> web.Response:
        status = str((await request.post())["Status"])
        asked_for.append(status)
        if status == "completed":
            return web.json_response({"code": 21220, "message": "no", "status": 400}, status=400)
        return web.json_response({"sid": "CA" + "0" * 32, "status": status})

    app = web.Application()
    app.router.add_post("/{path:.*}", update)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with TwilioRest(ACCOUNT_SID, AUTH_TOKEN, public_url=PUBLIC, api_url=url) as rest:
        await CampaignCalls(rest).end("CA" + "0" * 32)
    await runner.cleanup()
    assert asked_for == ["completed", "canceled"]


async def test_a_carrier_that_is_not_there_placed_nothing(unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with TwilioRest(ACCOUNT_SID, AUTH_TOKEN, public_url=PUBLIC, api_url=url) as rest:
        with pytest.raises(TransportError) as caught:
            await CampaignCalls(rest).place(order())
        assert not caught.value.outcome_unknown


async def test_a_request_that_is_given_up_is_not_known() -> None:
    """Cancelled by us, the call is there all the same: whoever cancels must ask."""
    async with calls(troubles=Troubles(lost=1.0)) as (lab, ours):
        task = asyncio.ensure_future(ours.place(order()))
        await until(lambda: len(lab.calls) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(await ours.between(number(0), BOT_NUMBER, 0)) == 1


@pytest.mark.parametrize(
    ("query", "attempt"),
    [({"attempt": "a-1_Z"}, "a-1_Z"), ({}, ""), ({"attempt": "a b"}, ""), ({"attempt": ""}, "")],
)
def test_an_attempt_is_read_of_a_query(query: dict[str, str], attempt: str) -> None:
    assert read_attempt(query) == attempt
