"""Invariant: a session begins with `ModelReady` and ends with exactly one `ModelClosed`, whatever
the server does; what is sent keeps one order and nobody waits for it.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest
from websockets.asyncio.server import ServerConnection

from app.call import events
from app.call.commands import CancelResponse, CreateResponse, RewriteItem, TruncateItem
from app.call.events import ModelClosed, ModelFault, ModelReady
from app.models.never_opened import NeverOpened
from app.models.openai_connect import Credentials, Limits
from app.models.openai_realtime import OpenAIRealtime, capabilities_of, open_session
from app.models.openai_server_events import NONSENSE_LIMIT
from app.models.ports import (
    Capabilities,
    Incoming,
    SemanticVad,
    ServerVad,
    SessionConfig,
    SessionOver,
    TurnDetection,
)
from tests.models.openai_server import OpenAIServer, Script, read_on, running, say

FRAME = base64.b64encode(b"\x7f" * 160).decode("ascii")
IDS = {"response_id": "resp_1", "item_id": "item_1", "output_index": 0, "content_index": 0}


@asynccontextmanager
async def session_with(
    script: Script = read_on, *, config: SessionConfig | None = None, limits: Limits | None = None
) -> AsyncIterator[tuple[OpenAIServer, OpenAIRealtime]]:
    server = OpenAIServer(script=script)
    async with running(server), asyncio.timeout(60):
        session = await open_session(
            config or SessionConfig(), Credentials("k", server.base_url), limits=limits
        )
        assert isinstance(session, OpenAIRealtime)
        try:
            assert isinstance((await session.receive()).event, ModelReady)
            yield server, session
        finally:
            await session.close()


async def rest(session: OpenAIRealtime) -> list[Incoming]:
    """Everything up to the last event, which is then checked to be the only end."""
    seen = [await session.receive()]
    while not isinstance(seen[-1].event, ModelClosed):
        seen.append(await session.receive())
    with pytest.raises(SessionOver):
        await session.receive()
    return seen


async def end_of(session: OpenAIRealtime) -> ModelClosed:
    event = (await rest(session))[-1].event
    assert isinstance(event, ModelClosed)
    return event


async def test_a_refused_session_is_a_session_that_is_already_over() -> None:
    from http import HTTPStatus

    server = OpenAIServer(refusal=(HTTPStatus.UNAUTHORIZED, {"error": {"code": "invalid_api_key"}}))
    async with running(server):
        session = await open_session(SessionConfig(), Credentials("k", server.base_url))
        assert isinstance(session, NeverOpened)
        incoming = await session.receive()
    assert incoming.event == ModelClosed("refused", "HTTP 401, invalid_api_key")


async def test_audio_and_commands_arrive_once_and_in_the_order_of_sending() -> None:
    async with session_with() as (server, session):
        for number in range(100):
            session.send_audio(FRAME, 160)
            if number % 10 == 0:
                session.send(TruncateItem(f"req_{number}", "item_1", number))
            if number % 25 == 0:
                session.send_silence(80)
        received = await server.wait_for(114)
        assert session.stats.commands == 10
    silence = base64.b64encode(b"\xff" * 80).decode("ascii")
    expected: list[object] = []
    for number in range(100):
        expected.append(FRAME)
        expected += [f"req_{number}"] if number % 10 == 0 else []
        expected += [silence] if number % 25 == 0 else []
    assert [event.get("audio", event.get("event_id")) for event in received] == expected


async def test_the_axis_counts_the_callers_audio_and_silence() -> None:
    async with session_with() as (_server, session):
        assert (session.axis_bytes, session.axis_ms) == (0, 0)
        session.send_audio(FRAME, 160)
        session.send_silence(84)
        session.send_audio("", 0)
        assert (session.axis_bytes, session.axis_ms) == (244, 30)
        with pytest.raises(ValueError, match="base64"):
            session.send_audio(FRAME, 161_000)
        assert session.axis_bytes == 244


async def test_speech_events_carry_the_axis_of_their_arrival() -> None:
    async def script(server: OpenAIServer, socket: ServerConnection) -> None:
        for _ in range(5):
            server.keep(await socket.recv())
        await say(socket, "input_audio_buffer.speech_started", audio_start_ms=40, item_id="item_1")
        await say(socket, "input_audio_buffer.speech_stopped", audio_end_ms=90, item_id="item_1")
        await socket.wait_closed()

    async with session_with(script) as (_server, session):
        for _ in range(5):
            session.send_audio(FRAME, 160)
        started = (await session.receive()).event
        session.send_audio(FRAME, 160)
        stopped = (await session.receive()).event
        assert started == events.SpeechStarted("item_1", 40, axis_ms=100)
        assert stopped == events.SpeechStopped("item_1", 90, axis_ms=120, silence_ms=500)


async def test_an_answer_comes_as_its_audio_bytes_in_order() -> None:
    chunks = [bytes([number]) * 1600 for number in range(40)]

    async def script(server: OpenAIServer, socket: ServerConnection) -> None:
        request = json.loads(await socket.recv())
        response = {"id": "resp_1", "status": "in_progress", **request["response"]}
        await say(socket, "response.created", response=response)
        for chunk in chunks:
            delta = base64.b64encode(chunk).decode("ascii")
            await say(socket, "response.output_audio.delta", **IDS, delta=delta)
            await say(socket, "brand.new.event")
        await say(socket, "response.done", response={"id": "resp_1", "status": "completed"})

    async with session_with(script) as (_server, session):
        session.send(CreateResponse("req_1"))
        seen = await rest(session)
        assert session.stats.model_audio_bytes == 64_000
        assert session.stats.unknown == {"brand.new.event": 40}
    assert seen[0].event == events.ResponseCreated("resp_1", "req_1")
    assert [incoming.audio for incoming in seen[1:-2]] == chunks
    assert seen[-2].event == events.ResponseFinished("resp_1", "completed")


async def test_cancelling_a_receive_loses_nothing() -> None:
    async def script(server: OpenAIServer, socket: ServerConnection) -> None:
        async for _ in socket:
            await say(socket, "input_audio_buffer.committed", item_id="item_1")

    async with session_with(script) as (_server, session):
        waiting = asyncio.create_task(session.receive())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        session.send(CancelResponse("req_1", "resp_1"))
        assert (await session.receive()).event == events.CallerTurnCommitted("item_1")


def closing(code: int, reason: str = "") -> Script:
    async def script(_: OpenAIServer, socket: ServerConnection) -> None:
        await socket.close(code, reason)

    return script


@pytest.mark.parametrize(
    ("code", "reason", "cause"),
    [
        (1000, "", "lost"),
        (1001, "", "lost"),
        (1001, "Your session hit the maximum duration of 60 minutes.", "expired"),
        (1011, "internal", "lost"),
        (4000, "invalid_request_error.beta_api_shape_disabled", "refused"),
    ],
)
async def test_every_close_of_the_server_is_heard(code: int, reason: str, cause: str) -> None:
    async with session_with(closing(code, reason)) as (_server, session):
        closed = await end_of(session)
    assert closed.cause == cause
    assert f"code {code}" in closed.detail


async def test_an_expired_session_is_first_a_fault_then_the_end() -> None:
    async def script(_: OpenAIServer, socket: ServerConnection) -> None:
        error = {"type": "invalid_request_error", "code": "session_expired", "message": "60 min"}
        await say(socket, "error", error=error)
        await socket.close(1001)

    async with session_with(script) as (_server, session):
        fault, closed = await rest(session)
    assert fault.event == ModelFault("session_expired", "60 min", "fatal")
    assert isinstance(closed.event, ModelClosed)
    assert closed.event.cause == "expired"


async def test_a_broken_tcp_connection_is_the_end() -> None:
    async def script(_: OpenAIServer, socket: ServerConnection) -> None:
        socket.transport.abort()

    async with session_with(script) as (_server, session):
        closed = await end_of(session)
        session.send_audio(FRAME, 160)
        session.send(CancelResponse("req_1", "resp_1"))
    assert closed == ModelClosed("lost", "the connection broke without a close (1006)")


async def test_bytes_that_are_no_websocket_frames_are_nonsense() -> None:
    async def script(_: OpenAIServer, socket: ServerConnection) -> None:
        socket.transport.write(b"HTTP/1.1 200 OK\r\n\r\n" * 10)
        await socket.wait_closed()

    async with session_with(script) as (_server, session):
        assert (await end_of(session)).cause == "nonsense"


@pytest.mark.parametrize("message", ["no json", b"\x00\x01\xff", '{"type":"response.done"}'])
async def test_a_server_that_only_talks_nonsense_is_given_up(message: str | bytes) -> None:
    async def script(_: OpenAIServer, socket: ServerConnection) -> None:
        for _number in range(NONSENSE_LIMIT + 5):
            await socket.send(message)
        await socket.wait_closed()

    async with session_with(script) as (_server, session):
        assert (await end_of(session)).cause == "nonsense"
        assert session.stats.nonsense == NONSENSE_LIMIT


async def test_a_format_that_changes_during_the_call_ends_it() -> None:
    async def script(_: OpenAIServer, socket: ServerConnection) -> None:
        await say(socket, "session.updated", session={"audio": {"input": {}, "output": {}}})
        await socket.wait_closed()

    async with session_with(script) as (_server, session):
        assert (await end_of(session)).cause == "wrong_format"


async def deaf(_: OpenAIServer, socket: ServerConnection) -> None:
    """Reads no more, and lets TCP say so."""
    socket.transport.pause_reading()
    await socket.wait_closed()


BIG_FRAME = base64.b64encode(b"\x7f" * 60_000).decode("ascii")


async def test_a_server_that_stops_reading_ends_the_session_as_stalled() -> None:
    limits = Limits(stall_s=0.1, queue_limit_bytes=50_000_000, close_s=0.2, ping_interval_s=60)
    async with session_with(deaf, limits=limits) as (_server, session):
        while not session.stats.queued_max_bytes:
            session.send_audio(BIG_FRAME, 60_000)
            await asyncio.sleep(0)
        session.send(CancelResponse("req_1", "resp_1"))
        closed = await end_of(session)
    assert closed == ModelClosed("lost", "the server took nothing for 0.1 s: stalled")


async def test_too_much_waiting_ends_the_session_as_stalled() -> None:
    limits = Limits(queue_limit_bytes=200_000, close_s=0.2, ping_interval_s=60)
    async with session_with(deaf, limits=limits) as (_server, session):
        for _ in range(500):
            session.send_audio(BIG_FRAME, 60_000)
        closed = await end_of(session)
        assert session.stats.queued_max_bytes <= 200_000
    assert closed.cause == "lost"
    assert closed.detail.endswith("stalled")


async def test_a_server_that_answers_no_ping_is_gone() -> None:
    limits = Limits(ping_interval_s=0.05, ping_timeout_s=0.1, close_s=0.1)
    async with session_with(deaf, limits=limits) as (_server, session):
        closed = await end_of(session)
    assert closed == ModelClosed("lost", "the server answered no ping")


async def test_closing_a_deaf_server_is_bounded_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    limits = Limits(close_s=0.1, queue_limit_bytes=50_000_000, ping_interval_s=60)
    async with session_with(deaf, limits=limits) as (_server, session):
        while not session.stats.queued_max_bytes:
            session.send_audio(BIG_FRAME, 60_000)
            await asyncio.sleep(0)
        async with asyncio.timeout(60):
            await session.close()
            await session.close()
        assert await end_of(session) == ModelClosed("lost", "closed by us")
    assert {task for task in asyncio.all_tasks() - before if "_flush" in repr(task)} == set()


async def test_closing_while_someone_receives_ends_the_receiving() -> None:
    async with session_with() as (_server, session):
        waiting = asyncio.create_task(session.receive())
        await asyncio.sleep(0)
        await session.close()
        assert (await waiting).event == ModelClosed("lost", "closed by us")


async def test_nothing_is_sent_after_the_end() -> None:
    async with session_with() as (server, session):
        session.send_audio(FRAME, 160)
        await server.wait_for(1)
        await session.close()
        session.send_audio(FRAME, 160)
        session.send_silence(160)
        session.send(CreateResponse("req_1"))
        await end_of(session)
        assert len(server.received) == 1


@pytest.mark.parametrize(
    ("detection", "turns", "speech_events"),
    [
        (ServerVad(), "model", True),
        (SemanticVad(), "model", True),
        (ServerVad(interrupt_response=False), "model", True),
        (ServerVad(create_response=False, interrupt_response=False), "us", True),
        (SemanticVad(create_response=False, interrupt_response=False), "us", True),
        (None, "us", False),
    ],
)
def test_turns_are_the_models_where_it_answers_them_by_itself(
    detection: TurnDetection | None, turns: Literal["model", "us"], speech_events: bool
) -> None:
    found = capabilities_of(SessionConfig(turn_detection=detection))
    assert found == Capabilities(turns=turns, speech_events=speech_events)


async def test_an_open_session_has_the_capabilities_that_were_configured() -> None:
    ours = SessionConfig(turn_detection=ServerVad(create_response=False))
    async with session_with(config=ours) as (_, session):
        assert session.capabilities == Capabilities(turns="us")


async def test_what_was_before_is_told_in_one_order_with_the_audio() -> None:
    async with session_with() as (server, session):
        session.tell(events.Entry("caller", "c1", "Hello?"))
        session.send_audio(FRAME, 160)
        session.tell(events.Entry("caller", "c2", audio_start_ms=0, audio_end_ms=20), b"\x7f" * 160)
        received = await server.wait_for(3)
        assert (session.axis_bytes, session.stats.commands) == (160, 0)
    kinds = [event["type"] for event in received]
    assert kinds == [
        "conversation.item.create",
        "input_audio_buffer.append",
        "conversation.item.create",
    ]
    assert received[2]["item"]["content"][0]["type"] == "input_audio"


async def test_the_instructions_of_one_answer_do_not_make_the_agent_forget_who_it_is() -> None:
    config = SessionConfig(instructions="You are the host.")
    async with session_with(config=config) as (server, session):
        session.send(CreateResponse("r1", "Greet."))
        session.send(CreateResponse("r2"))
        greet, plain = await server.wait_for(2)
    said = greet["response"]["instructions"]
    assert said.startswith("You are the host.")
    assert said.endswith("Greet.")
    assert "instructions" not in plain["response"]


async def test_a_rewrite_is_two_events_and_one_command() -> None:
    async with session_with() as (server, session):
        session.send(RewriteItem("r1", "a1", "heard-2-1", "agent", "one two"))
        received = await server.wait_for(2)
        assert session.stats.commands == 1
    assert {event["type"] for event in received} == {
        "conversation.item.create",
        "conversation.item.delete",
    }
