"""Over real sockets: only what Twilio signed opens anything, every copy is answered alike, and the
caller always gets TwiML that leads somewhere."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree import ElementTree

import aiohttp
import pytest
import pytest_asyncio
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import ImmutableMultiDict
from starlette.types import ASGIApp, Receive, Scope, Send
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from app.call.endings import EndReason
from app.call.facts import CallFacts
from app.carriers.twilio.caller import FactSeals, from_parameters
from app.carriers.twilio.intake import MOST_BODY_BYTES
from app.carriers.twilio.progress import CallProgress, CallState, StreamStatus
from app.carriers.twilio.signature import SignatureChecker
from app.carriers.twilio.tokens import Grant, StreamTokens
from app.carriers.twilio.webhooks import (
    FULL_QUEUE_S,
    MOST_RESUMES,
    Admission,
    Ending,
    OfferedCall,
    TwilioDoor,
    after_stream,
    routes,
)
from app.onward.plan import Plan
from tests.onward.nowhere import Nowhere

pytestmark = pytest.mark.asyncio(loop_scope="module")

AUTH = "0123456789abcdef"
PUBLIC = "https://bot.example.com/earshot"
CALL = "CA" + "0b" * 16
NOW_S = 1_800_000_000.0
SEALS = FactSeals([AUTH])
RINGING = (
    ("CallSid", CALL),
    ("From", "+14155550100"),
    ("To", "+14155550199"),
    ("CallStatus", "ringing"),
    ("Direction", "inbound"),
    ("CallerName", ""),
)
Form: TypeAlias = Sequence[tuple[str, str]]


@dataclass
class World:
    """What the webhooks did to the rest of the bot, and how it answers them."""

    offered: list[OfferedCall] = field(default_factory=list)
    progress: list[CallProgress] = field(default_factory=list)
    streams: list[StreamStatus] = field(default_factory=list)
    admission: Admission = "open"
    ending: EndReason | None = None
    detail: str = ""
    error: Exception | None = None
    gate: asyncio.Event | None = None
    began: asyncio.Event = field(default_factory=asyncio.Event)

    async def admit(self, call: OfferedCall) -> Admission:
        self.offered.append(call)
        self.began.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.admission

    async def ending_of(self, call_sid: str) -> Ending | None:
        assert call_sid == CALL
        return None if self.ending is None else Ending(self.ending, self.detail)

    async def on_progress(self, progress: CallProgress) -> None:
        self.progress.append(progress)

    async def on_stream(self, status: StreamStatus) -> None:
        self.streams.append(status)

    @property
    def untouched(self) -> bool:
        return not (self.offered or self.progress or self.streams)


def door(world: World, **changes: Any) -> TwilioDoor:
    whole = TwilioDoor(
        checker=SignatureChecker([AUTH], PUBLIC),
        tokens=StreamTokens([AUTH]),
        seals=SEALS,
        default_agent="reception",
        knows_agent={"reception", "sales"}.__contains__,
        ending_of=world.ending_of,
        onward=Nowhere(),
        admit=world.admit,
        on_progress=world.on_progress,
        on_stream=world.on_stream,
        now_s=lambda: NOW_S,
    )
    return replace(whole, **changes)


@dataclass
class Answered:
    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def verbs(self) -> list[str]:
        assert self.status == 200
        assert self.headers["content-type"] == "text/xml; charset=utf-8"
        return [child.tag for child in ElementTree.fromstring(self.text)]

    def find(self, path: str) -> Mapping[str, str]:
        found = ElementTree.fromstring(self.text).find(path)
        assert found is not None
        return found.attrib

    @property
    def facts(self) -> CallFacts:
        """What the stream will know of the call."""
        parameters = ElementTree.fromstring(self.text).findall("Connect/Stream/Parameter")
        sealed = from_parameters({p.attrib["name"]: p.attrib["value"] for p in parameters})
        facts = SEALS.open(sealed, CALL)
        assert facts is not None
        return facts

    @property
    def grant(self) -> Grant:
        token = self.find("Connect/Stream/Parameter")["value"]
        return StreamTokens([AUTH]).check(token, CALL, NOW_S).grant


@dataclass
class Twilio:
    """Requests as Twilio sends them: signed over the public URL, sent to wherever the bot is."""

    http: aiohttp.ClientSession
    base: str

    async def post(self, path: str, form: Form = RINGING, **changes: Any) -> Answered:
        """`path` may hold a query."""
        auth = changes.pop("auth", AUTH)
        headers = {
            "X-Twilio-Signature": sign(f"{PUBLIC}{path}", form, auth),
            "Content-Type": "application/x-www-form-urlencoded",
        } | changes.pop("headers", {})
        body = changes.pop("body", urlencode(form).encode())
        return await self.send("POST", path, headers, body)

    async def get(self, path: str) -> Answered:
        return await self.send("GET", path, {"X-Twilio-Signature": sign(f"{PUBLIC}{path}")})

    async def send(
        self, method: str, path: str, headers: Mapping[str, str | None], body: Any = None
    ) -> Answered:
        kept = {name: value for name, value in headers.items() if value is not None}
        url = f"{self.base}{path}"
        async with self.http.request(
            method, url, data=body, headers=kept, skip_auto_headers=["Content-Type"]
        ) as answer:
            return Answered(answer.status, await answer.text(), dict(lowered(answer.headers)))


def lowered(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in headers.items()]


def sign(url: str, form: Form = (), auth: str = AUTH) -> str:
    return str(RequestValidator(auth).compute_signature(url, ImmutableMultiDict(list(form))))


class Stage:
    """One server for all tests of this module; each test plays its own app on it."""

    def __init__(self) -> None:
        self.base = ""
        self.app: ASGIApp = Starlette()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    @asynccontextmanager
    async def serving(self, one: TwilioDoor) -> AsyncIterator[Twilio]:
        self.app = Starlette(routes=routes(one))
        async with aiohttp.ClientSession() as http:
            yield Twilio(http, self.base)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    listener = socket.create_server(("127.0.0.1", 0))
    stage = Stage()
    stage.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(stage, log_level="warning", lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    yield stage
    server.should_exit = True
    await task
    listener.close()


@pytest.fixture
def world() -> World:
    return World()


@pytest_asyncio.fixture(loop_scope="module")
async def twilio(stage: Stage, world: World) -> AsyncIterator[Twilio]:
    async with stage.serving(door(world)) as client:
        yield client


# --- what is known of the call --------------------------------------------------------------------

SIP_CALL = (
    ("CallSid", CALL),
    ("From", "sip:+14155550100@pbx.example.com"),
    ("To", "sip:sales@shop.sip.example.com"),
    ("CallStatus", "ringing"),
    ("Direction", "inbound"),
    ("SipDomain", "shop.sip.example.com"),
    ("SipSourceIp", "192.0.2.7"),
    ("SipHeader_X-Order", "4711"),
    ("SipHeader_User-to-User", "abc;encoding=hex"),
)


async def test_the_facts_of_a_call_reach_its_stream(twilio: Twilio, world: World) -> None:
    answer = await twilio.post("/twilio/voice", SIP_CALL)
    assert answer.facts == CallFacts(
        origin="sip",
        from_number="sip:+14155550100@pbx.example.com",
        to_number="sip:sales@shop.sip.example.com",
        sip_domain="shop.sip.example.com",
        source_ip="192.0.2.7",
        sip_headers={"X-Order": "4711", "User-to-User": "abc;encoding=hex"},
    )
    assert world.offered[0].facts == answer.facts


async def test_the_facts_are_not_read_by_whoever_sees_the_document(twilio: Twilio) -> None:
    text = (await twilio.post("/twilio/voice", SIP_CALL)).text
    assert not any(secret in text for secret in ("4155550100", "4711", "192.0.2.7", "X-Order"))


async def test_a_resumed_stream_knows_what_the_first_one_knew(twilio: Twilio, world: World) -> None:
    first = await twilio.post("/twilio/voice", SIP_CALL)
    form = [field for field in SIP_CALL if not field[0].startswith("Sip")]
    again = await twilio.post(path_of(first.find("Connect")["action"]), form)
    assert again.facts == first.facts


async def test_a_call_that_waited_for_a_place_kept_its_facts(twilio: Twilio, world: World) -> None:
    world.admission = "queue"
    first = await twilio.post("/twilio/voice", SIP_CALL)
    world.admission = "open"
    answer = await twilio.post(queued_url(first), SIP_CALL[:5])
    assert answer.facts.header("x-order") == "4711"


async def test_the_variables_of_a_call_that_we_placed_reach_its_stream(twilio: Twilio) -> None:
    sealed = SEALS.seal_variables({"name": "Ada", "due": "Friday"})
    form = [*RINGING[:4], ("Direction", "outbound-api")]
    answer = await twilio.post(f"/twilio/voice?vars={sealed}", form)
    assert answer.facts.campaign == {"name": "Ada", "due": "Friday"}
    assert (answer.facts.party, answer.facts.line) == ("+14155550199", "+14155550100")


async def test_a_route_chooses_the_agent_of_a_call_that_comes_in(
    stage: Stage, world: World
) -> None:
    asked: list[CallFacts] = []
    expected: list[OfferedCall] = []

    def route(facts: CallFacts) -> str:
        asked.append(facts)
        return "sales" if facts.to_number == "+14155550199" else ""

    world.admission = "queue"
    async with stage.serving(door(world, route=route, expect=expected.append)) as twilio:
        waits = await twilio.post("/twilio/voice?agent=reception")
        assert not expected, "it has no stream yet"
        world.admission = "open"
        answer = await twilio.post(queued_url(waits))
        assert answer.grant.agent == "sales", "also after it has waited"
        again = await twilio.post(path_of(answer.find("Connect")["action"]), ended())
        assert again.grant.agent == "sales"
        form = [("To", "+14155550177"), *(f for f in RINGING if f[0] != "To")]
        assert (await twilio.post("/twilio/voice", form)).grant.agent == "reception"
        placed = [*RINGING[:4], ("Direction", "outbound-api")]
        answer = await twilio.post("/twilio/voice?agent=reception", placed)
        assert answer.grant.agent == "reception", "a call that we place keeps its agent"
    assert [facts.to_number for facts in asked] == ["+14155550199", "+14155550177"]
    assert [call.agent for call in expected] == ["sales", "sales", "reception", "reception"]


async def test_facts_of_another_call_are_not_taken_for_this_one(twilio: Twilio) -> None:
    other = SEALS.seal(CallFacts(from_number="+14155550777"), "CA" + "0c" * 16)
    answer = await twilio.post(f"/twilio/voice?facts={other}")
    assert answer.facts.from_number == "+14155550100"


# --- a call comes in -----------------------------------------------------------------------------


async def test_a_call_is_connected_to_a_stream_with_a_token_of_its_own(
    twilio: Twilio, world: World
) -> None:
    answer = await twilio.post("/twilio/voice")
    assert answer.verbs == ["Connect"]
    assert answer.find("Connect/Stream")["url"] == "wss://bot.example.com/earshot/twilio/media"
    assert answer.grant == Grant(CALL, "reception", "inbound")
    (call,) = world.offered
    assert (call.from_number, call.to_number) == ("+14155550100", "+14155550199")
    assert call.fields["CallerName"] == ""
    assert "4155550100" not in repr(call)


async def test_the_url_chooses_the_agent_and_twilio_the_direction(twilio: Twilio) -> None:
    form = [*RINGING[:4], ("Direction", "outbound-api")]
    answer = await twilio.post("/twilio/voice?agent=sales", form)
    assert answer.grant == Grant(CALL, "sales", "outbound")


async def test_a_form_field_does_not_choose_the_agent(twilio: Twilio) -> None:
    answer = await twilio.post("/twilio/voice", [*RINGING, ("agent", "sales")])
    assert answer.grant.agent == "reception"


async def test_an_unknown_agent_gets_the_caller_an_apology(twilio: Twilio, world: World) -> None:
    assert (await twilio.post("/twilio/voice?agent=nobody")).verbs == ["Say", "Hangup"]
    assert world.untouched


async def test_a_number_configured_with_get_works_too(twilio: Twilio, world: World) -> None:
    query = urlencode([*RINGING, ("agent", "sales")])
    answer = await twilio.get(f"/twilio/voice?{query}")
    assert answer.grant == Grant(CALL, "sales", "inbound")
    assert world.offered[0].from_number == "+14155550100"


@pytest.mark.parametrize(
    ("admission", "direction", "verbs"),
    [
        ("busy", "inbound", ["Reject"]),
        ("busy", "outbound-api", ["Say", "Hangup"]),
        ("full", "inbound", ["Say", "Hangup"]),
        ("queue", "inbound", ["Say", "Pause", "Redirect"]),
        ("queue", "outbound-api", ["Say", "Hangup"]),
        ("redirect", "inbound", ["Say", "Hangup"]),
    ],
)
async def test_a_call_beyond_capacity_is_refused_kindly(
    twilio: Twilio, world: World, admission: Admission, direction: str, verbs: list[str]
) -> None:
    world.admission = admission
    form = [*RINGING[:4], ("Direction", direction)]
    assert (await twilio.post("/twilio/voice", form)).verbs == verbs


async def test_a_call_too_many_goes_where_the_operator_says(stage: Stage, world: World) -> None:
    world.admission = "redirect"
    elsewhere = "https://other.example.com/twiml?a=1&b=2"
    async with stage.serving(door(world, full_redirect_url=elsewhere)) as twilio:
        answer = await twilio.post("/twilio/voice")
    assert answer.verbs == ["Redirect"]
    assert ElementTree.fromstring(answer.text)[0].text == elsewhere


def queued_url(answer: Answered) -> str:
    """The path and query that a queued call asks next."""
    url = ElementTree.fromstring(answer.text)[-1].text or ""
    assert url.startswith(PUBLIC)
    return url.removeprefix(PUBLIC)


async def test_a_call_waits_for_a_place_until_there_is_one(twilio: Twilio, world: World) -> None:
    world.admission = "queue"
    first = await twilio.post("/twilio/voice?agent=sales")
    second = await twilio.post(queued_url(first))
    assert second.verbs == ["Pause", "Redirect"], "it was told once that it must wait"
    world.admission = "open"
    answer = await twilio.post(queued_url(second))
    assert answer.grant == Grant(CALL, "sales", "inbound")


async def test_a_call_waits_for_a_place_only_so_long(twilio: Twilio, world: World) -> None:
    world.admission = "queue"
    answer, waits_s = await twilio.post("/twilio/voice"), 0
    while answer.verbs[-1] == "Redirect":
        waits_s += int(answer.find("Pause")["length"])
        answer = await twilio.post(queued_url(answer))
    assert waits_s == FULL_QUEUE_S
    assert answer.verbs == ["Say", "Hangup"]


@pytest.mark.parametrize("waited", ["", "x", "-5", "12345", "\u0665"])
async def test_a_strange_wait_counts_as_none(twilio: Twilio, world: World, waited: str) -> None:
    world.admission = "queue"
    answer = await twilio.post(f"/twilio/voice?{urlencode({'waited': waited})}")
    assert answer.verbs == ["Say", "Pause", "Redirect"]


async def test_a_call_that_has_waited_is_not_rejected_as_unanswered(
    twilio: Twilio, world: World
) -> None:
    world.admission = "busy"
    assert (await twilio.post("/twilio/voice?waited=5")).verbs == ["Say", "Hangup"]


async def test_while_nobody_can_go_on_with_a_call_it_waits_in_silence(
    stage: Stage, world: World
) -> None:
    world.ending = EndReason.DRAINED
    leaving = True
    form = [*RINGING[:3], ("CallStatus", "in-progress")]
    facts = SEALS.seal(CallFacts(from_number="+14155550100"), CALL)
    path = f"/twilio/stream-ended?agent=sales&direction=inbound&facts={facts}&resumed=0"
    async with stage.serving(door(world, alone_and_leaving=lambda: leaving)) as twilio:
        answer = await twilio.post(path, form)
        assert answer.verbs == ["Pause", "Redirect"]
        assert queued_url(answer) == path
        leaving = False
        world.ending = None  # it is another process that is asked now
        assert (await twilio.post(path, form)).grant == Grant(CALL, "sales", "inbound")
        world.ending = EndReason.AGENT_HUNG_UP
        leaving = True
        assert (await twilio.post(path, form)).verbs == ["Hangup"]


async def test_our_own_failure_is_an_apology_to_the_caller(twilio: Twilio, world: World) -> None:
    world.error = RuntimeError("broken")
    assert (await twilio.post("/twilio/voice")).verbs == ["Say", "Hangup"]


# --- nothing is opened for strangers --------------------------------------------------------------

PATHS = ["/twilio/voice", "/twilio/status", "/twilio/stream-ended"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {"X-Twilio-Signature": None}},
        {"headers": {"X-Twilio-Signature": ""}},
        {"headers": {"X-Twilio-Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}},
        {"auth": "another secret"},
        {"body": urlencode([*RINGING, ("CallSid", "CAother")]).encode()},
        {"body": b""},
        {
            "headers": {
                "X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_SHA256",
            }
        },
    ],
    ids=["missing", "empty", "nonsense", "other secret", "changed", "no body", "unknown key"],
)
async def test_a_request_that_twilio_did_not_sign_opens_nothing(
    twilio: Twilio, world: World, path: str, changes: dict[str, Any]
) -> None:
    answer = await twilio.post(path, **changes)
    assert (answer.status, answer.text) == (403, "refused\n")
    assert world.untouched


async def test_a_signature_replayed_on_another_route_or_agent_is_refused(
    twilio: Twilio, world: World
) -> None:
    stolen = {"X-Twilio-Signature": sign(f"{PUBLIC}/twilio/voice", RINGING)}
    assert (await twilio.post("/twilio/status", headers=stolen)).status == 403
    assert (await twilio.post("/twilio/voice?agent=sales", headers=stolen)).status == 403
    assert world.untouched


async def test_what_a_proxy_writes_into_the_request_does_not_count(twilio: Twilio) -> None:
    proxied = {
        "Host": "bot.internal:8000",
        "X-Forwarded-Host": "evil.example.net",
        "X-Forwarded-Proto": "http",
        "Forwarded": "host=evil.example.net",
    }
    assert (await twilio.post("/twilio/voice", headers=proxied)).status == 200


async def test_a_signature_over_the_address_of_the_proxy_is_refused(twilio: Twilio) -> None:
    inside = {"X-Twilio-Signature": sign(f"{twilio.base}/twilio/voice", RINGING)}
    assert (await twilio.post("/twilio/voice", headers=inside)).status == 403


@pytest.mark.parametrize(
    ("path", "method", "status", "allow"),
    [
        ("/twilio/voice", "PUT", 405, "POST, GET"),
        ("/twilio/voice", "HEAD", 405, "POST, GET"),
        ("/twilio/status", "GET", 405, "POST"),
        ("/twilio/stream-ended", "DELETE", 405, "POST"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    twilio: Twilio, path: str, method: str, status: int, allow: str
) -> None:
    answer = await twilio.send(method, path, {"X-Twilio-Signature": sign(f"{PUBLIC}{path}")})
    assert (answer.status, answer.headers["allow"]) == (status, allow)


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", None])
async def test_a_body_of_another_type_is_refused(
    twilio: Twilio, world: World, content_type: str | None
) -> None:
    answer = await twilio.post("/twilio/voice", headers={"Content-Type": content_type})
    assert answer.status == 415
    assert world.untouched


async def test_the_content_type_may_carry_a_charset(twilio: Twilio) -> None:
    headers = {"Content-Type": "Application/X-WWW-Form-urlencoded; charset=UTF-8"}
    assert (await twilio.post("/twilio/voice", headers=headers)).status == 200


async def test_a_body_at_the_limit_is_read_and_one_byte_more_is_not(twilio: Twilio) -> None:
    bare = len(urlencode([*RINGING, ("X", "")]))
    form = [*RINGING, ("X", "x" * (MOST_BODY_BYTES - bare))]
    assert (await twilio.post("/twilio/voice", form)).status == 200
    form[-1] = ("X", form[-1][1] + "x")
    assert (await twilio.post("/twilio/voice", form)).status == 413


async def test_an_endless_body_without_a_length_is_cut_off(twilio: Twilio, world: World) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(2 * MOST_BODY_BYTES // 4096):
            yield b"x" * 4096

    assert (await twilio.post("/twilio/voice", body=chunks())).status == 413
    assert world.untouched


@pytest.mark.parametrize("body", [b"CallSid", b"CallSid=%FF", b"a=1&&b=2"])
async def test_a_form_that_cannot_be_read_is_a_bad_request(twilio: Twilio, body: bytes) -> None:
    assert (await twilio.post("/twilio/voice", body=body)).status == 400


@pytest.mark.parametrize(
    "form",
    [
        RINGING[1:],
        [("CallSid", ""), *RINGING[1:]],
        [("CallSid", "CA {}"), *RINGING[1:]],
        [("CallSid", "CA" * 40), *RINGING[1:]],
        [*RINGING, ("CallSid", "CAother")],
    ],
)
async def test_a_signed_form_without_one_good_call_sid_is_a_bad_request(
    twilio: Twilio, world: World, form: Form
) -> None:
    assert (await twilio.post("/twilio/voice", form)).status == 400
    assert world.untouched


# --- copies ---------------------------------------------------------------------------------------

COPY = {"I-Twilio-Idempotency-Token": "t1"}


async def test_a_copy_is_answered_alike_and_opens_nothing_more(
    twilio: Twilio, world: World
) -> None:
    first = await twilio.post("/twilio/voice", headers=COPY)
    second = await twilio.post("/twilio/voice", headers=COPY)
    assert first.text == second.text
    assert len(world.offered) == 1


async def test_copies_at_the_same_time_are_answered_alike(twilio: Twilio, world: World) -> None:
    world.gate = asyncio.Event()
    copies = [asyncio.create_task(twilio.post("/twilio/voice", headers=COPY)) for _ in range(4)]
    await world.began.wait()
    world.gate.set()
    assert len({(await copy).text for copy in copies}) == 1
    assert len(world.offered) == 1


async def test_the_same_token_on_another_request_is_another_request(
    twilio: Twilio, world: World
) -> None:
    await twilio.post("/twilio/voice", headers=COPY)
    await twilio.post("/twilio/voice", [*RINGING, ("More", "1")], headers=COPY)
    await twilio.post("/twilio/voice?agent=sales", headers=COPY)
    assert [call.agent for call in world.offered] == ["reception", "reception", "sales"]


async def test_a_stranger_cannot_fetch_an_answer_with_a_token(twilio: Twilio) -> None:
    await twilio.post("/twilio/voice", headers=COPY)
    forged = COPY | {"X-Twilio-Signature": "x"}
    assert (await twilio.post("/twilio/voice", headers=forged)).status == 403


async def test_a_failure_is_not_kept_as_the_answer(twilio: Twilio, world: World) -> None:
    world.error = RuntimeError("broken")
    assert (await twilio.post("/twilio/voice", headers=COPY)).verbs == ["Say", "Hangup"]
    world.error = None
    assert (await twilio.post("/twilio/voice", headers=COPY)).verbs == ["Connect"]


# --- the stream has ended -------------------------------------------------------------------------


def ended(status: str = "in-progress") -> Form:
    return [("CallSid", CALL), ("CallStatus", status), ("Direction", "inbound")]


@pytest.mark.parametrize(
    ("ending", "verbs"),
    [
        (EndReason.AGENT_HUNG_UP, ["Hangup"]),
        (EndReason.CALLER_HUNG_UP, ["Hangup"]),
        (EndReason.OPERATOR_HUNG_UP, ["Hangup"]),
        (EndReason.MODEL_FAILED, ["Say", "Hangup"]),
        (EndReason.INTERNAL_ERROR, ["Say", "Hangup"]),
        (EndReason.DRAINED, ["Connect"]),
        (EndReason.CARRIER_LOST, ["Connect"]),
        (None, ["Connect"]),
    ],
)
async def test_how_the_conversation_ended_decides_how_the_call_goes_on(
    twilio: Twilio, world: World, ending: EndReason | None, verbs: list[str]
) -> None:
    world.ending = ending
    assert (await twilio.post("/twilio/stream-ended", ended())).verbs == verbs


async def test_every_end_reason_has_a_way_on() -> None:
    ways = {reason: after_stream(reason) for reason in EndReason}
    over = {reason for reason in EndReason if reason.deliberate} - {EndReason.HANDED_ON}
    assert all(ways[reason] == "hang_up" for reason in over)
    assert ways[EndReason.HANDED_ON] == "onward"
    assert all(ways[reason] == "apologise" for reason in EndReason if reason.fault == "model")
    assert all(ways[reason] == "resume" for reason in EndReason if reason.fault == "carrier")


@pytest.mark.parametrize("status", ["completed", "canceled"])
async def test_a_call_that_is_over_is_not_opened_again(twilio: Twilio, status: str) -> None:
    assert (await twilio.post("/twilio/stream-ended", ended(status))).verbs == ["Hangup"]


def path_of(url: str) -> str:
    parts = urlsplit(url.removeprefix(PUBLIC))
    return f"{parts.path}?{parts.query}"


async def test_a_resumed_call_keeps_its_agent_and_direction(twilio: Twilio) -> None:
    form = [*RINGING[:4], ("Direction", "outbound-api")]
    first = await twilio.post("/twilio/voice?agent=sales", form)
    again = await twilio.post(path_of(first.find("Connect")["action"]), ended())
    assert again.grant == Grant(CALL, "sales", "outbound")


@pytest.mark.parametrize(
    ("ending", "resumes"), [(None, MOST_RESUMES), (EndReason.CARRIER_LOST, MOST_RESUMES)]
)
async def test_a_stream_that_never_comes_up_does_not_go_round_for_ever(
    twilio: Twilio, world: World, ending: EndReason | None, resumes: int
) -> None:
    world.ending = ending
    answer = await twilio.post("/twilio/voice")
    for _ in range(resumes):
        answer = await twilio.post(path_of(answer.find("Connect")["action"]), ended())
        assert answer.verbs == ["Connect"]
    answer = await twilio.post(path_of(answer.find("Connect")["action"]), ended())
    assert answer.verbs == ["Say", "Hangup"]


async def test_moving_to_another_worker_does_not_use_up_the_resumes(
    twilio: Twilio, world: World
) -> None:
    world.ending = EndReason.DRAINED
    answer = await twilio.post("/twilio/voice")
    for _ in range(MOST_RESUMES + 2):
        answer = await twilio.post(path_of(answer.find("Connect")["action"]), ended())
    assert dict(parse_qsl(urlsplit(answer.find("Connect")["action"]).query))["resumed"] == "0"


@pytest.mark.parametrize("resumed", ["x", "-1", "9" * 9, "²"])
async def test_a_count_that_makes_no_sense_ends_in_the_apology(
    twilio: Twilio, resumed: str
) -> None:
    query = urlencode({"resumed": resumed})
    answer = await twilio.post(f"/twilio/stream-ended?{query}", ended())
    assert answer.verbs == ["Say", "Hangup"]


async def test_when_the_ending_cannot_be_looked_up_the_caller_gets_an_apology(
    stage: Stage, world: World
) -> None:
    async def broken(call_sid: str) -> EndReason | None:
        raise ConnectionError(call_sid)

    async with stage.serving(door(world, ending_of=broken)) as twilio:
        assert (await twilio.post("/twilio/stream-ended", ended())).verbs == ["Say", "Hangup"]


# --- the life of the call -------------------------------------------------------------------------


def status(state: str, sequence: int) -> Form:
    return [("CallSid", CALL), ("CallStatus", state), ("SequenceNumber", str(sequence))]


async def test_each_step_of_a_call_is_told_once_in_any_order(twilio: Twilio, world: World) -> None:
    for form in [
        status("initiated", 0),
        status("completed", 3),
        status("ringing", 1),
        status("completed", 3),
    ]:
        assert (await twilio.post("/twilio/status", form)).status == 204
    assert [(step.state, step.late) for step in world.progress] == [
        (CallState.INITIATED, False),
        (CallState.COMPLETED, False),
        (CallState.RINGING, True),
    ]
    assert not world.offered


async def test_a_stream_that_failed_is_reported(twilio: Twilio, world: World) -> None:
    form = [
        ("CallSid", CALL),
        ("StreamSid", "MZ1"),
        ("StreamEvent", "stream-error"),
        ("StreamError", "31920"),
    ]
    assert (await twilio.post("/twilio/status", form)).status == 204
    assert world.streams == [StreamStatus(CALL, "MZ1", "stream-error", "31920")]
    assert not world.progress


async def test_a_status_that_cannot_be_read_is_a_bad_request(twilio: Twilio, world: World) -> None:
    assert (await twilio.post("/twilio/status", status("asleep", 0))).status == 400
    assert world.untouched


async def test_a_callback_that_fails_is_our_error(stage: Stage, world: World) -> None:
    async def broken(step: CallProgress) -> None:
        raise RuntimeError(step.state)

    failing: Callable[[CallProgress], Awaitable[None]] = broken
    async with stage.serving(door(world, on_progress=failing)) as twilio:
        assert (await twilio.post("/twilio/status", status("ringing", 1))).status == 500


async def test_refusals_are_logged_without_personal_data(
    twilio: Twilio, caplog: pytest.LogCaptureFixture
) -> None:
    await twilio.post("/twilio/voice", auth="another secret")
    (record,) = [r for r in caplog.records if r.name == "app.carriers.twilio.webhooks"]
    assert record.__dict__["fields"]["reason"] == "wrong_signature"
    assert record.__dict__["fields"]["path"] == "/twilio/voice"
    assert "4155550100" not in str(record.__dict__)


async def test_a_stream_that_does_not_come_up_after_a_transfer_does_not_repeat_the_transfer(
    twilio: Twilio, world: World
) -> None:
    """What the carrier asks then still finds the ending by which the call had left."""
    world.ending = EndReason.HANDED_ON
    world.detail = Plan("transfer", "desk", run="1234").packed()
    assert (await twilio.post("/twilio/stream-ended", ended())).verbs == ["Say", "Hangup"]
    stale = await twilio.post("/twilio/stream-ended?done=1234", ended())
    assert stale.verbs == ["Connect"]
    assert "done=1234" in stale.find("Connect")["action"]
    another = await twilio.post("/twilio/stream-ended?done=9999", ended())
    assert another.verbs == ["Say", "Hangup"], "a new plan is carried out"
