"""Invariant: each server event means one thing for a call, and nothing that a server sends raises
or reaches the heart half read."""

import base64
import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.realtime import RealtimeServerEvent

from app.call import events
from app.call.events import Event, ModelClosed, ModelFault, ToolCall, Usage
from app.models.openai_server_events import _RULES, AUDIO_DELTA, IGNORED, NONSENSE_LIMIT, Decoder
from app.models.ports import SessionStats

PCMU = {"format": {"type": "audio/pcmu"}}
USAGE = {
    "total_tokens": 100,
    "input_tokens": 60,
    "output_tokens": 40,
    "input_token_details": {
        "text_tokens": 20,
        "audio_tokens": 40,
        "image_tokens": 0,
        "cached_tokens": 15,
        "cached_tokens_details": {"text_tokens": 10, "audio_tokens": 5, "image_tokens": 0},
    },
    "output_token_details": {"text_tokens": 8, "audio_tokens": 32},
}
CALL = {
    "type": "function_call",
    "id": "item_7",
    "status": "completed",
    "call_id": "call_1",
    "name": "book",
    "arguments": '{"seats":2}',
}
IDS = {"response_id": "resp_1", "item_id": "item_1", "output_index": 0, "content_index": 0}


def decoder(stats: SessionStats | None = None) -> Decoder:
    return Decoder(stats or SessionStats(), silence_ms=500)


def encode(kind: str, **fields: object) -> bytes:
    return json.dumps({"type": kind, "event_id": "event_1", **fields}).encode()


def done(**fields: object) -> dict[str, Any]:
    return {"response": {"id": "resp_1", "object": "realtime.response", **fields}}


TABLE: list[tuple[str, dict[str, Any], Event | None]] = [
    (
        "input_audio_buffer.speech_started",
        {"audio_start_ms": 700, "item_id": "item_1"},
        events.SpeechStarted("item_1", 700, axis_ms=1000),
    ),
    (
        "input_audio_buffer.speech_stopped",
        {"audio_end_ms": 900, "item_id": "item_1"},
        events.SpeechStopped("item_1", 900, axis_ms=1000, silence_ms=500),
    ),
    (
        "input_audio_buffer.committed",
        {"item_id": "item_1", "previous_item_id": None},
        events.CallerTurnCommitted("item_1"),
    ),
    (
        "conversation.item.input_audio_transcription.completed",
        {"item_id": "item_1", "content_index": 0, "transcript": "Guten Tag", "usage": {}},
        events.CallerTranscribed("item_1", "Guten Tag"),
    ),
    (
        "conversation.item.input_audio_transcription.failed",
        {"item_id": "item_1", "error": {"type": "server_error", "code": None, "message": "no"}},
        ModelFault("transcription_failed", "no", "harmless"),
    ),
    (
        "conversation.item.truncated",
        {"item_id": "item_1", "content_index": 0, "audio_end_ms": 480},
        events.ItemTruncated("item_1", 480),
    ),
    ("conversation.item.deleted", {"item_id": "item_1"}, events.ItemDeleted("item_1")),
    ("output_audio_buffer.started", {"response_id": "resp_1"}, events.PlayBegan("resp_1")),
    ("output_audio_buffer.stopped", {"response_id": "resp_1"}, events.PlayEnded("resp_1")),
    ("output_audio_buffer.cleared", {"response_id": "resp_1"}, events.PlayCut("resp_1")),
    (
        "input_audio_buffer.dtmf_event_received",
        {"event": "#", "received_at": 1_780_000_000},
        events.KeyPressed("#"),
    ),
    ("input_audio_buffer.dtmf_event_received", {"event": "12", "received_at": 1}, None),
    (
        "response.created",
        done(status="in_progress", metadata={"request_id": "req_1"}),
        events.ResponseCreated("resp_1", "req_1"),
    ),
    ("response.created", done(metadata=None), events.ResponseCreated("resp_1", "")),
    (
        "response.output_item.added",
        {**IDS, "item": {"type": "message", "id": "item_1", "status": "in_progress"}},
        events.ItemAdded("resp_1", "item_1", "message"),
    ),
    (
        "response.output_item.added",
        {**IDS, "item": {"type": "function_call", "id": "item_2", "arguments": ""}},
        events.ItemAdded("resp_1", "item_2", "function_call"),
    ),
    ("response.output_item.added", {**IDS, "item": {"type": "mcp_call", "id": "i"}}, None),
    (
        "response.output_audio_transcript.delta",
        {**IDS, "delta": "We open"},
        events.TextReceived("resp_1", "item_1", "We open"),
    ),
    (
        "response.done",
        done(status="completed", output=[CALL], usage=USAGE, status_details=None),
        events.ResponseFinished(
            "resp_1",
            "completed",
            tool_calls=(ToolCall("call_1", "item_7", "book", '{"seats":2}'),),
            usage=Usage(20, 40, 10, 5, 8, 32, 100),
        ),
    ),
    (
        "response.done",
        done(
            status="cancelled",
            status_details={"type": "cancelled", "reason": "turn_detected"},
            output=[{**CALL, "status": "incomplete"}, {"type": "message", "id": "item_1"}],
        ),
        events.ResponseFinished("resp_1", "cancelled", reason="turn_detected"),
    ),
    (
        "response.done",
        done(
            status="failed",
            status_details={"error": {"type": "server_error", "code": "insufficient_quota"}},
            usage={"total_tokens": None},
        ),
        events.ResponseFinished("resp_1", "failed", error_code="insufficient_quota", usage=Usage()),
    ),
    (
        "rate_limits.updated",
        {
            "rate_limits": [
                {"name": "requests", "limit": 10, "remaining": 9, "reset_seconds": 0.06},
                {"name": "tokens", "limit": 1000, "remaining": 800, "reset_seconds": 1.5},
                {"name": "half_said"},
                {"remaining": 1},
            ]
        },
        events.RateLimits({"requests": 9, "tokens": 800}, {"requests": 60, "tokens": 1500}),
    ),
    (
        "error",
        {
            "error": {
                "type": "invalid_request_error",
                "code": "response_cancel_not_active",
                "message": "no active response",
                "event_id": "req_9",
            }
        },
        ModelFault("response_cancel_not_active", "no active response", "harmless", "req_9"),
    ),
    (
        "error",
        {"error": {"type": "server_error", "code": None, "message": "oops", "event_id": None}},
        ModelFault("server_error", "oops", "retryable"),
    ),
    ("session.updated", {"session": {"audio": {"input": PCMU, "output": PCMU}}}, None),
]


