"""Calls are placed once, with what Twilio needs to find us; failures come in time and by name."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import BasicAuth, web

from app.call.events import OnAnswer
from app.carriers.twilio.caller import FactSeals
from app.carriers.twilio.errors import (
    AccountError,
    CallInputError,
    NumberError,
    RateError,
    TransportError,
    TwilioError,
    VendorError,
)
from app.carriers.twilio.rest import CallInfo, TwilioRest

ACCOUNT = "AC" + "0a" * 16
CALL = "CA" + "0b" * 16
PUBLIC = "https://bot.example.com"
Answer = Callable[[], Awaitable[web.StreamResponse]]


class Api:
    """Twilio's REST API as far as these tests need it."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, list[str]]]] = []
        self.authorization = ""
        self.answer: Answer = self.queued
        self.url = ""
        self.over = asyncio.Event()

    async def queued(self) -> web.StreamResponse:
        call = {"sid": CALL, "status": "queued", "direction": "outbound-api", "duration": None}
        return web.json_response(call, status=201)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        fields = {name: [str(value) for value in form.getall(name)] for name in form}
        self.requests.append((request.method, request.path, fields))
        self.authorization = request.headers["Authorization"]
        return await self.answer()


def says(status: int, payload: dict[str, Any] | str) -> Answer:
    async def answer() -> web.StreamResponse:
        if isinstance(payload, str):
            return web.Response(status=status, text=payload, content_type="text/html")
        return web.json_response(payload, status=status)

    return answer


def fails(status: int, code: int) -> Answer:
    return says(status, {"code": code, "message": "No, +14155550100", "status": status})


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    fake = Api()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.handle)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    fake.url = f"http://{host}:{port}"
    yield fake
    fake.over.set()
    await runner.cleanup()


@pytest.fixture
async def rest(api: Api) -> AsyncIterator[TwilioRest]:
    client = TwilioRest(ACCOUNT, "secret", public_url=PUBLIC, api_url=api.url, timeout_s=5)
    async with client:
        yield client


async def place(rest: TwilioRest) -> CallInfo:
    return await rest.place_call("+14155550100", "+14155550199", "sales")


