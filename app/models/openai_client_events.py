"""What we say to OpenAI Realtime: commands as JSON text frames (GA protocol, client events).

Each command's `request_id` travels as `event_id`, which the server repeats in `error.event_id`.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import assert_never

import msgspec

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
    Summarise,
    TruncateItem,
)
from app.call.events import Entry
from app.models.openai_turns import encode_turns
from app.models.ports import ModelCommand, SessionConfig

AUDIO_FORMAT = "audio/pcmu"
"""G.711 μ-law at 8 kHz in the GA protocol; the object takes no `rate`."""

ASIDE = "aside"
"""Metadata key of responses beside the conversation; its value is the request's id."""

_MAX_SUMMARY_TOKENS = 2_000
_MAX_ID_CHARS = 32
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


def encode_command(command: ModelCommand) -> list[bytes]:
    """The client events that carry out a command, in order."""
    if isinstance(command, RewriteItem):
        return [msgspec.json.encode(event) for event in _rewrite(command)]
    return [msgspec.json.encode(_event_of(command))]


def encode_entry(entry: Entry, ulaw: bytes = b"") -> list[bytes]:
    """The client events that put something said or done earlier into the conversation.

    `ulaw`: the caller's voice, for a turn whose words are not known; without either there is
    nothing to tell. Ids are our own, which the API allows up to 32 characters.
    """
    return [msgspec.json.encode(_add_item(item)) for item in _items_of(entry, ulaw)]


def _items_of(entry: Entry, ulaw: bytes) -> list[dict[str, object]]:
    id_ = entry.item_id[:_MAX_ID_CHARS]
    if entry.kind == "tool":
        call = {"type": "function_call", "call_id": entry.call_id, "name": entry.name}
        items: list[dict[str, object]] = [{"id": id_, **call, "arguments": entry.arguments}]
        if entry.output is not None:
            items.append(_tool_output(entry.call_id, entry.output))
        return items
    if entry.text:
        role = "assistant" if entry.kind == "agent" else "user"
        return [{"id": id_, **_message(role, entry.text)}]
    if not ulaw:
        return []
    heard = {"type": "input_audio", "audio": base64.b64encode(ulaw).decode("ascii")}
    return [{"id": id_, "type": "message", "role": "user", "content": [heard]}]


def _add_item(item: Mapping[str, object], after: str = "") -> dict[str, object]:
    event: dict[str, object] = {"type": "conversation.item.create", "item": item}
    if after:
        event["previous_item_id"] = after
    return event


def _message(role: str, text: str) -> dict[str, object]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def _tool_output(call_id: str, output: str) -> dict[str, object]:
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def _rewrite(command: RewriteItem) -> list[dict[str, object]]:
    """Text items cannot be truncated or changed: the words are put behind the item, and it is
    deleted. Its own place is the only one that is sure."""
    item_id = command.item_id[:_MAX_ID_CHARS]
    deleted = _event("conversation.item.delete", command.request_id, item_id=item_id)
    if not command.text:
        return [deleted]
    role = "assistant" if command.speaker == "agent" else "user"
    item = {"id": command.new_id, **_message(role, command.text)}
    return [_add_item(item, item_id), deleted]


def _event_of(command: ModelCommand) -> dict[str, object]:  # noqa: PLR0911 - one line a command
    match command:
        case CreateResponse():
            return _create_response(command)
        case CancelResponse():
            return _event("response.cancel", command.request_id, response_id=command.response_id)
        case CommitInput():
            return _event("input_audio_buffer.commit", command.request_id)
        case ClearInput():
            return {"type": "input_audio_buffer.clear"}
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
            item = {"id": command.request_id, **_message("user", command.text)}
            return _event("conversation.item.create", command.request_id, item=item)
        case AddAgentText():
            item = {"id": command.item_id[:_MAX_ID_CHARS], **_message("assistant", command.text)}
            return _event("conversation.item.create", command.request_id, item=item)
        case SendToolOutput():
            item = _tool_output(command.call_id, command.output)
            return _event("conversation.item.create", command.request_id, item=item)
        case Summarise():
            return _summarise(command)
        case RewriteItem():
            raise ValueError("a rewrite is two events: use encode_command")
        case _:
            assert_never(command)


def _event(kind: str, request_id: str, **fields: object) -> dict[str, object]:
    return {"type": kind, "event_id": request_id, **fields}


def _create_response(command: CreateResponse) -> dict[str, object]:
    response: dict[str, object] = {"metadata": {"request_id": command.request_id}}
    if command.instructions:
        response["instructions"] = command.instructions
    return _event("response.create", command.request_id, response=response)


def _summarise(command: Summarise) -> dict[str, object]:
    """Beside the conversation, in text, without tools: the caller hears nothing of it."""
    response: dict[str, object] = {
        "conversation": "none",
        "output_modalities": ["text"],
        "instructions": command.instructions,
        "tool_choice": "none",
        "max_output_tokens": _MAX_SUMMARY_TOKENS,
        "metadata": {ASIDE: command.request_id},
    }
    return _event("response.create", command.request_id, response=response)


def encode_session_update(config: SessionConfig, request_id: str) -> bytes:
    """`session.update` with every setting of `config`, μ-law both ways."""
    return msgspec.json.encode(_event("session.update", request_id, session=session_of(config)))


def accepted_session(config: SessionConfig) -> dict[str, object]:
    """The body of an accepted SIP call: every setting of `config`, and the model. The formats are
    agreed on with the caller's side and are not ours to name."""
    session = session_of(config, formats=False)
    return {**session, "model": config.model}


def session_of(config: SessionConfig, *, formats: bool = True) -> dict[str, object]:
    """Every setting of `config` but the model. `formats`: with μ-law both ways."""
    audio = {"input": _audio_input(config), "output": _audio_output(config)}
    if not formats:
        for side in audio.values():
            del side["format"]
    session: dict[str, object] = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "audio": audio,
        "tools": list(config.tools),
        "tool_choice": "auto",
        "max_output_tokens": config.max_output_tokens or "inf",
    }
    if config.instructions:
        session["instructions"] = config.instructions
    if config.reasoning_effort is not None:
        session["reasoning"] = {"effort": config.reasoning_effort}
    return session


def encode_tools(tools: Sequence[Mapping[str, object]], request_id: str) -> bytes:
    """`session.update` with the tools alone: only the fields that are present change."""
    session = {"type": "realtime", "tools": list(tools)}
    return msgspec.json.encode(_event("session.update", request_id, session=session))


def _audio_input(config: SessionConfig) -> dict[str, object]:
    audio: dict[str, object] = {
        "format": {"type": AUDIO_FORMAT},
        "turn_detection": encode_turns(config.turn_detection),
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
