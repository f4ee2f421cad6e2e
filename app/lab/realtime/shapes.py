"""Which fields and values the GA API takes (OpenAI Realtime API reference: client events)."""

from collections.abc import Mapping
from typing import Final

from app.lab.realtime.refusals import invalid_value, wrong_type
from app.lab.realtime.schema import (
    Check,
    anything,
    array,
    choice,
    either,
    flag,
    integer,
    nullable,
    number,
    record,
    tagged,
    text,
    text_to,
)

VOICES: Final = (
    "alloy",
    "ash",
    "ballad",
    "coral",
    "echo",
    "sage",
    "shimmer",
    "verse",
    "marin",
    "cedar",
)


def _shape(fields: Mapping[str, Check] | None = None, *required: str) -> Check:
    return record({"type": anything, **(fields or {})}, required)


AUDIO_FORMAT: Final = tagged(
    {
        "audio/pcm": _shape({"rate": integer(24000, 24000)}),
        "audio/pcmu": _shape(),
        "audio/pcma": _shape(),
    }
)
_VAD_SWITCHES: Final = {"create_response": flag, "interrupt_response": flag}
TURN_DETECTION: Final = tagged(
    {
        "server_vad": _shape(
            {
                "threshold": number(0.0, 1.0),
                "prefix_padding_ms": integer(0),
                "silence_duration_ms": integer(0),
                "idle_timeout_ms": nullable(integer(1)),
                **_VAD_SWITCHES,
            }
        ),
        "semantic_vad": _shape(
            {"eagerness": choice("low", "medium", "high", "auto"), **_VAD_SWITCHES}
        ),
    }
)
_TRANSCRIPTION: Final = record(
    {
        "model": text,
        "language": text,
        "languages": array(text),
        "keywords": array(text),
        "prompt": text,
        "delay": choice("minimal", "low", "medium", "high", "xhigh"),
    }
)
_NOISE_REDUCTION: Final = record(
    {"type": choice("near_field", "far_field"), "strength": number(0.0)}
)
_VOICE: Final = either(record({"id": text}, ("id",)), choice(*VOICES))
_FUNCTION: Final = _shape({"name": text, "description": text, "parameters": anything}, "name")
_TOOLS: Final = array(tagged({"function": _FUNCTION, "mcp": anything}))
_TOOL_CHOICE: Final = either(
    tagged({"function": _shape({"name": text}, "name"), "mcp": anything}),
    choice("none", "auto", "required"),
)
_TRUNCATION: Final = either(
    tagged(
        {
            "retention_ratio": _shape(
                {
                    "retention_ratio": number(0.0, 1.0),
                    "token_limits": record({"post_instructions": integer(0)}),
                },
                "retention_ratio",
            )
        }
    ),
    choice("auto", "disabled"),
)
_MAX_TOKENS: Final = either(choice("inf"), integer(1, 4096))
_MODALITIES: Final = array(choice("audio", "text"), at_least=1, at_most=1)
_COMMON: Final[Mapping[str, Check]] = {
    "instructions": text,
    "output_modalities": _MODALITIES,
    "max_output_tokens": _MAX_TOKENS,
    "tools": _TOOLS,
    "tool_choice": _TOOL_CHOICE,
    "parallel_tool_calls": flag,
    "reasoning": record({"effort": choice("minimal", "low", "medium", "high", "xhigh")}),
    "prompt": nullable(anything),
}

SESSION: Final = record(
    {
        **_COMMON,
        "type": choice("realtime"),
        "model": text,
        "truncation": _TRUNCATION,
        "tracing": nullable(anything),
        "include": nullable(array(choice("item.input_audio_transcription.logprobs"))),
        "audio": record(
            {
                "input": record(
                    {
                        "format": AUDIO_FORMAT,
                        "noise_reduction": nullable(_NOISE_REDUCTION),
                        "transcription": nullable(_TRANSCRIPTION),
                        "turn_detection": nullable(TURN_DETECTION),
                    }
                ),
                "output": record(
                    {"format": AUDIO_FORMAT, "voice": _VOICE, "speed": number(0.25, 1.5)}
                ),
            }
        ),
    },
    required=("type",),
)

