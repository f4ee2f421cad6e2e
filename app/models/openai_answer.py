"""One answer of OpenAI's Responses API, or why there is none: for a text as for a conversation.

What came back is read with shapes of our own, which say what is missing in it. No text of the
vendor's is logged. Source of the shapes: types/responses of the `openai` package 3.51.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, Protocol, TypeAlias

import msgspec
from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAIError

from app.call.events import Usage
from app.models.openai_errors import cause_of_code, safe_code

FailureCause: TypeAlias = Literal["refused", "limited", "unreachable", "late", "nonsense", "empty"]
"""`refused`: no retry will help (key, model, request); `limited`: too many requests or tokens;
`unreachable`: no connection, or the service is in trouble; `late`: the time was up; `nonsense`:
the answer was no response; `empty`: a response without text."""

_RETRYABLE = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT})


@dataclass(frozen=True, slots=True)
class TextFailed:
    cause: FailureCause
    detail: str = ""
    """For logs: status and code, no text of the vendor's."""
    usage: Usage | None = None
    """What was billed all the same."""


class _Part(msgspec.Struct):
    type: str
    text: str = ""


class Item(msgspec.Struct):
    """A message, a function to call, or what else a model puts out."""

    type: str
    content: list[_Part] | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = ""


class _InputDetails(msgspec.Struct):
    cached_tokens: int | None = None


class _TokenCounts(msgspec.Struct):
    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    input_tokens_details: _InputDetails | None = None


class _Error(msgspec.Struct):
    code: str | None = None


class _Response(msgspec.Struct):
    status: str
    output: list[Item] = msgspec.field(default_factory=list)
    error: _Error | None = None
    usage: _TokenCounts | None = None


_decode = msgspec.json.Decoder(_Response).decode


@dataclass(frozen=True, slots=True)
class Answered:
    """A response that did not fail; it may hold nothing of use."""

    text: str
    """Of all its messages."""
    items: tuple[Item, ...]
    usage: Usage
    status: str

    @property
    def complete(self) -> bool:
        """False: the token limit or a filter cut it."""
        return self.status == "completed"

    def without_text(self) -> TextFailed:
        """For whom this answer is none."""
        detail = f"a response without text, {safe_code(self.status)}"
        return TextFailed("empty", detail, self.usage)


class _Raw(Protocol):
    """The SDK's raw response, read to its end."""

    @property
    def content(self) -> bytes: ...


async def answer_to(
    request: Callable[[], Awaitable[_Raw]], timeout_s: float
) -> Answered | TextFailed:
    """What came of one request. Raises nothing but cancellation, whatever the vendor does."""
    try:
        async with asyncio.timeout(timeout_s):
            raw = await request()
    except TimeoutError:
        return TextFailed("late", f"no answer within {timeout_s:g} s")
    except OpenAIError as error:
        return _failed(error)
    return _read(raw.content)


def _read(content: bytes) -> Answered | TextFailed:
    try:
        response = _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return TextFailed("nonsense", "the answer was no response object")
    usage = _usage(response.usage or _TokenCounts())
    if response.status == "failed":
        code = safe_code((response.error or _Error()).code or "")
        limited = code == "rate_limit_exceeded"
        return TextFailed("limited" if limited else _cause(500, code), f"failed: {code}", usage)
    return Answered(_text(response.output), tuple(response.output), usage, response.status)


def _text(items: list[Item]) -> str:
    return "".join(
        part.text
        for item in items
        if item.type == "message"
        for part in item.content or []
        if part.type == "output_text"
    )


def _usage(counts: _TokenCounts) -> Usage:
    """As the heart counts."""
    cached = counts.input_tokens_details or _InputDetails()
    return Usage(
        input_text_tokens=counts.input_tokens,
        cached_text_tokens=cached.cached_tokens or 0,
        output_text_tokens=counts.output_tokens,
        total_tokens=counts.total_tokens,
    )


def _failed(error: OpenAIError) -> TextFailed:
    """What the SDK raised, as one of ours."""
    if isinstance(error, APITimeoutError):
        return TextFailed("late", "no answer in time")
    if isinstance(error, APIStatusError):
        detail = f"HTTP {error.status_code}"
        code = safe_code(error.code) if error.code else ""
        return TextFailed(_cause(error.status_code, code), f"{detail}, {code}" if code else detail)
    if isinstance(error, APIConnectionError):
        return TextFailed("unreachable", f"no connection: {type(error.__cause__).__name__}")
    return TextFailed("refused", type(error).__name__)


def _cause(status: int, code: str) -> FailureCause:
    """`status`: of HTTP. `code`: the API's own."""
    if cause_of_code(code) is not None:
        return "refused"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "limited"
    return "unreachable" if status in _RETRYABLE or status >= 500 else "refused"
