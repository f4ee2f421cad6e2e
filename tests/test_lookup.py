"""A look-up brings what it finds, signed as it should be; what goes wrong is told without a word
about the caller, and nobody waits longer than agreed."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from app.agents import Agent
from app.agents.lookup_table import Lookup
from app.agents.variables import Values
from app.lookup import MOST_BYTES, Asked, Lookups, at
from tests.crm import Answer, Crm, open_crm

VALUES = Values(
    {"note": "none"}, {"caller_number": "+15550100001"}, {"caller_name": "Ada & Söhne?x=1#"}
)
SECRET = "whsec_" + "c2VjcmV0" * 4


@pytest_asyncio.fixture
async def crm() -> AsyncIterator[Crm]:
    async with open_crm() as crm:
        yield crm


@pytest_asyncio.fixture
async def lookups() -> AsyncIterator[Lookups]:
    lookups = Lookups()
    yield lookups
    await lookups.close()


FIELDS = {"caller_name": "/customer/name", "vip": "/customer/vip", "order": "/orders/0", "no": "/x"}


def agent(crm: Crm, query: str = "", **changes: object) -> Agent:
    lookup = Lookup(url=f"{crm.url}/find{query}", fields=FIELDS, **changes)  # type: ignore[arg-type]
    return Agent(name="desk", source=Path("desk.toml"), instructions="x", lookup=lookup)


def ask(lookups: Lookups, of: Agent, secret: str = "") -> Asked:
    lookups.begin("CA1", of, VALUES, secret)
    asked = lookups.take("CA1", of)
    assert asked is not None
    return asked


async def test_what_is_found_is_learnt(crm: Crm, lookups: Lookups) -> None:
    query = "?n={{caller_number}}&name={{caller_name}}&note={{note}}&x={{nobody}}"
    asked = ask(lookups, agent(crm, query))
    assert asked.answer == {}
    assert await asked.task == {"caller_name": "Ada", "vip": "yes", "order": "4711"}
    assert asked.answer == await asked.task
    [request] = crm.requests
    assert dict(request.query) == {
        "n": "+15550100001",
        "name": "Ada & Söhne?x=1#",
        "note": "none",
        "x": "",
    }
    assert (request.method, request.path) == ("GET", "/find")
    assert "Authorization" not in request.headers


async def test_a_post_brings_what_is_known(crm: Crm, lookups: Lookups) -> None:
    await ask(lookups, agent(crm, method="POST"), "s3cret").task
    assert json.loads(crm.bodies[0]) == {
        "call_id": "CA1",
        "note": "none",
        "caller_name": "Ada & Söhne?x=1#",
        "caller_number": "+15550100001",
    }
    assert crm.requests[0].headers["Authorization"] == "Bearer s3cret"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_it_can_be_signed(crm: Crm, lookups: Lookups, method: str) -> None:
    await ask(lookups, agent(crm, method=method, sign="webhook"), SECRET).task
    headers = {name.lower(): value for name, value in crm.requests[0].headers.items()}
    Webhook(SECRET).verify(crm.bodies[0] or b"", headers) if method == "POST" else None
    assert headers["webhook-id"] == "lookup_CA1"
    assert SECRET not in str(headers)


async def hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def redirect(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/elsewhere")


def says(body: bytes, status: int = 200) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status)

    return answer


@pytest.mark.parametrize(
    ("answer", "cause", "status"),
    [
        (hang_up, "ServerDisconnectedError", 0),
        (redirect, "status", 302),
        (says(b"{}", 500), "status", 500),
        (says(b"<html>"), "not_json", 200),
        (says(b"\xff\xfe"), "not_json", 200),
        (says(b"[" * 60_000), "not_json", 200),
        (says(b'"' + b"x" * MOST_BYTES + b'"'), "too_large", 200),
    ],
)
async def test_what_goes_wrong_is_told_and_nothing_is_learnt(
    crm: Crm, lookups: Lookups, caplog: pytest.LogCaptureFixture, answer: Answer, cause: str,
    status: int,
) -> None:  # fmt: skip
    crm.answer = answer
    assert await ask(lookups, agent(crm, "?n={{caller_number}}")).task == {}
    [record] = [r for r in caplog.records if r.message == "the look-up failed"]
    fields = record.fields  # type: ignore[attr-defined]
    assert (fields["call"], fields["cause"], fields["status"]) == ("CA1", cause, status)
    assert "5550100001" not in str(caplog.records[-1].__dict__)
    assert {request.path for request in crm.requests} == {"/find"}, "a redirect is not followed"


async def test_nobody_there_is_told_too(lookups: Lookups, caplog: pytest.LogCaptureFixture) -> None:
    assert await ask(lookups, agent(Crm("http://127.0.0.1:9"))).task == {}
    assert "the look-up failed" in caplog.text


@pytest.mark.parametrize("document", ["[]", "7", "null", '"x"', '{"customer": [], "orders": {}}'])
async def test_an_answer_of_another_shape_brings_nothing(
    crm: Crm, lookups: Lookups, document: str
) -> None:
    crm.answer = says(document.encode())
    assert await ask(lookups, agent(crm)).task == {}


async def test_it_is_waited_for_only_so_long_and_then_goes_on(crm: Crm, lookups: Lookups) -> None:
    released = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.json_response({"customer": {"name": "Late"}})

    crm.answer = slow
    asked = ask(lookups, agent(crm, timeout_ms=50))
    await asked.waited(20)
    assert asked.answer == {} and not asked.task.done()
    released.set()
    await asked.task
    assert asked.answer == {"caller_name": "Late"}
    await asked.waited(20)


async def test_a_call_is_asked_about_once(crm: Crm, lookups: Lookups) -> None:
    desk = agent(crm)
    lookups.begin("CA1", desk, VALUES, "")
    lookups.begin("CA1", desk, VALUES, "")
    asked = lookups.take("CA1", desk)
    assert asked is not None
    await asked.task
    assert len(crm.requests) == 1
    assert lookups.take("CA1", desk) is None


async def test_an_agent_without_one_asks_nothing(lookups: Lookups) -> None:
    plain = Agent(name="desk", source=Path("desk.toml"), instructions="x")
    lookups.begin("CA1", plain, VALUES, "")
    assert lookups.take("CA1", plain) is None


@pytest.mark.parametrize(
    ("pointer", "text"),
    [
        ("/a/b", "1"), ("/a/c~1d", "x"), ("/a/e~0f", "y"), ("/l/1", "two"), ("/l/9", ""),
        ("/l/-1", ""), ("/l/x", ""), ("/l/٣", ""), ("/a", ""), ("/n", ""), ("/t", "yes"),
        ("/f", "no"), ("/d", "1.5"), ("/a/b/c", ""), ("", ""), ("/", "empty"),
    ],
)  # fmt: skip
def test_what_stands_at_a_pointer(pointer: str, text: str) -> None:
    document = {
        "a": {"b": 1, "c/d": "x", "e~f": "y"}, "l": ["one", "two"], "n": None, "t": True,
        "f": False, "d": 1.5, "": "empty",
    }  # fmt: skip
    assert at(document, pointer) == text
