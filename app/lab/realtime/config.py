"""A session's effective configuration: its defaults, its changes, and what a response overrides."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from app.lab.realtime.formats import AudioFormat, format_named
from app.lab.realtime.refusals import RequestRefused, invalid_value, unknown_parameter
from app.lab.realtime.shapes import RESPONSE, SESSION
from app.lab.realtime.vad import VadSettings

Json: TypeAlias = dict[str, Any]

_DEFAULT_INSTRUCTIONS: Final = "You are a helpful voice assistant. Keep your answers short."
_PCM: Final[Json] = {"type": "audio/pcm", "rate": 24000}
_TURN_DETECTION: Final[Mapping[str, Json]] = {
    "server_vad": {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    },
    "semantic_vad": {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    },
}


def default_session(session_id: str, model: str, expires_at: int) -> Json:
    """The session object of a fresh session. `expires_at`: Unix seconds."""
    session: Json = {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": _DEFAULT_INSTRUCTIONS,
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": expires_at,
        "audio": {
            "input": {
                "format": dict(_PCM),
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": dict(_TURN_DETECTION["server_vad"]),
            },
            "output": {"format": dict(_PCM), "voice": "marin", "speed": 1.0},
        },
        "include": None,
    }
    if _is_reasoning(model):
        session |= {"parallel_tool_calls": True, "reasoning": {"effort": "low"}}
    return session


def _is_reasoning(model: str) -> bool:
    return model.startswith("gpt-realtime-2") and not model.startswith("gpt-realtime-2025")


class SessionConfig:
    """The effective configuration. `data` is the session object as the client sees it."""

    def __init__(self, data: Json) -> None:
        self.data = data

    def updated(self, patch: object, *, voice_locked: bool) -> "SessionConfig":
        """A new configuration in which only the fields present in `patch` have changed.

        `voice_locked`: the assistant has spoken. Raises `RequestRefused`.
        """
        SESSION(patch, "session")
        assert isinstance(patch, dict)
        self._check_model(patch)
        data = copy.deepcopy(self.data)
        data |= {name: value for name, value in patch.items() if name != "audio"}
        for side, changes in patch.get("audio", {}).items():
            data["audio"][side] |= {name: _filled(name, value) for name, value in changes.items()}
        result = SessionConfig(data)
        if voice_locked and result.voice != self.voice:
            raise RequestRefused(
                "cannot_update_voice",
                "The voice cannot be changed after the assistant has spoken.",
                "session.audio.output.voice",
            )
        return result

    def _check_model(self, patch: Json) -> None:
        if patch.get("model", self.data["model"]) != self.data["model"]:
            raise invalid_value("session.model", "The model of a session cannot be changed.")
        if _is_reasoning(self.data["model"]):
            return
        for name in ("reasoning", "parallel_tool_calls"):
            if name in patch:
                raise unknown_parameter(f"session.{name}")

    @property
    def input_format(self) -> AudioFormat:
        return format_named(self.data["audio"]["input"]["format"]["type"])

    @property
    def output_format(self) -> AudioFormat:
        return format_named(self.data["audio"]["output"]["format"]["type"])

    @property
    def voice(self) -> str:
        return _voice_name(self.data["audio"]["output"]["voice"])

    @property
    def vad(self) -> VadSettings | None:
        turn_detection = self.data["audio"]["input"]["turn_detection"]
        return None if turn_detection is None else VadSettings.from_config(turn_detection)

    @property
    def transcription_model(self) -> str | None:
        """None when the client did not ask for transcripts of the caller."""
        transcription = self.data["audio"]["input"]["transcription"]
        return None if transcription is None else transcription.get("model", "gpt-transcribe")


def without_formats(patch: Json) -> Json:
    """A valid `patch` as a model reads it that silently ignores the audio formats asked for."""
    patch = copy.deepcopy(patch)
    for side in patch.get("audio", {}).values():
        side.pop("format", None)
    return patch


def _filled(name: str, value: Any) -> Any:
    """Formats and turn detection are replaced whole; what they leave out takes its default."""
    if name == "format" and value["type"] == "audio/pcm":
        return dict(_PCM)
    if name == "turn_detection" and value is not None:
        return _TURN_DETECTION[value["type"]] | value
    return value


def _voice_name(voice: str | Json) -> str:
    return voice if isinstance(voice, str) else str(voice["id"])


@dataclass(frozen=True, slots=True)
class ResponseRequest:
    """What one response is made from: the session's settings, with the request's overrides."""

    instructions: str
    modality: Literal["audio", "text"]
    max_output_tokens: int | None
    """None: no limit."""
    functions: frozenset[str]
    """Names that may be called; empty when `tool_choice` is "none"."""
    output_format: AudioFormat
    voice: str
    out_of_band: bool = False
    input: list[Json] | None = None
    """Items or item references instead of the conversation; None: the conversation."""
    metadata: Json | None = None
    tool_text: str = field(default="", repr=False)
    """The tools as the model reads them, for counting tokens."""


def response_request(config: SessionConfig, overrides: object) -> ResponseRequest:
    """`overrides`: the `response` member of `response.create`. Raises `RequestRefused`."""
    if overrides is None:
        overrides = {}
    RESPONSE(overrides, "response")
    assert isinstance(overrides, dict)
    settings = config.data | overrides
    output = config.data["audio"]["output"] | overrides.get("audio", {}).get("output", {})
    limit = settings["max_output_tokens"]
    tools = settings["tools"] if settings["tool_choice"] != "none" else []
    return ResponseRequest(
        instructions=settings["instructions"],
        modality=settings["output_modalities"][0],
        max_output_tokens=None if limit == "inf" else limit,
        functions=frozenset(tool["name"] for tool in tools if tool["type"] == "function"),
        output_format=format_named(output["format"]["type"]),
        voice=_voice_name(output["voice"]),
        out_of_band=overrides.get("conversation") == "none",
        input=overrides.get("input"),
        metadata=overrides.get("metadata"),
        tool_text=str(tools) if tools else "",
    )
