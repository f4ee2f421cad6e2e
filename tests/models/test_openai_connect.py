"""Invariant: no session counts as open before its echoed configuration is μ-law both ways, and
every way of not opening has one cause, in bounded time and with no socket left behind."""

import asyncio
import json
import time
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from app.call.events import ModelClosed, ModelReady
from app.models.openai_connect import (
    Configured,
    Credentials,
    Limits,
    connect_and_configure,
    prepare,
)
from app.models.ports import SemanticVad, ServerVad, SessionConfig, TurnDetection
from tests.models.openai_server import SESSION, OpenAIServer, open_session, running, say

QUICK = Limits(connect_s=5, configure_s=0.3, close_s=0.3)


async def opened(
    server: OpenAIServer, config: SessionConfig | None = None
) -> Configured | ModelClosed:
    async with running(server):
        credentials = Credentials("sk-test", server.base_url, "proj_1")
        result = await connect_and_configure(config or SessionConfig(), credentials, QUICK)
        if isinstance(result, Configured):
            await result.socket.close()
        return result


async def refused(server: OpenAIServer) -> ModelClosed:
    result = await opened(server)
    assert isinstance(result, ModelClosed)
    return result


async def test_the_sdk_conventions_hold() -> None:
    server = OpenAIServer()
    await opened(server, SessionConfig(model="gpt-realtime-2.1-mini"))
    (request,) = server.requests
    assert request.path == "/v1/realtime?model=gpt-realtime-2.1-mini"
    assert request.headers["Authorization"] == "Bearer sk-test"
    assert request.headers["OpenAI-Project"] == "proj_1"
    assert "OpenAI-Beta" not in request.headers


async def test_an_open_session_says_who_it_is_and_when_it_ends() -> None:
    began_s = time.time()
    result = await opened(OpenAIServer())
    ended_s = time.time()
    assert isinstance(result, Configured)
    lifetime_ms = result.ready.lifetime_ms
    assert result.ready == ModelReady("sess_1", "gpt-realtime-2.1", lifetime_ms)
    assert lifetime_ms is not None
    assert 1790000000.0 - ended_s <= lifetime_ms / 1000 + 0.001
    assert lifetime_ms / 1000 - 0.001 <= 1790000000.0 - began_s


async def test_a_session_that_says_no_end_has_none() -> None:
    async def opening(server: OpenAIServer, socket: ServerConnection) -> None:
        endless = {**SESSION, "expires_at": None}
        await say(socket, "session.created", session=endless)
        asked = json.loads(await socket.recv())["session"]
        await say(socket, "session.updated", session={**endless, "audio": asked["audio"]})

    result = await opened(OpenAIServer(opening=opening))
    assert isinstance(result, Configured)
    assert result.ready.lifetime_ms is None


@pytest.mark.parametrize(
    ("turns", "silence_ms"),
    [(ServerVad(silence_duration_ms=350), 350), (SemanticVad(), 0), (None, 0)],
)
async def test_the_silence_that_ends_a_turn_is_what_the_server_says(
    turns: TurnDetection | None, silence_ms: int
) -> None:
    result = await opened(OpenAIServer(), SessionConfig(turn_detection=turns))
    assert isinstance(result, Configured)
    assert result.silence_ms == silence_ms


def pcm(side: str) -> Any:
    def echo(session: dict[str, Any]) -> dict[str, Any]:
        session["audio"][side]["format"] = {"type": "audio/pcm", "rate": 24000}
        return session

    return echo


@pytest.mark.parametrize("side", ["input", "output"])
async def test_a_format_that_was_silently_ignored_opens_nothing(side: str) -> None:
    closed = await refused(OpenAIServer(echo=pcm(side)))
    assert closed == ModelClosed(
        "wrong_format",
        f"audio {side} format: asked for audio/pcmu, the session says audio/pcm",
    )


async def test_a_session_without_any_audio_settings_opens_nothing() -> None:
    assert (await refused(OpenAIServer(echo=lambda _: {"id": "s"}))).cause == "wrong_format"


