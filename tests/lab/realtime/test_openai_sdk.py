"""Invariant: the `openai` SDK's own client holds a conversation with the lab, unchanged.

Nothing here but the SDK talks to the lab: connection, events and errors are the SDK's.
"""

import asyncio
import base64
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import (
    ConversationItemTruncatedEvent,
    RealtimeServerEvent,
    ResponseAudioDeltaEvent,
    ResponseDoneEvent,
)
from websockets.exceptions import InvalidStatus

from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.ports import CallFunction, Say
from tests.lab.realtime.driver import (
    API_KEY,
    MODEL,
    PATIENCE_S,
    UTTERANCE,
    ScriptedBrain,
    World,
    tone,
)

TOOL: Any = {
    "type": "function",
    "name": "book_table",
    "description": "Book a table.",
    "parameters": {"type": "object", "properties": {"people": {"type": "integer"}}},
}
AUDIO: Any = {
    "input": {
        "format": {"type": "audio/pcmu"},
        "turn_detection": {"type": "server_vad"},
        "transcription": {"model": "gpt-transcribe"},
    },
    "output": {"format": {"type": "audio/pcmu"}, "voice": "marin"},
}


async def sdk(world: World) -> AsyncOpenAI:
    lab = await world.start()
    return AsyncOpenAI(api_key=API_KEY, base_url=lab.base_url)


async def until(
    connection: AsyncRealtimeConnection, type_: str, seen: list[RealtimeServerEvent] | None = None
) -> Any:
    """The next event of this type; events before it go to `seen`."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            event = await connection.recv()
            if seen is not None:
                seen.append(event)
            if event.type == type_:
                return event
            assert event.type != "error", event


async def speak(connection: AsyncRealtimeConnection, audio: bytes) -> None:
    for start in range(0, len(audio), 160):
        piece = base64.b64encode(audio[start : start + 160]).decode()
        await connection.input_audio_buffer.append(audio=piece)


async def test_the_sdk_speaks_is_answered_interrupts_and_truncates(world: World) -> None:
    world.behaviour = Behaviour(think_ms=0, speed=5.0)
    world.brain = ScriptedBrain([Say("We are open every day of the week. " * 3)], [Say("Yes?")])
    client = await sdk(world)
    async with client.realtime.connect(model=MODEL) as connection:
        await until(connection, "session.created")
        await connection.session.update(session={"type": "realtime", "audio": AUDIO})
        await until(connection, "session.updated")
        await speak(connection, UTTERANCE)
        seen: list[RealtimeServerEvent] = []
        await until(connection, "input_audio_buffer.committed", seen)
        delta = await until(connection, "response.output_audio.delta", seen)
        assert isinstance(delta, ResponseAudioDeltaEvent)

        await speak(connection, tone(200))
        await until(connection, "input_audio_buffer.speech_started", seen)
        done = await until(connection, "response.done", seen)
        assert isinstance(done, ResponseDoneEvent)
        assert done.response.status == "cancelled"
        assert done.response.status_details is not None
        assert done.response.status_details.reason == "turn_detected"

        await connection.conversation.item.truncate(
            item_id=delta.item_id, content_index=0, audio_end_ms=60
        )
        truncated = await until(connection, "conversation.item.truncated")
        assert isinstance(truncated, ConversationItemTruncatedEvent)
        await speak(connection, UTTERANCE)
        answer = await until(connection, "response.output_audio_transcript.done")
        assert answer.transcript == "Yes?"
    heard = [e.transcript for e in seen if e.type.endswith("transcription.completed")]  # type: ignore[union-attr]
    assert heard == ["hello"]
    assert world.log.items[delta.item_id].truncated_ms == 60
    assert world.log.errors == []


async def test_the_sdk_answers_a_function_call(world: World) -> None:
    preamble = Say("One moment.")
    call = CallFunction("book_table", {"people": 2})
    world.brain = ScriptedBrain([preamble, call], [Say("It is booked.")])
    client = await sdk(world)
    async with client.realtime.connect(model=MODEL) as connection:
        session: Any = {"type": "realtime", "audio": AUDIO, "tools": [TOOL]}
        await connection.session.update(session=session)
        await until(connection, "session.updated")
        await connection.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "A table for two."}],
            }
        )
        await connection.response.create()
        done = await until(connection, "response.done")
        asked = next(item for item in done.response.output if item.type == "function_call")
        assert asked.arguments == '{"people":2}'
        await connection.conversation.item.create(
            item={"type": "function_call_output", "call_id": asked.call_id, "output": "ok"}
        )
        await connection.response.create()
        answer = await until(connection, "response.output_audio_transcript.done")
        assert answer.transcript == "It is booked."
    assert [turn.role for turn in world.brain.shown[1]] == [
        "user",
        "assistant",
        "function_call",
        "function_call_output",
    ]


async def test_the_sdk_writes_and_reads_text(world: World) -> None:
    world.brain = ScriptedBrain([Say("Nine to five.")])
    client = await sdk(world)
    async with client.realtime.connect(model=MODEL) as connection:
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        await connection.response.create(
            response={"conversation": "none", "metadata": {"for": "test"}}
        )
        seen: list[RealtimeServerEvent] = []
        done = await until(connection, "response.done", seen)
        text = "".join(e.delta for e in seen if e.type == "response.output_text.delta")
    assert text == "Nine to five."
    assert done.response.metadata == {"for": "test"}
    assert done.response.conversation_id is None


async def test_the_sdk_cancels_and_is_told_when_there_is_nothing_to_cancel(world: World) -> None:
    world.behaviour = Behaviour(mute=True)
    client = await sdk(world)
    async with client.realtime.connect(model=MODEL) as connection:
        await connection.response.create()
        created = await until(connection, "response.created")
        await connection.response.cancel(response_id=created.response.id)
        assert (await until(connection, "response.done")).response.status == "cancelled"
        await connection.response.cancel(event_id="again")
        async with asyncio.timeout(PATIENCE_S):
            event = await connection.recv()
        assert event.type == "error"
        assert event.error.code == "response_cancel_not_active"
        assert event.error.event_id == "again"


async def test_the_sdk_reports_a_wrong_key(world: World) -> None:
    lab = await world.start()
    client = AsyncOpenAI(api_key="sk-wrong", base_url=lab.base_url)
    with pytest.raises(InvalidStatus) as refused:
        async with client.realtime.connect(model=MODEL):
            pass
    assert refused.value.response.status_code == 401
    assert b"invalid_api_key" in (refused.value.response.body or b"")
