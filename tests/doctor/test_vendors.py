"""Whatever OpenAI, Twilio, Redis and the database answer, or do not, the doctor tells it in a line,
in bounded time, without a secret. The peers here are real servers on loopback."""

import asyncio
import base64
import datetime
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from app.doctor.report import Check
from app.doctor.vendors import check_database, check_openai, check_redis, check_twilio
from app.settings import load_settings

KEY = "sk-proj-0123456789abcdefghij"
SID = "AC" + "0123456789abcdef" * 2
TOKEN = "fedcba9876543210" * 2
TODAY = datetime.date(2026, 11, 20)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def http_server(answer: Answer) -> AsyncIterator[str]:
    """A server on loopback that gives every request to `answer`; yields its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def answering(status: int, body: Any = None, seen: list[web.Request] | None = None) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        if seen is not None:
            seen.append(request)
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=status, text=text)

    return answer


async def hanging(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError("never")


async def dropping(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def models(*entries: tuple[str, str | None]) -> dict[str, Any]:
    data = [{"id": name, "object": "model", "shutdown_date": end} for name, end in entries]
    return {"object": "list", "data": data}


async def openai_check(answer: Answer, *, timeout_s: float = 5, model: str = "") -> Check:
    async with http_server(answer) as address:
        env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{address}/v1", "OPENAI_PROJECT": "p_1"}
        settings = load_settings(env=env, env_file=None)
        check = await check_openai(settings, model, today=TODAY, timeout_s=timeout_s)
    assert KEY not in str(check)
    assert "\n" not in check.seen + check.mend
    return check


async def twilio_check(answer: Answer, *, timeout_s: float = 5) -> Check:
    async with http_server(answer) as address:
        env = {
            "TWILIO_ACCOUNT_SID": SID,
            "TWILIO_AUTH_TOKEN": f"{TOKEN},second",
            "EARSHOT_TWILIO_API_URL": address,
        }
        settings = load_settings(env=env, env_file=None)
        check = await check_twilio(settings, timeout_s=timeout_s)
    assert TOKEN not in str(check)
    return check


async def test_a_key_that_is_accepted_and_a_model_that_stays() -> None:
    seen: list[web.Request] = []
    check = await openai_check(answering(200, models(("gpt-realtime-2.1", None)), seen))
    assert (check.status, check.mend) == ("ok", "")
    assert seen[0].path == "/v1/models"
    assert seen[0].headers["Authorization"] == f"Bearer {KEY}"
    assert seen[0].headers["OpenAI-Project"] == "p_1"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, ("fail", "OPENAI_API_KEY")),
        (403, ("warn", "permissions")),
        (404, ("warn", "OPENAI_BASE_URL")),
        (429, ("warn", "later")),
        (500, ("warn", "later")),
        (302, ("warn", "later")),
    ],
)
async def test_a_refusal_is_told_with_its_cure(status: int, expected: tuple[str, str]) -> None:
    check = await openai_check(answering(status, {"error": {"message": KEY}}))
    assert check.status == expected[0]
    assert expected[1] in check.mend
    assert str(status) in check.seen


async def test_a_model_that_goes_is_told_with_its_date() -> None:
    listing = models(("gpt-realtime", "2027-01-20"))
    check = await openai_check(answering(200, listing), model="gpt-realtime")
    assert check.status == "warn"
    assert "gpt-realtime shuts down on 2027-01-20, in 61 days" in check.seen


async def test_a_model_that_is_gone_fails() -> None:
    listing = models(("gpt-realtime", "2026-11-20"))
    check = await openai_check(answering(200, listing), model="gpt-realtime")
    assert check.status == "fail"
    assert "shut down on 2026-11-20" in check.seen


async def test_a_model_that_is_unknown_is_told() -> None:
    check = await openai_check(answering(200, models(("other", None))))
    assert check.status == "warn"
    assert "gpt-realtime-2.1 is not among its 1 models" in check.seen


@pytest.mark.parametrize(
    "body", ["<html>", "", "[1]", {"data": 3}, '{"data": null}', {"data": [3, {"no": "id"}]}]
)
async def test_an_answer_that_is_not_openais_is_told(body: Any) -> None:
    assert (await openai_check(answering(200, body))).status == "warn"


@pytest.mark.parametrize("check", [openai_check, twilio_check])
async def test_a_peer_that_hangs_is_given_up(check: Callable[..., Awaitable[Check]]) -> None:
    found = await check(hanging, timeout_s=0.05)
    assert found.status == "fail"
    assert "no answer within 0.05 s" in found.seen


@pytest.mark.parametrize("check", [openai_check, twilio_check])
async def test_a_peer_that_drops_the_connection_is_told(
    check: Callable[..., Awaitable[Check]],
) -> None:
    found = await check(dropping)
    assert found.status == "fail"
    assert "the connection failed" in found.seen


async def test_nobody_listening_is_told() -> None:
    async with http_server(hanging) as address:
        pass
    env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": address}
    check = await check_openai(load_settings(env=env, env_file=None), "", today=TODAY, timeout_s=5)
    assert (check.status, check.seen) == ("fail", f"{address}/models: nothing listens there")


async def test_without_credentials_nobody_is_asked() -> None:
    settings = load_settings(env={}, env_file=None)
    assert (await check_openai(settings, "", today=TODAY, timeout_s=5)).status == "skip"
    assert (await check_twilio(settings, timeout_s=5)).status == "skip"
    assert (await check_redis(settings, timeout_s=5)).status == "skip"
    assert (await check_database(settings, timeout_s=5)).status == "skip"


async def test_twilio_is_asked_for_the_account_with_the_first_token() -> None:
    seen: list[web.Request] = []
    check = await twilio_check(answering(200, {"status": "active", "type": "Full"}, seen))
    assert check.status == "ok"
    assert seen[0].path == f"/2010-04-01/Accounts/{SID}.json"
    login = base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
    assert seen[0].headers["Authorization"] == f"Basic {login}"


@pytest.mark.parametrize(
    ("status", "body", "expected", "told"),
    [
        (200, {"status": "active", "type": "Trial"}, "warn", "trial"),
        (200, {"status": "suspended", "type": "Full"}, "fail", "suspended"),
        (200, "nonsense", "ok", "accepted"),
        (401, {"code": 20003}, "fail", "not accepted (401)"),
        (404, {"code": 20404}, "fail", "not accepted (404)"),
        (503, "", "warn", "answers 503"),
    ],
)
async def test_twilios_answers_are_told(status: int, body: Any, expected: str, told: str) -> None:
    check = await twilio_check(answering(status, body))
    assert check.status == expected
    assert told in check.seen


@asynccontextmanager
async def resp_server(reply: Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """A server that answers each Redis command by its name."""
    writers = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        # A RESP command is an array whose items each begin with a length line.
        while line := await reader.readline():
            words = []
            for _ in range(int(line[1:])):
                length = int((await reader.readline())[1:])
                words.append((await reader.readexactly(length + 2))[:-2])
            writer.write(reply(words[0].upper()))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"redis://:hushhush@127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    finally:
        server.close()
        for writer in writers:
            writer.close()


def like_redis(command: bytes) -> bytes:
    answers = {b"HELLO": b"%1\r\n$5\r\nproto\r\n:3\r\n", b"PING": b"+PONG\r\n"}
    return answers.get(command, b"+OK\r\n")


async def redis_check(url: str, timeout_s: float = 5) -> Check:
    settings = load_settings(env={"REDIS_URL": url}, env_file=None)
    check = await check_redis(settings, timeout_s=timeout_s)
    assert "hushhush" not in str(check)
    return check


async def test_a_redis_that_answers() -> None:
    async with resp_server(like_redis) as url:
        assert (await redis_check(url)).status == "ok"


async def test_a_redis_that_refuses_the_password() -> None:
    refusal = b"-WRONGPASS invalid username-password pair\r\n"
    async with resp_server(lambda _: refusal) as url:
        check = await redis_check(url)
    assert check.status == "fail"
    assert "AuthenticationError" in check.seen


async def test_a_redis_that_hangs_or_is_away() -> None:
    async with resp_server(lambda _: b"") as url:
        assert "no answer within 0.05 s" in (await redis_check(url, 0.05)).seen
    assert (await redis_check(url)).status == "fail"


@pytest.mark.parametrize("answer", [b"+HI\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff\r\n"])
async def test_a_peer_that_is_not_redis(answer: bytes) -> None:
    async with resp_server(lambda _: answer) as url:
        assert (await redis_check(url)).status == "fail"


async def test_a_redis_address_that_cannot_be_read() -> None:
    check = await redis_check("redis://127.0.0.1:port/0")
    assert check.status == "fail"


@pytest.mark.parametrize(
    ("url", "status", "seen"),
    [
        ("sqlite:///{folder}/records.db", "ok", "answers (sqlite)"),
        ("postgresql://earshot:hushhush@127.0.0.1:1/earshot", "fail", "no answer within 5 s"),
    ],
)
async def test_a_database(tmp_path: Path, url: str, status: str, seen: str) -> None:
    env = {"DATABASE_URL": url.format(folder=tmp_path), "EARSHOT_DATA_DIR": str(tmp_path)}
    check = await check_database(load_settings(env=env, env_file=None), timeout_s=5)
    assert check.status == status
    assert seen in check.seen
    assert "hushhush" not in str(check)