_ID: Final = text_to(32)
"""Public code reports the refusal of longer ids, for items and for calls."""
_ITEM_COMMON: Final[Mapping[str, Check]] = {
    "id": _ID,
    "object": choice("realtime.item"),
    "status": choice("completed", "incomplete", "in_progress"),
}


def _part(**fields: Check) -> Check:
    return _shape(fields, *fields)


_TEXT_IN: Final = _part(text=text)
_MESSAGE_PARTS: Final[Mapping[str, Check]] = {
    "system": tagged({"input_text": _TEXT_IN}),
    "user": tagged(
        {
            "input_text": _TEXT_IN,
            "input_audio": _shape({"audio": text, "transcript": nullable(text)}, "audio"),
            "input_image": _shape(
                {"image_url": text, "detail": choice("auto", "low", "high")}, "image_url"
            ),
        }
    ),
    "assistant": tagged({"output_text": _part(text=text)}),
}
_MESSAGE: Final = tagged(
    {
        role: _shape(
            {**_ITEM_COMMON, "role": anything, "content": array(part, at_least=1)}, "content"
        )
        for role, part in _MESSAGE_PARTS.items()
    },
    tag="role",
)
ITEM: Final = tagged(
    {
        "message": _MESSAGE,
        "function_call": _shape(
            {**_ITEM_COMMON, "call_id": _ID, "name": text, "arguments": text}, "name", "arguments"
        ),
        "function_call_output": _shape(
            {**_ITEM_COMMON, "call_id": _ID, "output": text}, "call_id", "output"
        ),
    }
)

_REFERENCE: Final = _shape({"id": text}, "id")


def _item_or_reference(value: object, param: str) -> None:
    is_reference = isinstance(value, dict) and value.get("type") == "item_reference"
    (_REFERENCE if is_reference else ITEM)(value, param)


def _metadata(value: object, param: str) -> None:
    """At most 16 pairs of strings, keys to 64 characters and values to 512."""
    if not isinstance(value, dict):
        raise wrong_type(param, "an object", value)
    if len(value) > 16:
        raise invalid_value(param, f"'{param}' takes at most 16 pairs, but got {len(value)}.")
    for key, member in value.items():
        text(member, f"{param}.{key}")
        if len(key) > 64 or len(member) > 512:
            raise invalid_value(
                f"{param}.{key}",
                f"'{param}' takes keys of at most 64 characters and values of at most 512, "
                f"but got {len(key)} and {len(member)}.",
            )


RESPONSE: Final = record(
    {
        **_COMMON,
        "audio": record({"output": record({"format": AUDIO_FORMAT, "voice": _VOICE})}),
        "conversation": choice("auto", "none"),
        "input": array(_item_or_reference),
        "metadata": nullable(_metadata),
    }
)


def _event(fields: Mapping[str, Check] | None = None, *required: str) -> Check:
    return _shape({"event_id": text, **(fields or {})}, *required)


_ITEM_ID: Final = _event({"item_id": text}, "item_id")
CLIENT_EVENTS: Final[Mapping[str, Check]] = {
    "session.update": _event({"session": anything}, "session"),
    "input_audio_buffer.append": _event({"audio": text}, "audio"),
    "input_audio_buffer.commit": _event(),
    "input_audio_buffer.clear": _event(),
    "conversation.item.create": _event({"item": ITEM, "previous_item_id": nullable(text)}, "item"),
    "conversation.item.retrieve": _ITEM_ID,
    "conversation.item.truncate": _event(
        {"item_id": text, "content_index": integer(0), "audio_end_ms": integer(0)},
        "item_id",
        "content_index",
        "audio_end_ms",
    ),
    "conversation.item.delete": _ITEM_ID,
    "response.create": _event({"response": anything}),
    "response.cancel": _event({"response_id": text}),
}
CLIENT_EVENT: Final = tagged(CLIENT_EVENTS)
