"""Invariant: no client event, however wrong its fields are, ends a session or goes unanswered."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.shapes import CLIENT_EVENTS
from tests.lab.realtime.driver import World

USER: dict[str, Any] = {
    "type": "message",
    "role": "user",
    "content": [
        {"type": "input_text", "text": "a"},
        {"type": "input_audio", "audio": "////", "transcript": None},
        {"type": "input_image", "image_url": "data:", "detail": "low"},
    ],
}
VALID: list[dict[str, Any]] = [
    {
        "type": "session.update",
        "session": {
            "type": "realtime",
            "tools": [{"type": "function", "name": "f", "parameters": {}}],
            "tool_choice": {"type": "function", "name": "f"},
            "truncation": {"type": "retention_ratio", "retention_ratio": 0.5},
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "turn_detection": {"type": "server_vad", "idle_timeout_ms": 60_000},
                    "transcription": {"model": "whisper-1"},
                },
                "output": {"format": {"type": "audio/pcmu"}, "voice": "cedar"},
            },
        },
    },
    {"type": "input_audio_buffer.append", "audio": "////"},
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    {"type": "conversation.item.create", "item": USER, "previous_item_id": "root"},
    {
        "type": "conversation.item.create",
        "item": {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    },
    {
        "type": "conversation.item.create",
        "item": {"type": "function_call_output", "call_id": "c", "output": "1"},
    },
    {"type": "conversation.item.retrieve", "item_id": "x"},
    {
        "type": "conversation.item.truncate",
        "item_id": "x",
        "content_index": 0,
        "audio_end_ms": 0,
    },
    {"type": "conversation.item.delete", "item_id": "x"},
    {
        "type": "response.create",
        "response": {
            "conversation": "none",
            "output_modalities": ["text"],
            "max_output_tokens": 20,
            "metadata": {"a": "b"},
            "input": [USER, {"type": "item_reference", "id": "x"}],
            "audio": {"output": {"format": {"type": "audio/pcma"}, "voice": "marin"}},
        },
    },
    {"type": "response.cancel", "response_id": "x"},
]
WRONG: list[Any] = [None, True, -1, 1.5, 10**30, "", "x", [], [None], {}, {"type": "x"}]


def paths(value: Any) -> Iterator[list[Any]]:
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        yield [key]
        if isinstance(member, dict | list):
            yield from ([key, *rest] for rest in paths(member))


def spoiled(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in paths(event):
        for wrong in WRONG:
            copied = copy.deepcopy(event)
            place: Any = copied
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = wrong
            yield copied


def test_every_client_event_has_an_example_here() -> None:
    assert {event["type"] for event in VALID} == set(CLIENT_EVENTS)


@pytest.mark.parametrize("event", VALID, ids=lambda event: str(event["type"]))
async def test_spoiled_events_never_end_the_session(world: World, event: dict[str, Any]) -> None:
    world.behaviour = Behaviour(think_ms=0)
    client = await world.connect()
    await client.send_json(event)
    for wrong in spoiled(event):
        await client.send_json(wrong)
    await client.send("conversation.item.delete", item_id="the end", event_id="the end")
    while (answer := await client.next())["type"] != "error" or (
        answer["error"]["event_id"] != "the end"
    ):
        pass
    assert len(world.log.errors) > len(WRONG) / 2