async def test_a_call_is_placed_with_what_twilio_needs_to_find_us(
    api: Api, rest: TwilioRest
) -> None:
    placed = await rest.place_call(
        "+14155550100", "+14155550199", "front desk", ring_s=25, most_s=600
    )
    assert placed == CallInfo(CALL, "queued", "outbound-api")
    ((method, path, form),) = api.requests
    assert (method, path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json")
    assert form == {
        "To": ["+14155550100"],
        "From": ["+14155550199"],
        "Url": [f"{PUBLIC}/twilio/voice?agent=front+desk"],
        "Method": ["POST"],
        "StatusCallback": [f"{PUBLIC}/twilio/status"],
        "StatusCallbackMethod": ["POST"],
        "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
        "Timeout": ["25"],
        "TimeLimit": ["600"],
    }


async def test_what_the_agent_should_know_travels_sealed(api: Api, rest: TwilioRest) -> None:
    variables = {"name": "Ada", "due": "Friday"}
    await rest.place_call("+14155550100", "+14155550199", "sales", variables=variables)
    query = dict(parse_qsl(urlsplit(api.requests[0][2]["Url"][0]).query))
    assert "Ada" not in str(api.requests)
    assert query["agent"] == "sales"
    assert FactSeals(["secret"]).open_variables(query["vars"]) == variables
    with pytest.raises(CallInputError, match="1024 bytes of variables"):
        await rest.place_call("+14155550100", "+14155550199", "sales", variables={"n": "x" * 2000})
    assert len(api.requests) == 1


async def test_who_answers_is_found_out_beside_the_call(api: Api, rest: TwilioRest) -> None:
    on_answer = OnAnswer("message", "Please call us back.")
    await rest.place_call("+14155550100", "+14155550199", "sales", on_answer=on_answer)
    form = api.requests[0][2]
    assert (form["MachineDetection"], form["AsyncAmd"]) == (["DetectMessageEnd"], ["true"])
    assert form["AsyncAmdStatusCallback"] == [f"{PUBLIC}/twilio/amd"]
    assert form["AsyncAmdStatusCallbackMethod"] == ["POST"]
    query = dict(parse_qsl(urlsplit(form["Url"][0]).query))
    assert FactSeals(["secret"]).open_on_answer(query["machine"]) == on_answer
    assert "call us back" not in str(api.requests)
    long = OnAnswer("message", "x" * 2_000)
    with pytest.raises(CallInputError, match="1000 bytes"):
        await rest.place_call("+14155550100", "+14155550199", "sales", on_answer=long)
    assert len(api.requests) == 1


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")
async def test_the_account_signs_in(api: Api, rest: TwilioRest) -> None:
    await place(rest)
    assert BasicAuth.decode(api.authorization) == BasicAuth(ACCOUNT, "secret")


@pytest.mark.parametrize(
    ("to", "from_"),
    [
        ("+14155550100", "+14155550199"),
        ("sip:ann@pbx.example.com", "+14155550199"),
        ("sips:ann@pbx.example.com:5061;transport=tls?X-Id=4", "front.desk"),
    ],
)
async def test_numbers_and_sip_addresses_can_be_called(
    api: Api, rest: TwilioRest, to: str, from_: str
) -> None:
    await rest.place_call(to, from_, "sales")
    assert api.requests[0][2]["To"] == [to]


@pytest.mark.parametrize(
    ("to", "from_"),
    [
        ("", "+14155550199"),
        ("4155550100", "+14155550199"),
        ("+04155550100", "+14155550199"),
        ("+1415555", "+14155550199"[:4]),
        ("+1 415 555 0100", "+14155550199"),
        ("+14155550100\n", "+14155550199"),
        ("+1415555010012345", "+14155550199"),
        ("+१४१५५५५०१००", "+14155550199"),
        ("sip:pbx.example.com", "+14155550199"),
        ("sip:a b@pbx.example.com", "+14155550199"),
        ("sip:" + "a" * 260 + "@pbx.example.com", "+14155550199"),
        ("client:ann", "+14155550199"),
        ("+14155550100", "front.desk"),
        ("+14155550100", ""),
        ("sip:ann@pbx.example.com", "front desk"),
    ],
)
async def test_what_cannot_be_called_never_reaches_twilio(
    api: Api, rest: TwilioRest, to: str, from_: str
) -> None:
    with pytest.raises(CallInputError) as caught:
        await rest.place_call(to, from_, "sales")
    assert not api.requests
    assert "0100" not in str(caught.value).replace("+14155550100", "")


@pytest.mark.parametrize("ring_s", [0, 601])
async def test_ringing_time_is_bounded(api: Api, rest: TwilioRest, ring_s: int) -> None:
    with pytest.raises(CallInputError, match="1 to 600"):
        await rest.place_call("+14155550100", "+14155550199", "sales", ring_s=ring_s)
    assert not api.requests


@pytest.mark.parametrize(
    ("status", "code", "kind", "unknown"),
    [
        (400, 21211, NumberError, False),
        (401, 20003, AccountError, False),
        (429, 20429, RateError, False),
        (500, 20500, VendorError, True),
    ],
)
async def test_a_refusal_says_who_can_mend_it_and_is_not_tried_again(
    api: Api, rest: TwilioRest, status: int, code: int, kind: type[Exception], unknown: bool
) -> None:
    api.answer = fails(status, code)
    with pytest.raises(kind) as caught:
        await place(rest)
    error = caught.value
    assert isinstance(error, TwilioError)
    assert (error.status, error.code, error.outcome_unknown) == (status, code, unknown)
    assert "No" not in error.why
    assert "No, [number]" in str(caught.value)
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("header", "after_s"),
    [("7", 7.0), ("", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("999999", 3600.0)],
)
async def test_when_to_come_again_is_read_of_the_answer(
    api: Api, rest: TwilioRest, header: str, after_s: float | None
) -> None:
    async def busy() -> web.StreamResponse:
        said = {"code": 20429, "message": "Too Many Requests", "status": 429}
        return web.json_response(said, status=429, headers={"Retry-After": header})

    api.answer = busy
    with pytest.raises(RateError) as caught:
        await place(rest)
    assert caught.value.retry_after_s == after_s
    api.answer = fails(429, 20429)
    with pytest.raises(RateError) as caught:
        await place(rest)
    assert caught.value.retry_after_s is None


@pytest.mark.parametrize(
    "payload", ["<html>It works!</html>", {}, {"sid": CALL}, {"status": "queued"}]
)
async def test_an_answer_that_is_not_a_call_is_the_vendors_fault(
    api: Api, rest: TwilioRest, payload: dict[str, Any] | str
) -> None:
    api.answer = says(201, payload)
    with pytest.raises(VendorError) as caught:
        await place(rest)
    assert caught.value.outcome_unknown


async def test_a_gateway_that_answers_html_is_the_vendors_fault(api: Api, rest: TwilioRest) -> None:
    api.answer = says(502, "<html>Bad gateway</html>")
    with pytest.raises(VendorError) as caught:
        await place(rest)
    assert caught.value.status == 502


async def test_a_silent_api_is_given_up_and_not_tried_again(api: Api) -> None:
    async def silent() -> web.StreamResponse:
        await api.over.wait()
        return web.Response()

    api.answer = silent
    slow = TwilioRest(ACCOUNT, "secret", public_url=PUBLIC, api_url=api.url, timeout_s=0.05)
    async with slow as rest:
        with pytest.raises(TransportError, match="may have been placed") as caught:
            await place(rest)
    assert caught.value.outcome_unknown
    assert len(api.requests) == 1


async def test_an_api_that_is_not_there_placed_nothing(unused_tcp_port: int) -> None:
    nobody = f"http://127.0.0.1:{unused_tcp_port}"
    async with TwilioRest(ACCOUNT, "secret", public_url=PUBLIC, api_url=nobody) as rest:
        with pytest.raises(TransportError) as caught:
            await place(rest)
    assert not caught.value.outcome_unknown


async def test_a_call_is_ended(api: Api, rest: TwilioRest) -> None:
    api.answer = says(200, {"sid": CALL, "status": "completed"})
    await rest.end_call(CALL)
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL}.json"
    assert api.requests == [("POST", path, {"Status": ["completed"]})]


