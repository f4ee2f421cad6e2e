"""The lab's ARI answers as Asterisk is documented to, whoever asks: logins, channels that live,
channels that do not, orders that are none; and its dialplan tells how each call ended, once."""

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from app.lab.pbx import Dialplan, PbxAri, PbxPhone
from app.lab.phone.people import Callee
from app.lab.phone.rest_manners import RestManners
from app.lab.phone.script import Script, Wait

STAYS, BUSY, AWAY, GONE, DECLINES = (f"+1555010001{n}" for n in range(5))
PEOPLE = {
    STAYS: Callee(Script((Wait(60_000),), limit_ms=60_000), ring_ms=60_000),
    BUSY: Callee(answers="busy"),
    AWAY: Callee(answers="no-answer"),
    DECLINES: Callee(answers="failed", sip_code=603),
}
LOGIN = "Basic " + base64.b64encode(b"bot:secret").decode()


@asynccontextmanager
async def pbx(**more: Any) -> AsyncIterator[tuple[PbxAri, list[Mapping[str, str]]]]:
    """The lab's PBX, and a server that is told the news."""
    told: list[Mapping[str, str]] = []

    async def hear(request: web.Request) -> web.Response:
        told.append({name: str(value) for name, value in (await request.post()).items()})
        return web.Response(text="heard")

    app = web.Application()
    app.router.add_post("/dialled", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    phone = PbxPhone("ws://127.0.0.1:9/media", dialplan=Dialplan())
    try:
        async with PbxAri(
            phone, PEOPLE, user="bot", password="secret", news_url=f"{url}/dialled", **more
        ) as ari:
            yield ari, told
    finally:
        await runner.cleanup()


async def asked(
    ari: PbxAri, method: str, path: str, query: str = "", login: str = LOGIN, **more: Any
) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession(headers={"Authorization": login}) as session,
        session.request(method, f"{ari.base_url}/ari{path}{query}", **more) as answer,
    ):
        return answer.status, await answer.json() if answer.status != 204 else None


def order(to: str, ring_s: int = 1) -> dict[str, Any]:
    variables = {"__EARSHOT_TO": to, "__EARSHOT_CALL_ID": "AO1", "__EARSHOT_RING_S": str(ring_s)}
    return {
        "params": {
            "endpoint": f"Local/{to}@earshot-out/n",
            "context": "earshot-outgoing",
            "extension": "talk",
            "priority": "1",
        },
        "json": {"variables": variables},
    }


async def test_nobody_without_the_login_is_answered() -> None:
    async with pbx() as (ari, _):
        for login in ("", "Basic bm86bm8=", "Bearer x"):
            assert (await asked(ari, "GET", "/channels", login=login))[0] == 401
        assert ari.requests == []


async def test_a_channel_lives_under_the_name_that_it_was_given() -> None:
    async with pbx() as (ari, told):
        status, made = await asked(ari, "POST", "/channels/x1", **order(STAYS, ring_s=60))
        assert (status, made["id"]) == (200, "x1")
        assert (await asked(ari, "POST", "/channels/x1", **order(STAYS)))[0] == 409
        assert (await asked(ari, "GET", "/channels/x1"))[1]["state"] in ("Down", "Ring")
        assert [one["id"] for one in (await asked(ari, "GET", "/channels"))[1]] == ["x1"]
        assert (await asked(ari, "DELETE", "/channels/x1"))[0] == 204
        await ari.report("x1")
        assert [one["status"] for one in told] == ["CANCEL"]
        assert (await asked(ari, "GET", "/channels/x1"))[0] == 404
        assert (await asked(ari, "DELETE", "/channels/x1"))[0] == 404
        assert (await asked(ari, "GET", "/channels"))[1] == []
        assert len(ari.calls_to(STAYS)) == 1


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"endpoint": ""}, 400),
        ({"endpoint": "trunk"}, 400),
        ({"extension": ""}, 400),
        ({"endpoint": "Local/1@elsewhere/n"}, 500),
        ({"endpoint": "PJSIP/ann"}, 500),
    ],
)
async def test_what_is_no_order_is_refused(wrong: dict[str, str], status: int) -> None:
    async with pbx() as (ari, _):
        given = order(BUSY)
        given["params"] |= wrong
        assert (await asked(ari, "POST", "/channels/x1", **given))[0] == status
        assert ari.calls == {}


async def test_a_body_that_is_none_is_refused() -> None:
    async with pbx() as (ari, _):
        given = order(BUSY) | {"json": None, "data": "{"}
        assert (await asked(ari, "POST", "/channels/x1", **given))[0] == 400
        assert (await asked(ari, "GET", "/nothing"))[0] == 404
        assert (await asked(ari, "GET", "/asterisk/ping"))[1]["ping"] == "pong"


@pytest.mark.parametrize(
    ("to", "status", "cause"),
    [
        (BUSY, "BUSY", "17"),
        (AWAY, "NOANSWER", "19"),
        (GONE, "CHANUNAVAIL", "1"),
        (DECLINES, "CHANUNAVAIL", "21"),
    ],
)
async def test_how_a_dial_ended_is_told(to: str, status: str, cause: str) -> None:
    async with pbx() as (ari, told):
        await asked(ari, "POST", "/channels/x1", **order(to))
        await ari.report("x1")
    [form] = told
    assert (form["call"], form["status"], form["cause"]) == ("AO1", status, cause)
    assert form["seconds"] == ""
    assert ari.news.heard == ["heard"]


async def test_an_order_whose_answer_is_lost_is_carried_out() -> None:
    async with pbx(manners=RestManners(loses=lambda method, path: method == "POST")) as (ari, _):
        with pytest.raises(aiohttp.ClientError):
            await asked(ari, "POST", "/channels/x1", **order(STAYS, ring_s=60))
        assert (await asked(ari, "GET", "/channels/x1"))[0] == 200
