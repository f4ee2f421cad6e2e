"""The Responses API on the wire: what a request may hold, and what is answered."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec

from app.lab.realtime.ids import Ids
from app.lab.realtime.refusals import RequestRefused, invalid_value
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
    text,
)
from app.lab.realtime.usage import text_tokens
from app.lab.text.strict_schema import schema_in

CHARS_PER_TOKEN: Final = 4
_PART: Final = record({"type": choice("input_text", "output_text"), "text": text}, ("text",))
_MESSAGE: Final = record(
    {
        "type": choice("message"),
        "role": choice("user", "assistant", "system", "developer"),
        "content": either(text, array(_PART)),
    },
    ("role", "content"),
)
_CHECK: Final[Check] = record(
    {
        "model": text,
        "input": either(text, array(_MESSAGE)),
        "instructions": nullable(text),
        "max_output_tokens": nullable(integer(16)),
        "store": nullable(flag),
        "temperature": nullable(number(0.0, 2.0)),
        "top_p": nullable(number(0.0, 1.0)),
        **dict.fromkeys(
            (
                *("metadata", "reasoning", "text", "tools", "tool_choice", "truncation"),
                *("service_tier", "safety_identifier", "prompt_cache_key"),
            ),
            anything,
        ),
    },
    ("model", "input"),
)
_ERRORS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("invalid_request_error", "invalid_value"),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


@dataclass(frozen=True, slots=True)
class TextRequest:
    """One request; `at_s` is `time.monotonic()`."""

    at_s: float
    model: str
    instructions: str
    text: str
    """The input; the texts of several messages stand on lines of their own."""
    max_output_tokens: int | None
    body: dict[str, Any]
    schema: Mapping[str, Any] | None = None
    """What the answer must look like (`text.format`); None: any text."""


def read_request(body: bytes, at_s: float) -> TextRequest:
    """Raises `RequestRefused`."""
    try:
        asked = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise RequestRefused("invalid_json", f"Expected a JSON object; {error}.") from None
    if asked.get("stream"):
        raise invalid_value("stream", "The lab answers at once only: leave 'stream' out.")
    _CHECK({name: value for name, value in asked.items() if name != "stream"}, "")
    return TextRequest(
        at_s,
        asked["model"],
        asked.get("instructions") or "",
        _input_text(asked["input"]),
        asked.get("max_output_tokens"),
        asked,
        schema_in(asked.get("text")),
    )


def _input_text(given: str | list[dict[str, Any]]) -> str:
    if isinstance(given, str):
        return given
    contents = [message["content"] for message in given]
    return "\n".join(
        content if isinstance(content, str) else " ".join(part["text"] for part in content)
        for content in contents
    )


def answer_body(asked: TextRequest, answer: str, ids: Ids) -> dict[str, Any]:
    """The response object. A text beyond the request's token limit is cut, as `incomplete`."""
    most = asked.max_output_tokens
    cut = most is not None and text_tokens(answer) > most
    if most is not None:
        answer = answer[: most * CHARS_PER_TOKEN]
    status = "incomplete" if cut else "completed"
    message = {
        "id": ids.new("msg"),
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": [{"type": "output_text", "text": answer, "annotations": []}],
    }
    return {
        "id": ids.new("resp"),
        "object": "response",
        "created_at": float(int(time.time())),
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "instructions": asked.instructions or None,
        "max_output_tokens": most,
        "metadata": asked.body.get("metadata") or {},
        "model": asked.model,
        "output": [message] if answer else [],
        "parallel_tool_calls": True,
        "temperature": asked.body.get("temperature", 1.0),
        "tool_choice": "auto",
        "tools": [],
        "top_p": asked.body.get("top_p", 1.0),
        "usage": _usage(asked, answer),
    }


def _usage(asked: TextRequest, answer: str) -> dict[str, Any]:
    read, written = text_tokens(asked.instructions) + text_tokens(asked.text), text_tokens(answer)
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }


def error_body(refusal: RequestRefused) -> dict[str, Any]:
    error = refusal.payload()
    del error["event_id"]
    return {"error": error}


def error_of(status: int) -> dict[str, Any]:
    """What the service says with this HTTP status."""
    kind, code = _ERRORS.get(status, ("server_error", "server_error"))
    phrase = HTTPStatus(status).phrase
    return {"error": {"message": f"{phrase} ({code}).", "type": kind, "param": None, "code": code}}