async def test_ending_a_call_that_has_ended_is_no_error(api: Api, rest: TwilioRest) -> None:
    api.answer = fails(400, 21220)
    await rest.end_call(CALL)
    api.answer = fails(404, 20404)
    with pytest.raises(CallInputError):
        await rest.end_call(CALL)


async def test_a_call_is_looked_at(api: Api, rest: TwilioRest) -> None:
    api.answer = says(
        200,
        {
            "sid": CALL,
            "status": "completed",
            "direction": "inbound",
            "duration": "42",
            "answered_by": "human",
        },
    )
    assert await rest.fetch_call(CALL) == CallInfo(CALL, "completed", "inbound", 42, "human")
    assert api.requests[0][0] == "GET"


@pytest.mark.parametrize("sid", ["", "CA1", "MZ" + "0b" * 16, CALL + "/../x"])
async def test_only_a_call_sid_becomes_part_of_an_address(
    api: Api, rest: TwilioRest, sid: str
) -> None:
    with pytest.raises(CallInputError, match="CallSid"):
        await rest.fetch_call(sid)
    with pytest.raises(CallInputError, match="CallSid"):
        await rest.end_call(sid)
    assert not api.requests


async def test_edge_and_region_do_not_bend_a_given_address(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    monkeypatch.setenv("TWILIO_REGION", "au1")
    async with TwilioRest(ACCOUNT, "secret", public_url=PUBLIC, api_url=api.url) as rest:
        assert (await place(rest)).call_sid == CALL


async def test_a_closed_client_says_so(api: Api, rest: TwilioRest) -> None:
    unopened = TwilioRest(ACCOUNT, "secret", public_url=PUBLIC, api_url=api.url)
    with pytest.raises(RuntimeError, match="async with"):
        await place(unopened)
    async with unopened:
        await place(unopened)
    with pytest.raises(RuntimeError, match="async with"):
        await place(unopened)


async def test_the_numbers_do_not_reach_the_log(
    rest: TwilioRest, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await place(rest)
    assert caplog.records
    logged = "".join(record.getMessage() for record in caplog.records)
    assert "+1415555" not in logged
    assert "secret" not in logged
