"""Invariant: what a client may not set is refused by its full name, and nothing changes."""

import copy
from typing import Any

import pytest

from app.lab.realtime.config import (
    SessionConfig,
    default_session,
    response_request,
    without_formats,
)
from app.lab.realtime.refusals import RequestRefused


def config(model: str = "gpt-realtime-2.1") -> SessionConfig:
    return SessionConfig(default_session("sess_1", model, 2_000_000_000))


def update(patch: Any, model: str = "gpt-realtime-2.1") -> SessionConfig:
    return config(model).updated(patch, voice_locked=False)


def realtime(**fields: Any) -> dict[str, Any]:
    return {"type": "realtime", **fields}


def audio(side: str, **fields: Any) -> dict[str, Any]:
    return realtime(audio={side: fields})


WRONG: list[tuple[Any, str, str]] = [
    ({}, "missing_required_parameter", "session.type"),
    ([], "invalid_type", "session"),
    ({"type": "transcription"}, "invalid_value", "session.type"),
    (realtime(temperature=1), "unknown_parameter", "session.temperature"),
    (realtime(instructions=None), "invalid_type", "session.instructions"),
    (realtime(model="gpt-realtime"), "invalid_value", "session.model"),
    (realtime(output_modalities=["audio", "text"]), "invalid_value", "session.output_modalities"),
    (realtime(max_output_tokens=0), "integer_below_min_value", "session.max_output_tokens"),
    (realtime(max_output_tokens=True), "invalid_type", "session.max_output_tokens"),
    (realtime(tools=[{"name": "x"}]), "missing_required_parameter", "session.tools[0].type"),
    (
        realtime(tools=[{"type": "function"}]),
        "missing_required_parameter",
        "session.tools[0].name",
    ),
    (realtime(tool_choice="some"), "invalid_value", "session.tool_choice"),
    (realtime(truncation="never"), "invalid_value", "session.truncation"),
    (realtime(audio={"middle": {}}), "unknown_parameter", "session.audio.middle"),
    (audio("output", voice="fable"), "invalid_value", "session.audio.output.voice"),
    (audio("output", speed=2), "decimal_above_max_value", "session.audio.output.speed"),
    (
        audio("input", format={"type": "audio/pcm", "rate": 8000}),
        "integer_below_min_value",
        "session.audio.input.format.rate",
    ),
    (
        audio("input", format={"type": "audio/pcmu", "rate": 8000}),
        "unknown_parameter",
        "session.audio.input.format.rate",
    ),
    (
        audio("input", turn_detection={"type": "server_vad", "threshold": 1.5}),
        "decimal_above_max_value",
        "session.audio.input.turn_detection.threshold",
    ),
    (
        audio("input", turn_detection={"type": "semantic_vad", "threshold": 0.5}),
        "unknown_parameter",
        "session.audio.input.turn_detection.threshold",
    ),
]


@pytest.mark.parametrize(("patch", "code", "param"), WRONG)
def test_wrong_settings_are_refused_by_name(patch: Any, code: str, param: str) -> None:
    before = config()
    untouched = copy.deepcopy(before.data)
    with pytest.raises(RequestRefused) as refused:
        before.updated(patch, voice_locked=False)
    assert (refused.value.code, refused.value.param) == (code, param)
    assert before.data == untouched


def test_turn_detection_is_replaced_whole_and_filled_with_its_defaults() -> None:
    first = update(audio("input", turn_detection={"type": "server_vad", "threshold": 0.8}))
    second = first.updated(
        audio("input", turn_detection={"type": "server_vad", "silence_duration_ms": 300}),
        voice_locked=False,
    )
    assert second.vad is not None
    assert (second.vad.threshold, second.vad.silence_ms) == (0.5, 300)
    assert update(audio("input", turn_detection=None)).vad is None


def test_pcm_without_a_rate_is_24_khz() -> None:
    changed = update(audio("output", format={"type": "audio/pcm"}))
    assert changed.data["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24000}


def test_reasoning_settings_belong_to_reasoning_models() -> None:
    patch = realtime(reasoning={"effort": "high"}, parallel_tool_calls=False)
    assert update(patch).data["reasoning"] == {"effort": "high"}
    with pytest.raises(RequestRefused, match="reasoning"):
        update(patch, model="gpt-realtime-1.5")
    assert "reasoning" not in config("gpt-realtime-2025-08-28").data


def test_a_locked_voice_may_be_set_to_itself() -> None:
    same = audio("output", voice="marin")
    assert config().updated(same, voice_locked=True).voice == "marin"
    with pytest.raises(RequestRefused) as refused:
        config().updated(audio("output", voice={"id": "voice_1"}), voice_locked=True)
    assert refused.value.code == "cannot_update_voice"


def test_ignored_formats_leave_everything_else_in_place() -> None:
    pcmu = {"type": "audio/pcmu"}
    patch = realtime(audio={"input": {"format": pcmu}, "output": {"format": pcmu, "speed": 1.2}})
    assert without_formats(patch) == realtime(audio={"input": {}, "output": {"speed": 1.2}})
    assert patch["audio"]["input"] == {"format": pcmu}


def test_a_response_takes_the_sessions_settings_where_it_names_none() -> None:
    tools = [{"type": "function", "name": "book"}]
    session = update(realtime(instructions="Be kind.", tools=tools, max_output_tokens=50))
    plain = response_request(session, None)
    assert (plain.instructions, plain.functions) == ("Be kind.", frozenset({"book"}))
    assert (plain.max_output_tokens, plain.modality, plain.voice) == (50, "audio", "marin")
    own = response_request(
        session,
        {
            "instructions": "Sum up.",
            "output_modalities": ["text"],
            "max_output_tokens": "inf",
            "tool_choice": "none",
            "audio": {"output": {"format": {"type": "audio/pcmu"}, "voice": "cedar"}},
        },
    )
    assert (own.instructions, own.functions) == ("Sum up.", frozenset())
    assert (own.max_output_tokens, own.modality, own.voice) == (None, "text", "cedar")
    assert own.output_format.name == "audio/pcmu"


@pytest.mark.parametrize(
    "metadata",
    [{str(n): "" for n in range(17)}, {"k" * 65: ""}, {"k": "v" * 513}, {"k": 1}, ["k"]],
)
def test_metadata_keeps_its_limits(metadata: Any) -> None:
    with pytest.raises(RequestRefused, match="metadata"):
        response_request(config(), {"metadata": metadata})
    fits = {**{str(n): "" for n in range(15)}, "k" * 64: "v" * 512}
    assert response_request(config(), {"metadata": fits}).metadata == fits
