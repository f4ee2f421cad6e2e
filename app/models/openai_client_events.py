"""What we say to OpenAI Realtime: commands as JSON text frames (GA protocol, client events).

Each command's `request_id` travels as `event_id`, which the server repeats in `error.event_id`.
"""

import base64
from collections.abc import Mapping
from typing import assert_never

import msgspec

from app.call.commands import (
    AddUserText,
    CancelResponse,
    CreateResponse,
    DeleteItem,
    SendToolOutput,
    TruncateItem,
)
from app.models.ports import ModelCommand, SemanticVad, ServerVad, SessionConfig, TurnDetection

AUDIO_FORMAT = "audio/pcmu"
"""G.711 μ-law at 8 kHz in the GA protocol; the object takes no `rate`."""

_APPEND_HEAD = '{"type":"input_audio_buffer.append","audio":"'
_APPEND_TAIL = '"}'
_MU_LAW_SILENCE = b"\xff"
_MAX_SILENCE_BYTES = 8_000
"""Longest silence in one message, 1 s: far below the 15 MiB that the server takes."""


def append_audio(payload_b64: str, n_bytes: int) -> bytes:
    """An append event around base64 text that is used as it came.

    The length check is what keeps foreign characters out of the JSON: a decoder that skipped some
    would have counted fewer bytes. Raises `ValueError` when it fails.
    """
    if len(payload_b64) != (n_bytes + 2) // 3 * 4:
        raise ValueError(
            f"payload: expected {(n_bytes + 2) // 3 * 4} base64 characters for {n_bytes} bytes, "
            f"got {len(payload_b64)}; pass the carrier's text and the bytes it decodes to"
        )
    return (_APPEND_HEAD + payload_b64 + _APPEND_TAIL).encode("ascii")


def append_silence(n_bytes: int) -> list[bytes]:
    """Append events that hold `n_bytes` of μ-law silence together."""
    whole, rest = divmod(n_bytes, _MAX_SILENCE_BYTES)
    return [_silence(size) for size in [_MAX_SILENCE_BYTES] * whole + [rest] if size]


def _silence(n_bytes: int) -> bytes:
    return append_audio(base64.b64encode(_MU_LAW_SILENCE * n_bytes).decode("ascii"), n_bytes)


def encode_command(command: ModelCommand) -> bytes:
    """The client event that carries out a command."""
    return msgspec.json.encode(_event_of(command))


def _event_of(command: ModelCommand) -> dict[str, object]:
    match command:
        case CreateResponse():
            return _create_response(command)
        case CancelResponse():
            return _event("response.cancel", command.request_id, response_id=command.response_id)
        case TruncateItem():
            return _event(
                "conversation.item.truncate",
                command.request_id,
                item_id=command.item_id,
                content_index=command.content_index,
                audio_end_ms=command.audio_end_ms,
            )
        case DeleteItem():
            return _event("conversation.item.delete", command.request_id, item_id=command.item_id)
        case AddUserText():
            content = [{"type": "input_text", "text": command.text}]
            item: Mapping[str, object] = {"type": "message", "role": "user", "content": content}
            return _event("conversation.item.create", command.request_id, item=item)
        case SendToolOutput():
            item = {
                "type": "function_call_output",
                "call_id": command.call_id,
                "output": command.output,
            }
            return _event("conversation.item.create", command.request_id, item=item)
        case _:
            assert_never(command)


def _event(kind: str, request_id: str, **fields: object) -> dict[str, object]:
    return {"type": kind, "event_id": request_id, **fields}


def _create_response(command: CreateResponse) -> dict[str, object]:
    response: dict[str, object] = {"metadata": {"request_id": command.request_id}}
    if command.instructions:
        response["instructions"] = command.instructions
    return _event("response.create", command.request_id, response=response)


def encode_session_update(config: SessionConfig, request_id: str) -> bytes:
    """`session.update` with every setting of `config`, μ-law both ways."""
    session: dict[str, object] = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "audio": {"input": _audio_input(config), "output": _audio_output(config)},
        "tools": list(config.tools),
        "tool_choice": "auto",
        "max_output_tokens": config.max_output_tokens or "inf",
    }
    if config.instructions:
        session["instructions"] = config.instructions
    if config.reasoning_effort is not None:
        session["reasoning"] = {"effort": config.reasoning_effort}
    return msgspec.json.encode(_event("session.update", request_id, session=session))


def _audio_input(config: SessionConfig) -> dict[str, object]:
    audio: dict[str, object] = {
        "format": {"type": AUDIO_FORMAT},
        "turn_detection": _turn_detection(config.turn_detection),
    }
    if config.transcription_model is not None:
        transcription = {"model": config.transcription_model}
        if config.language is not None:
            transcription["language"] = config.language
        audio["transcription"] = transcription
    if config.noise_reduction is not None:
        audio["noise_reduction"] = {"type": config.noise_reduction}
    return audio


def _audio_output(config: SessionConfig) -> dict[str, object]:
    audio: dict[str, object] = {"format": {"type": AUDIO_FORMAT}, "voice": _voice(config.voice)}
    if config.speed is not None:
        audio["speed"] = config.speed
    return audio


def _voice(name: str) -> object:
    """Custom voices are named by an id object, built-in ones by their plain name."""
    return {"id": name} if name.startswith("voice_") else name


def _turn_detection(turns: TurnDetection | None) -> dict[str, object] | None:
    match turns:
        case None:
            return None
        case ServerVad():
            settings: dict[str, object] = {
                "type": "server_vad",
                "threshold": turns.threshold,
                "prefix_padding_ms": turns.prefix_padding_ms,
                "silence_duration_ms": turns.silence_duration_ms,
            }
            if turns.idle_timeout_ms is not None:
                settings["idle_timeout_ms"] = turns.idle_timeout_ms
        case SemanticVad():
            settings = {"type": "semantic_vad", "eagerness": turns.eagerness}
        case _:
            assert_never(turns)
    settings["create_response"] = turns.create_response
    settings["interrupt_response"] = turns.interrupt_response
    return settings