@pytest.mark.parametrize(
    ("status", "code", "cause"),
    [
        (HTTPStatus.UNAUTHORIZED, "invalid_api_key", "refused"),
        (HTTPStatus.FORBIDDEN, "unsupported_country", "refused"),
        (HTTPStatus.NOT_FOUND, "model_not_found", "refused"),
        (HTTPStatus.TOO_MANY_REQUESTS, "rate_limit_exceeded", "unreachable"),
        (HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", "unreachable"),
    ],
)
async def test_a_refused_upgrade_names_status_and_code(
    status: HTTPStatus, code: str, cause: str
) -> None:
    closed = await refused(OpenAIServer(refusal=(status, {"error": {"code": code}})))
    assert closed == ModelClosed(
        cause,  # type: ignore[arg-type]
        f"HTTP {status.value}, {code}",
    )


def failing(code: str, error_type: str = "invalid_request_error", **fields: object) -> Any:
    async def opening(_: OpenAIServer, socket: ServerConnection) -> None:
        await say(socket, "session.created", session=SESSION)
        await socket.recv()
        await say(
            socket, "error", error={"type": error_type, "code": code, "message": "no", **fields}
        )
        await socket.wait_closed()

    return opening


@pytest.mark.parametrize(
    ("opening", "cause", "detail"),
    [
        (failing("model_not_found"), "refused", "model_not_found"),
        (failing("invalid_value", param="session.audio.output.voice"), "refused", "output.voice"),
        (failing("session_expired"), "expired", "session_expired"),
        (failing("x", "server_error"), "unreachable", "x"),
        (failing("Call +49 30 123"), "refused", "unnamed"),
    ],
)
async def test_any_error_before_the_session_is_configured_ends_it(
    opening: Any, cause: str, detail: str
) -> None:
    closed = await refused(OpenAIServer(opening=opening))
    assert closed.cause == cause
    assert detail in closed.detail


async def silent(_: OpenAIServer, socket: ServerConnection) -> None:
    await socket.wait_closed()


async def never_confirmed(_: OpenAIServer, socket: ServerConnection) -> None:
    await say(socket, "session.created", session=SESSION)
    await socket.recv()
    await socket.wait_closed()


@pytest.mark.parametrize("opening", [silent, never_confirmed])
async def test_a_server_that_never_configures_is_given_up(opening: Any) -> None:
    assert (await refused(OpenAIServer(opening=opening))) == ModelClosed(
        "unreachable", "the session was not configured in time"
    )


async def babble(_: OpenAIServer, socket: ServerConnection) -> None:
    for _number in range(20):
        await socket.send(b"\x00\xff")
    await socket.wait_closed()


async def test_a_server_that_babbles_is_nonsense() -> None:
    assert (await refused(OpenAIServer(opening=babble))).cause == "nonsense"


async def beta_closed(_: OpenAIServer, socket: ServerConnection) -> None:
    await socket.close(4000, "invalid_request_error.beta_api_shape_disabled")


async def test_a_close_during_the_opening_is_read_like_any_other() -> None:
    closed = await refused(OpenAIServer(opening=beta_closed))
    assert closed.cause == "refused"
    assert "beta_api_shape_disabled" in closed.detail


async def chatty(server: OpenAIServer, socket: ServerConnection) -> None:
    await say(socket, "conversation.created", conversation={"id": "conv_1"})
    await socket.send("not an event")
    await open_session(server, socket)


async def test_other_events_and_a_little_nonsense_do_not_hinder_the_opening() -> None:
    assert isinstance(await opened(OpenAIServer(opening=chatty)), Configured)


async def test_nobody_there_is_unreachable() -> None:
    server = OpenAIServer()
    async with running(server):
        gone = server.base_url
    closed = await connect_and_configure(SessionConfig(), Credentials("k", gone), QUICK)
    assert isinstance(closed, ModelClosed)
    assert closed.cause == "unreachable"


async def test_a_host_that_accepts_and_says_nothing_is_given_up() -> None:
    gone = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as listener:
        base = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
        closed = await connect_and_configure(
            SessionConfig(), Credentials("k", base), Limits(connect_s=0.2)
        )
        await gone.wait()
    assert closed == ModelClosed("unreachable", "the connection was not open in time")


async def test_a_cancelled_opening_leaves_no_socket() -> None:
    gone = asyncio.Event()

    async def held(_: OpenAIServer, socket: ServerConnection) -> None:
        await say(socket, "session.created", session=SESSION)
        await socket.recv()
        opening.cancel()
        await socket.wait_closed()
        gone.set()

    server = OpenAIServer(opening=held)
    async with running(server):
        opening = asyncio.create_task(
            connect_and_configure(SessionConfig(), Credentials("k", server.base_url), Limits())
        )
        with pytest.raises(asyncio.CancelledError):
            await opening
        async with asyncio.timeout(60):
            await gone.wait()


@pytest.mark.parametrize("key", ["", "sk-1\n", "sk 1", "sk-é"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValueError, match="api_key: expected visible ASCII") as error:
        Credentials(key)
    assert not key or key not in str(error.value)


@pytest.mark.parametrize("base", ["api.example.com/v1", "ftp://example.com", "https:///v1", ""])
def test_a_base_url_that_is_no_web_address_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        Credentials("k", base)


def test_a_key_does_not_show_in_a_representation() -> None:
    assert "sk-secret" not in repr(Credentials("sk-secret"))


def test_preparing_builds_the_tls_context_only_where_it_is_needed() -> None:
    from app.models.openai_connect import _tls_context

    _tls_context.cache_clear()
    prepare(Credentials("k", "http://127.0.0.1:9/v1"))
    assert _tls_context.cache_info().currsize == 0
    prepare(Credentials("k", "https://api.example.com/v1"))
    assert _tls_context.cache_info().currsize == 1
