"""The Responses API on the wire: what a request may hold, and what is answered."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec

from app.lab.realtime.ids import Ids
from app.lab.realtime.ports import CallFunction, Output, Say
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
_STATUS: Final = nullable(choice("in_progress", "completed", "incomplete"))
_CALLED: Final = record(
    {
        "type": choice("function_call"),
        "id": nullable(text),
        "call_id": text,
        "name": text,
        "arguments": text,
        "status": _STATUS,
    },
    ("call_id", "name", "arguments"),
)
_RETURNED: Final = record(
    {
        "type": choice("function_call_output"),
        "id": nullable(text),
        "call_id": text,
        "output": either(text, array(_PART)),
        "status": _STATUS,
    },
    ("call_id", "output"),
)
_FUNCTION: Final = record(
    {
        "type": choice("function"),
        "name": text,
        "description": nullable(text),
        "parameters": nullable(anything),
        "strict": nullable(flag),
    },
    ("type", "name", "parameters", "strict"),
)


def _item(value: object, param: str) -> None:
    """An input item. One without a type is a message."""
    kind = value.get("type") if isinstance(value, dict) else None
    checks = {"function_call": _CALLED, "function_call_output": _RETURNED}
    checks.get(str(kind), _MESSAGE)(value, param)


_CHECK: Final[Check] = record(
    {
        "model": text,
        "input": either(text, array(_item)),
        "instructions": nullable(text),
        "max_output_tokens": nullable(integer(16)),
        "store": nullable(flag),
        "temperature": nullable(number(0.0, 2.0)),
        "top_p": nullable(number(0.0, 1.0)),
        "tools": nullable(array(_FUNCTION)),
        **dict.fromkeys(
            (
                *("metadata", "reasoning", "text", "tool_choice", "truncation"),
                *("service_tier", "safety_identifier", "prompt_cache_key"),
                "parallel_tool_calls",
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

    @property
    def items(self) -> list[dict[str, Any]]:
        """The input's items; a plain text has none."""
        given = self.body["input"]
        return [] if isinstance(given, str) else given

    @property
    def offered(self) -> tuple[str, ...]:
        """The names of the functions that it may call."""
        return tuple(tool["name"] for tool in self.body.get("tools") or ())

    @property
    def converses(self) -> bool:
        """It wants the next turn of a conversation, and not a text about one."""
        kinds = {item.get("type", "message") for item in self.items}
        spoke = any(item.get("role") == "assistant" for item in self.items)
        return bool(self.items) and (bool(self.offered) or spoke or kinds != {"message"})


def read_request(body: bytes, at_s: float) -> TextRequest:
    """Raises `RequestRefused`."""
    try:
        asked = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise RequestRefused("invalid_json", f"Expected a JSON object; {error}.") from None
    if asked.get("stream"):
        raise invalid_value("stream", "The lab answers at once only: leave 'stream' out.")
    _CHECK({name: value for name, value in asked.items() if name != "stream"}, "")
    if isinstance(asked["input"], list):
        _check_calls(asked["input"])
    return TextRequest(
        at_s,
        asked["model"],
        asked.get("instructions") or "",
        _input_text(asked["input"]),
        asked.get("max_output_tokens"),
        asked,
        schema_in(asked.get("text")),
    )


def _check_calls(items: Sequence[Mapping[str, Any]]) -> None:
    """Each function call has its output and each output its call, as users report the API's
    refusals."""
    called = [item["call_id"] for item in items if item.get("type") == "function_call"]
    returned = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
    for call_id in called:
        if call_id not in returned:
            raise invalid_value("input", f"No tool output found for function call {call_id}.")
    for call_id in returned:
        if call_id not in called:
            text = f"No tool call found for function call output with call_id {call_id}."
            raise invalid_value("input", text)


def _input_text(given: str | list[dict[str, Any]]) -> str:
    return given if isinstance(given, str) else "\n".join(map(text_of, given))


def text_of(item: Mapping[str, Any]) -> str:
    """The words of an input item; of a function call its arguments, of an output the output."""
    said = item.get("content", item.get("arguments", item.get("output", "")))
    return said if isinstance(said, str) else " ".join(part["text"] for part in said)


def answer_body(
    asked: TextRequest, answer: str, ids: Ids, calls: Sequence[CallFunction] = ()
) -> dict[str, Any]:
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
        "output": [*([message] if answer else []), *(_called(call, ids) for call in calls)],
        "parallel_tool_calls": True,
        "temperature": asked.body.get("temperature", 1.0),
        "tool_choice": "auto",
        "tools": asked.body.get("tools") or [],
        "top_p": asked.body.get("top_p", 1.0),
        "usage": _usage(asked, answer),
    }


def said_and_called(outputs: Sequence[Output]) -> tuple[str, list[CallFunction]]:
    """What a mind answers, as the parts of a response."""
    text = " ".join(output.text for output in outputs if isinstance(output, Say))
    return text, [output for output in outputs if isinstance(output, CallFunction)]


def _called(call: CallFunction, ids: Ids) -> dict[str, Any]:
    return {
        "id": ids.new("fc"),
        "type": "function_call",
        "status": "completed",
        "call_id": ids.new("call"),
        "name": call.name,
        "arguments": json.dumps(dict(call.arguments)),
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
