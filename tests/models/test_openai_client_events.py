"""Invariant: every client event is exactly the JSON of the GA protocol, and the SDK's own types
accept it without a field left over."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.realtime import RealtimeClientEvent
from pydantic import BaseModel, TypeAdapter

from app.call.commands import (
    AddAgentText,
    AddUserText,
    CancelResponse,
    ClearInput,
    CommitInput,
    CreateResponse,
    DeleteItem,
    RewriteItem,
    SendToolOutput,
    TruncateItem,
)
from app.models.openai_client_events import (
    append_audio,
    append_silence,
    encode_command,
    encode_session_update,
    encode_tools,
)
from app.models.ports import ModelCommand, SemanticVad, SessionConfig

SDK_EVENT: TypeAdapter[RealtimeClientEvent] = TypeAdapter(RealtimeClientEvent)


def left_over(value: object, path: str = "") -> list[str]:
    """Fields that the SDK's models took in without knowing them."""
    if isinstance(value, BaseModel):
        found = [f"{path}.{name}" for name in (value.model_extra or {})]
        for name in type(value).model_fields:
            found += left_over(getattr(value, name), f"{path}.{name}")
        return found
    if isinstance(value, list):
        return [extra for n, item in enumerate(value) for extra in left_over(item, f"{path}[{n}]")]
    return []


def check(raw: bytes) -> dict[str, Any]:
    """The event as a dict, once the SDK's types have accepted every field of it."""
    event = json.loads(raw)
    parsed = SDK_EVENT.validate_json(raw)
    assert parsed.type == event["type"]
    assert left_over(parsed) == []
    assert json.loads(parsed.to_json(use_api_names=True, exclude_unset=True)) == event
    return dict(event)


COMMANDS: list[tuple[ModelCommand, dict[str, Any]]] = [
    (
        CreateResponse("req_1"),
        {
            "type": "response.create",
            "event_id": "req_1",
            "response": {"metadata": {"request_id": "req_1"}},
        },
    ),
    (
        CreateResponse("req_2", instructions='Say "hello".\n'),
        {
            "type": "response.create",
            "event_id": "req_2",
            "response": {
                "metadata": {"request_id": "req_2"},
                "instructions": 'Say "hello".\n',
            },
        },
    ),
    (
        CancelResponse("req_3", "resp_1"),
        {"type": "response.cancel", "event_id": "req_3", "response_id": "resp_1"},
    ),
    (CommitInput("req_8"), {"type": "input_audio_buffer.commit", "event_id": "req_8"}),
    (ClearInput(), {"type": "input_audio_buffer.clear"}),
    (ClearInput(keep_ms=300), {"type": "input_audio_buffer.clear"}),
    (
        TruncateItem("req_4", "item_1", 1480),
        {
            "type": "conversation.item.truncate",
            "event_id": "req_4",
            "item_id": "item_1",
            "content_index": 0,
            "audio_end_ms": 1480,
        },
    ),
    (
        DeleteItem("req_5", "item_2"),
        {"type": "conversation.item.delete", "event_id": "req_5", "item_id": "item_2"},
    ),
    (
        AddUserText("req_6", "Taste 5 gedrückt"),
        {
            "type": "conversation.item.create",
            "event_id": "req_6",
            "item": {
                "id": "req_6",
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Taste 5 gedrückt"}],
            },
        },
    ),
    (
        AddAgentText("phrase-1", "notice-1-abc", "This call is recorded."),
        {
            "type": "conversation.item.create",
            "event_id": "phrase-1",
            "item": {
                "id": "notice-1-abc",
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "This call is recorded."}],
            },
        },
    ),
    (
        SendToolOutput("req_7", "call_1", '{"ok":true}'),
        {
            "type": "conversation.item.create",
            "event_id": "req_7",
            "item": {
                "type": "function_call_output",
                "call_id": "call_1",
                "output": '{"ok":true}',
            },
        },
    ),
]


@pytest.mark.parametrize(("command", "expected"), COMMANDS, ids=lambda x: type(x).__name__)
def test_a_command_is_one_client_event(command: ModelCommand, expected: dict[str, Any]) -> None:
    assert [check(message) for message in encode_command(command)] == [expected]


