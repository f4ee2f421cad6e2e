"""One text from one prompt: OpenAI's Responses API, for what is written beside a call.

The SDK sends the request, so that authentication, base URL, project and proxies follow its
conventions. Nothing is stored at the vendor. Neither prompts nor answers are logged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import httpx2
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, omit
from openai.types.responses import ResponseTextConfigParam

from app.call.events import Usage
from app.models.openai_answer import TextFailed, answer_to
from app.models.openai_connect import Credentials

KEPT_S = 60.0
"""How long an idle connection is kept. The SDK's 5 s are shorter than most turns of a call, and a
new one costs the handshakes of TCP and TLS out of the little time that a judgement has."""
_MOST_CONNECTIONS = 1_000

Effort: TypeAlias = Literal["none", "minimal", "low", "medium", "high"]
"""How much a reasoning model reasons. Reasoning tokens count among the output tokens."""


@dataclass(frozen=True, slots=True)
class TextResult:
    text: str
    usage: Usage
    complete: bool = True
    """False: the token limit or a filter cut it."""


@dataclass(frozen=True, slots=True)
class AnswerSchema:
    """What the answer must look like: strict structured output (`text.format`, `json_schema`).

    Strict schemas hold all their properties as required and no others (OpenAI docs: structured
    outputs); the service refuses any other schema.
    """

    name: str
    """Letters, digits, "_" and "-", 64 at most."""
    schema: Mapping[str, object]


_clients: dict[Credentials, AsyncOpenAI] = {}


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
    answer = await answer_to(
        lambda: client_of(credentials).responses.with_raw_response.create(
            model=model,
            instructions=instructions,
            input=text,
            max_output_tokens=max_output_tokens,
            store=False,
            reasoning=omit if effort is None else {"effort": effort},
            temperature=omit if temperature is None else temperature,
            text=omit if schema is None else _format(schema),
            timeout=timeout_s,
        ),
        timeout_s,
    )
    if isinstance(answer, TextFailed):
        return answer
    if not answer.text.strip():
        return answer.without_text()
    return TextResult(answer.text, answer.usage, answer.complete)


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
