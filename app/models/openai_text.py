"""One text from one prompt: OpenAI's Responses API, for what is written beside a call.

The SDK sends the request, so that authentication, base URL, project and proxies follow its
conventions; what came back is read with shapes of our own, which say what is missing in it. Nothing
is stored at the vendor. Neither prompts nor answers are logged.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, TypeAlias

import httpx2
import msgspec
from openai import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    DefaultAsyncHttpxClient,
    OpenAIError,
    omit,
)
from openai.types.responses import ResponseTextConfigParam

from app.call.events import Usage
from app.models.openai_connect import Credentials
from app.models.openai_errors import cause_of_code, safe_code

FailureCause: TypeAlias = Literal["refused", "limited", "unreachable", "late", "nonsense", "empty"]
"""`refused`: no retry will help (key, model, request); `limited`: too many requests or tokens;
`unreachable`: no connection, or the service is in trouble; `late`: the time was up; `nonsense`:
the answer was no response; `empty`: a response without text."""

KEPT_S = 60.0
"""How long an idle connection is kept. The SDK's 5 s are shorter than most turns of a call, and a
new one costs the handshakes of TCP and TLS out of the little time that a judgement has."""
_MOST_CONNECTIONS = 1_000

Effort: TypeAlias = Literal["none", "minimal", "low", "medium", "high"]
"""How much a reasoning model reasons. Reasoning tokens count among the output tokens."""

_RETRYABLE = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT})


@dataclass(frozen=True, slots=True)
class TextResult:
    text: str
    usage: Usage
    complete: bool = True
    """False: the token limit or a filter cut it."""


@dataclass(frozen=True, slots=True)
class TextFailed:
    cause: FailureCause
    detail: str = ""
    """For logs: status and code, no text of the vendor's."""
    usage: Usage | None = None
    """What was billed all the same."""


@dataclass(frozen=True, slots=True)
class AnswerSchema:
    """What the answer must look like: strict structured output (`text.format`, `json_schema`).

    Strict schemas hold all their properties as required and no others (OpenAI docs: structured
    outputs); the service refuses any other schema.
    """

    name: str
    """Letters, digits, "_" and "-", 64 at most."""
    schema: Mapping[str, object]


class _InputDetails(msgspec.Struct):
    cached_tokens: int | None = None


class TokenCounts(msgspec.Struct):
    """How the API tells what was read and written."""

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    input_tokens_details: _InputDetails | None = None


class _Part(msgspec.Struct):
    type: str
    text: str = ""


class _Item(msgspec.Struct):
    type: str
    content: list[_Part] | None = None


class _Error(msgspec.Struct):
    code: str | None = None


class _Response(msgspec.Struct):
    status: str
    output: list[_Item] = msgspec.field(default_factory=list)
    error: _Error | None = None
    usage: TokenCounts | None = None


_clients: dict[Credentials, AsyncOpenAI] = {}
_decode = msgspec.json.Decoder(_Response).decode


def prepare(credentials: Credentials) -> None:
    """Load and build what requests share (about 0.2 s), before the first call needs it."""
    _ = client_of(credentials).responses.with_raw_response


async def close_clients() -> None:
    """Close the connections that are kept open for later requests; for the end of the process."""
    while _clients:
        _, client = _clients.popitem()
        await client.close()


async def write_text(
    model: str,
    instructions: str,
    text: str,
    credentials: Credentials,
    *,
    timeout_s: float,
    max_output_tokens: int,
    effort: Effort | None = None,
    temperature: float | None = None,
    schema: AnswerSchema | None = None,
) -> TextResult | TextFailed:
    """What `model` writes about `text` when told `instructions`: one request, never repeated.

    `max_output_tokens`: the API takes 16 or more. `effort`: for reasoning models only.
    `temperature`: not for models that reason (public reports of the API's refusals). None: the
    model's own. `schema`: the answer is JSON of this form, unless it was cut or refused.
    Raises nothing but cancellation, whatever the vendor does.
    """
    try:
        async with asyncio.timeout(timeout_s):
            answer = await client_of(credentials).responses.with_raw_response.create(
                model=model,
                instructions=instructions,
                input=text,
                max_output_tokens=max_output_tokens,
                store=False,
                reasoning=omit if effort is None else {"effort": effort},
                temperature=omit if temperature is None else temperature,
                text=omit if schema is None else _format(schema),
                timeout=timeout_s,
            )
    except TimeoutError:
        return TextFailed("late", f"no answer within {timeout_s:g} s")
    except OpenAIError as error:
        return failed(error)
    return _read(answer.content)


def _format(schema: AnswerSchema) -> ResponseTextConfigParam:
    return {
        "format": {
            "type": "json_schema",
            "name": schema.name,
            "schema": dict(schema.schema),
            "strict": True,
        }
    }


def client_of(credentials: Credentials) -> AsyncOpenAI:
    """Shared: building one takes about 50 ms of the event loop."""
    client = _clients.get(credentials)
    if client is None:
        limits = httpx2.Limits(
            max_connections=_MOST_CONNECTIONS,
            max_keepalive_connections=_MOST_CONNECTIONS,
            keepalive_expiry=KEPT_S,
        )
        client = _clients[credentials] = AsyncOpenAI(
            api_key=credentials.api_key,
            base_url=credentials.base_url,
            project=credentials.project,
            max_retries=0,
            http_client=DefaultAsyncHttpxClient(limits=limits),
        )
    return client


def failed(error: OpenAIError) -> TextFailed:
    """What the SDK raised, as one of ours."""
    if isinstance(error, APITimeoutError):
        return TextFailed("late", "no answer in time")
    if isinstance(error, APIStatusError):
        detail = f"HTTP {error.status_code}"
        code = safe_code(error.code) if error.code else ""
        return TextFailed(
            cause_of(error.status_code, code), f"{detail}, {code}" if code else detail
        )
    if isinstance(error, APIConnectionError):
        return TextFailed("unreachable", f"no connection: {type(error.__cause__).__name__}")
    return TextFailed("refused", type(error).__name__)


def cause_of(status: int, code: str) -> FailureCause:
    """`status`: of HTTP. `code`: the API's own."""
    if cause_of_code(code) is not None:
        return "refused"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "limited"
    return "unreachable" if status in _RETRYABLE or status >= 500 else "refused"


def _read(content: bytes) -> TextResult | TextFailed:
    try:
        response = _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return TextFailed("nonsense", "the answer was no response object")
    usage = usage_of(response.usage or TokenCounts())
    if response.status == "failed":
        code = safe_code((response.error or _Error()).code or "")
        limited = code == "rate_limit_exceeded"
        return TextFailed("limited" if limited else cause_of(500, code), f"failed: {code}", usage)
    text = "".join(
        part.text
        for item in response.output
        if item.type == "message"
        for part in item.content or []
        if part.type == "output_text"
    )
    if not text.strip():
        return TextFailed("empty", f"a response without text, {safe_code(response.status)}", usage)
    return TextResult(text, usage, complete=response.status == "completed")


def usage_of(counts: TokenCounts) -> Usage:
    """As the heart counts."""
    cached = counts.input_tokens_details or _InputDetails()
    return Usage(
        input_text_tokens=counts.input_tokens,
        cached_text_tokens=cached.cached_tokens or 0,
        output_text_tokens=counts.output_tokens,
        total_tokens=counts.total_tokens,
    )