def test_words_rewritten_take_the_place_of_the_item_whatever_stands_before_it() -> None:
    """The id of a tool's output before it is the vendor's: nobody here could name it."""
    command = RewriteItem("r1", "item_1", "heard-2-1", "agent", "one two [interrupted]")
    added, deleted = (check(message) for message in encode_command(command))
    assert (added["type"], added["previous_item_id"]) == ("conversation.item.create", "item_1")
    assert added["item"]["content"] == [{"type": "output_text", "text": "one two [interrupted]"}]
    assert (deleted["type"], deleted["item_id"]) == ("conversation.item.delete", "item_1")


def test_an_item_of_which_nothing_was_heard_is_only_deleted() -> None:
    (deleted,) = encode_command(RewriteItem("r1", "item_1", "heard-2-1", "agent", ""))
    assert check(deleted)["type"] == "conversation.item.delete"


@given(st.binary(min_size=1, max_size=400))
def test_caller_audio_travels_as_the_base64_text_that_came(audio: bytes) -> None:
    text = base64.b64encode(audio).decode("ascii")
    event = check(append_audio(text, len(audio)))
    assert event == {"type": "input_audio_buffer.append", "audio": text}


@pytest.mark.parametrize("text", ["/w==/w==", '//8"', "////", "", "/w=="])
def test_text_that_cannot_hold_the_bytes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="base64 characters for 160 bytes"):
        append_audio(text, 160)


@given(st.integers(0, 30_000))
def test_silence_is_as_long_as_asked_and_all_mu_law_silence(n_bytes: int) -> None:
    audio = b"".join(base64.b64decode(json.loads(raw)["audio"]) for raw in append_silence(n_bytes))
    assert audio == b"\xff" * n_bytes


def test_the_default_session_is_mu_law_both_ways_with_server_vad() -> None:
    assert check(encode_session_update(SessionConfig(), "u1")) == {
        "type": "session.update",
        "event_id": "u1",
        "session": {
            "type": "realtime",
            "output_modalities": ["audio"],
            "audio": {
                "input": {
                    "format": {"type": "audio/pcmu"},
                    "turn_detection": {
                        "type": "server_vad",
                        "threshold": 0.5,
                        "prefix_padding_ms": 300,
                        "silence_duration_ms": 500,
                        "create_response": True,
                        "interrupt_response": True,
                    },
                    "transcription": {"model": "gpt-transcribe"},
                },
                "output": {"format": {"type": "audio/pcmu"}, "voice": "marin"},
            },
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
        },
    }


def test_every_setting_reaches_the_session() -> None:
    tool = {
        "type": "function",
        "name": "book",
        "description": "Book a table",
        "parameters": {"type": "object", "properties": {"seats": {"type": "integer"}}},
    }
    config = SessionConfig(
        voice="voice_1234",
        instructions="Be kind.",
        tools=(tool,),
        turn_detection=SemanticVad("low", create_response=False, interrupt_response=False),
        transcription_model="gpt-realtime-whisper",
        language="de",
        speed=1.1,
        max_output_tokens=900,
        reasoning_effort="low",
        noise_reduction="far_field",
    )
    session = check(encode_session_update(config, "u2"))["session"]
    assert session["audio"] == {
        "input": {
            "format": {"type": "audio/pcmu"},
            "turn_detection": {
                "type": "semantic_vad",
                "eagerness": "low",
                "create_response": False,
                "interrupt_response": False,
            },
            "transcription": {"model": "gpt-realtime-whisper", "language": "de"},
            "noise_reduction": {"type": "far_field"},
        },
        "output": {"format": {"type": "audio/pcmu"}, "voice": {"id": "voice_1234"}, "speed": 1.1},
    }
    assert session["tools"] == [tool]
    assert session["instructions"] == "Be kind."
    assert session["max_output_tokens"] == 900
    assert session["reasoning"] == {"effort": "low"}


def test_turns_of_our_own_are_an_explicit_null_and_no_transcription_is_left_out() -> None:
    config = SessionConfig(turn_detection=None, transcription_model=None)
    heard = check(encode_session_update(config, "u3"))["session"]["audio"]["input"]
    assert heard == {"format": {"type": "audio/pcmu"}, "turn_detection": None}


def test_tools_are_changed_and_nothing_else() -> None:
    tool = {"type": "function", "name": "pay", "description": "Pay.", "parameters": {}}
    assert json.loads(encode_tools([tool], "tools-1")) == {
        "type": "session.update",
        "event_id": "tools-1",
        "session": {"type": "realtime", "tools": [tool]},
    }
