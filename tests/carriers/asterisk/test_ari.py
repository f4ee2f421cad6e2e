"""Whatever a PBX answers to an order, or does not, is told in words that say how to mend it, and
nobody is told that something was not done which may have been."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from app.carriers.asterisk import ari as wire
from app.carriers.asterisk.ari import Ari, AriError, Channel, Originate, Trouble

ORDER = Originate(
    channel_id="AO" + "0" * 32,
    endpoint="Local/+15550100001@earshot-out/n",
    context="earshot-outgoing",
    extension="talk",
    timeout_s=35,
    caller_id="+15550100002",
    variables={"__EARSHOT_TO": "+15550100001"},
)
LIVES = '{"id":"AO1","state":"Ring","name":"x","creationtime":"2026-11-20T10:00:00.500+0000"}'
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def pbx(answer: Answer, timeout_s: float = 5) -> AsyncIterator[Ari]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/pbx/"
        yield Ari(url, "bot", "a password", timeout_s)
    finally:
        await runner.cleanup()


def saying(status: int, text: str = "", seen: list[web.Request] | None = None) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        if seen is not None:
            seen.append(request)
        headers = {"Location": "http://127.0.0.1:9/"} if 300 <= status < 400 else {}
        return web.Response(status=status, text=text, headers=headers)

    return answer


async def test_an_order_is_written_as_the_pbx_reads_it() -> None:
    seen: list[web.Request] = []
    async with pbx(saying(200, LIVES, seen)) as ari:
        await ari.originate(ORDER)
    [request] = seen
    assert (request.method, request.path) == ("POST", f"/pbx/ari/channels/{ORDER.channel_id}")
    assert dict(request.query) == {
        "endpoint": ORDER.endpoint,
        "context": "earshot-outgoing",
        "extension": "talk",
        "priority": "1",
        "timeout": "35",
        "callerId": "+15550100002",
    }
    assert await request.json() == {"variables": {"__EARSHOT_TO": "+15550100001"}}
    pair = request.headers["Authorization"].removeprefix("Basic ")
    assert b64decode(pair) == b"bot:a password"


async def test_a_call_that_is_there_already_is_the_call() -> None:
    async with pbx(saying(409, '{"message":"Channel with given unique ID already exists"}')) as ari:
        await ari.originate(ORDER)


@pytest.mark.parametrize(
    ("status", "trouble", "unknown"),
    [
        (400, Trouble.REFUSED, False),
        (401, Trouble.LOGIN, False),
        (403, Trouble.LOGIN, False),
        (404, Trouble.NOT_THERE, False),
        (302, Trouble.NOT_THERE, False),
        (500, Trouble.FAULT, True),
        (503, Trouble.FAULT, True),
    ],
)
async def test_a_refused_order_says_whether_it_may_have_been_carried_out(
    status: int, trouble: Trouble, unknown: bool
) -> None:
    async with pbx(saying(status, "<html>")) as ari:
        with pytest.raises(AriError) as caught:
            await ari.originate(ORDER)
    assert (caught.value.trouble, caught.value.outcome_unknown) == (trouble, unknown)
    assert "a password" not in str(caught.value) and "+1555" not in str(caught.value)


async def test_an_answer_that_never_comes_leaves_the_order_unknown() -> None:
    async def hangs(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError("never")

    async with pbx(hangs, timeout_s=0.2) as ari:
        with pytest.raises(AriError) as caught:
            await ari.originate(ORDER)
        with pytest.raises(AriError) as asked:
            await ari.channel("AO1")
    assert (caught.value.trouble, caught.value.outcome_unknown) == (Trouble.AWAY, True)
    assert not asked.value.outcome_unknown, "a question does nothing"


async def test_where_nobody_listens_nothing_was_done() -> None:
    with pytest.raises(AriError) as caught:
        await Ari("http://127.0.0.1:9", "bot", "x").originate(ORDER)
    assert (caught.value.trouble, caught.value.outcome_unknown) == (Trouble.AWAY, False)


async def test_a_channel_that_lives_is_read_and_one_that_does_not_is_none() -> None:
    async with pbx(saying(200, LIVES)) as ari:
        found = await ari.channel("AO1")
    assert found == Channel("AO1", "Ring", "2026-11-20T10:00:00.500+0000")
    assert found.created_ms == 1_795_168_800_500
    assert Channel("AO1", "Up", "yesterday").created_ms == 0
    async with pbx(saying(200, f"[{LIVES}]")) as ari:
        assert await ari.channels() == [found]
    async with pbx(saying(404)) as ari:
        assert await ari.channel("AO1") is None


@pytest.mark.parametrize("text", ["", "[1]", '{"id":7}', "<html>"])
async def test_what_is_no_ari_is_told(text: str) -> None:
    async with pbx(saying(200, text)) as ari:
        for asking in (ari.channel("AO1"), ari.channels(), ari.ping()):
            with pytest.raises(AriError) as caught:
                await asking
            assert caught.value.trouble is Trouble.NOT_THERE


async def test_a_flood_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_BODY_BYTES", 1_000)
    async with pbx(saying(200, "x" * 200_000)) as ari:
        with pytest.raises(AriError) as caught:
            await ari.channels()
    assert caught.value.trouble is Trouble.FAULT


async def test_hanging_up_what_is_over_is_no_error() -> None:
    seen: list[web.Request] = []
    for status in (204, 404):
        async with pbx(saying(status, "", seen)) as ari:
            await ari.hang_up("AO/1")
    assert {(r.method, r.raw_path) for r in seen} == {
        ("DELETE", "/pbx/ari/channels/AO%2F1?reason=normal")
    }
    async with pbx(saying(500)) as ari:
        with pytest.raises(AriError):
            await ari.hang_up("AO1")


async def test_a_ping_says_that_we_may_in() -> None:
    async with pbx(saying(200, '{"asterisk_id":"x","ping":"pong"}')) as ari:
        await ari.ping()
    async with pbx(saying(401)) as ari:
        with pytest.raises(AriError, match="EARSHOT_ARI_USER"):
            await ari.ping()