@pytest.mark.parametrize(("kind", "fields", "expected"), TABLE)
def test_an_event_means_one_thing(
    kind: str, fields: dict[str, Any], expected: Event | None
) -> None:
    stats = SessionStats()
    incoming = decoder(stats).decode(encode(kind, **fields), axis_ms=1000)
    assert (incoming.event if incoming else None) == expected
    assert stats.nonsense == 0
    assert stats.unknown == {}


def test_the_table_above_covers_every_rule() -> None:
    assert {kind for kind, _, _ in TABLE} == set(_RULES)


def test_every_event_type_of_the_sdk_is_known() -> None:
    union, *_ = get_args(RealtimeServerEvent)
    names = {get_args(shape.model_fields["type"].annotation)[0] for shape in get_args(union)}
    assert len(names) > 40
    assert names - set(_RULES) - IGNORED - {AUDIO_DELTA} == set()


@given(st.binary(min_size=1, max_size=1600), st.booleans())
def test_an_audio_delta_carries_its_bytes_and_their_count(audio: bytes, type_first: bool) -> None:
    stats = SessionStats()
    event = {"type": AUDIO_DELTA, **IDS, "delta": base64.b64encode(audio).decode()}
    raw = json.dumps(event if type_first else dict(reversed(event.items())))
    compact = json.dumps(event, separators=(",", ":"))
    for text in (raw, compact):
        incoming = decoder(stats).decode(text.encode(), 0)
        assert incoming is not None
        assert incoming.event == events.AudioReceived("resp_1", "item_1", len(audio), 0)
        assert incoming.audio == audio
    assert stats.model_audio_bytes == 2 * len(audio)


def test_an_empty_audio_delta_is_no_event() -> None:
    stats = SessionStats()
    assert decoder(stats).decode(encode(AUDIO_DELTA, **IDS, delta=""), 0) is None
    assert stats.nonsense == 0


@pytest.mark.parametrize("kind", sorted(IGNORED))
def test_known_events_that_say_nothing_new_are_skipped_unread(kind: str) -> None:
    stats = SessionStats()
    assert decoder(stats).decode(encode(kind, item=17, response=None), 0) is None
    assert (stats.events, stats.nonsense, stats.unknown) == (1, 0, {})


def test_unknown_types_are_counted_by_name_up_to_a_bound() -> None:
    stats = SessionStats()
    session = decoder(stats)
    for number in range(100):
        for _ in range(2):
            assert session.decode(encode(f"brand.new.{number}"), 0) is None
    assert stats.nonsense == 0
    assert stats.unknown["brand.new.0"] == 2
    assert len(stats.unknown) == 32
    assert sum(stats.unknown.values()) == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not json",
        b"\x00\xff\xfe",
        b"[]",
        b"{}",
        b'{"type":7}',
        b"[" * 100_000,
        encode("response.created"),
        encode("response.created", response={"id": None}),
        encode("response.done", **done(status="in_progress")),
        encode("input_audio_buffer.speech_started", item_id="item_1"),
        encode("input_audio_buffer.speech_started", item_id="item_1", audio_start_ms="7"),
        encode(AUDIO_DELTA, **IDS, delta="!!!"),
        encode(AUDIO_DELTA, **IDS, delta="abc"),
        encode(AUDIO_DELTA, item_id="item_1", delta="////"),
        b'{"type":"response.output_audio.delta","delta":"////',
        encode("error", error="a text"),
    ],
)
def test_nonsense_is_counted_and_dropped(raw: bytes) -> None:
    stats = SessionStats()
    assert decoder(stats).decode(raw, 0) is None
    assert stats.nonsense == 1


@given(st.binary(max_size=200))
def test_no_bytes_at_all_make_the_decoder_raise(raw: bytes) -> None:
    session = decoder()
    session.decode(raw, 0)
    session.decode(b'{"type":"response.output_audio.delta",' + raw, 0)
    session.decode(b'{"type":"response.done","response":' + raw + b"}", 0)


def test_nonsense_ends_the_session_only_when_nothing_else_comes() -> None:
    session = decoder()
    for _ in range(3):
        for _ in range(NONSENSE_LIMIT - 1):
            assert session.decode(b"?", 0) is None
        assert session.decode(encode("brand.new"), 0) is None
    for _ in range(NONSENSE_LIMIT - 1):
        assert session.decode(b"?", 0) is None
    incoming = session.decode(b"?", 0)
    assert incoming is not None
    assert isinstance(incoming.event, ModelClosed)
    assert incoming.event.cause == "nonsense"


@pytest.mark.parametrize(
    ("audio", "said"),
    [
        ({"input": {"format": {"type": "audio/pcm", "rate": 24000}}, "output": PCMU}, "audio/pcm"),
        ({"input": PCMU, "output": {"format": {"type": "audio/pcma"}}}, "audio/pcma"),
        ({"input": PCMU, "output": {}}, "none"),
        ({"input": PCMU}, "none"),
        (None, "none"),
    ],
)
def test_a_session_that_turns_out_not_to_be_mu_law_is_over(
    audio: dict[str, Any] | None, said: str
) -> None:
    incoming = decoder().decode(encode("session.updated", session={"audio": audio}), 0)
    assert incoming is not None
    assert isinstance(incoming.event, ModelClosed)
    assert incoming.event.cause == "wrong_format"
    assert incoming.event.detail.endswith(f"the session says {said}")


def test_a_vendors_message_is_cut_to_a_bound() -> None:
    incoming = decoder().decode(encode("error", error={"message": "x" * 10_000}), 0)
    assert incoming is not None
    assert isinstance(incoming.event, ModelFault)
    assert len(incoming.event.message) == 300


# Responses beside the conversation


def aside(status: str, **fields: object) -> dict[str, Any]:
    return done(status=status, metadata={"aside": "summary-1"}, **fields)


WRITTEN = {
    "type": "message",
    "id": "item_8",
    "content": [{"type": "output_text", "text": "one"}, {"type": "output_text", "text": "two"}],
}


def test_nothing_of_an_aside_reaches_a_call_but_its_text_at_the_end() -> None:
    session = decoder()
    item = {"type": "message", "id": "item_8", "status": "in_progress"}
    before = [
        encode("response.created", **aside("in_progress")),
        encode("response.output_item.added", **{**IDS, "item": item}),
        encode("response.content_part.added", **IDS, part={"type": "text", "text": ""}),
        encode("response.output_text.delta", **IDS, delta="one"),
        encode("response.output_text.done", **IDS, text="one"),
        encode("response.output_item.done", **{**IDS, "item": item}),
    ]
    assert [session.decode(raw, 0) for raw in before] == [None] * len(before)

    end = session.decode(
        encode("response.done", **aside("completed", output=[WRITTEN], usage=USAGE)), 0
    )
    assert end is not None
    usage = Usage(20, 40, 10, 5, 8, 32, 100)
    assert end.event == events.SummaryWritten("summary-1", "one\ntwo", usage)


@pytest.mark.parametrize("status", ["failed", "cancelled", "incomplete"])
def test_an_aside_that_did_not_come_to_its_end_wrote_nothing(status: str) -> None:
    """Half a summary would be believed to be a whole one."""
    raw = encode("response.done", **aside(status, output=[WRITTEN]))
    incoming = decoder().decode(raw, 0)
    assert incoming is not None
    assert incoming.event == events.SummaryWritten("summary-1", "", None)


def test_an_answer_beside_an_aside_is_read_as_ever() -> None:
    session = decoder()
    session.decode(encode("response.created", **aside("in_progress")), 0)
    item = {"type": "message", "id": "item_1", "status": "in_progress"}
    answer = {**IDS, "response_id": "resp_2", "item": item}
    incoming = session.decode(encode("response.output_item.added", **answer), 0)
    assert incoming is not None
    assert incoming.event == events.ItemAdded("resp_2", "item_1", "message")


def test_asides_are_forgotten_when_they_are_over() -> None:
    session = decoder()
    for number in range(100):
        about = {"id": f"resp_{number}", "metadata": {"aside": f"summary-{number}"}}
        session.decode(encode("response.created", response={**about, "status": "in_progress"}), 0)
        session.decode(encode("response.done", response={**about, "status": "failed"}), 0)
    assert session.asides == set()
