"""One answer in a conversation that is written: OpenAI's Responses API with functions to call.

The whole conversation travels with every request and nothing is stored at the vendor, so any worker
can go on with it, and any vendor that speaks this API can. Neither what was written nor what tools
gave is logged. Source of the shapes: types/responses of the `openai` package 3.51.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from openai import omit

from app.call.events import Usage
from app.models.openai_answer import Answered, TextFailed, answer_to
from app.models.openai_connect import Credentials
from app.models.openai_text import Effort, client_of


@dataclass(frozen=True, slots=True)
class Message:
    """Words of somebody. `developer`: ours, to the model."""

    role: Literal["user", "assistant", "developer"]
    text: str


@dataclass(frozen=True, slots=True)
class Called:
    """The model wants a function to be run. `arguments`: JSON text as the model wrote it."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What came of it."""

    call_id: str
    output: str


Item: TypeAlias = Message | Called | Returned


@dataclass(frozen=True, slots=True)
class Reply:
    """`calls`: functions to run before the model goes on; with some, `text` may be empty."""

    text: str
    calls: tuple[Called, ...]
    usage: Usage
    complete: bool = True
    """False: the token limit or a filter cut it."""


async def converse(
    model: str,
    instructions: str,
    items: Sequence[Item],
    tools: Sequence[dict[str, Any]],
    credentials: Credentials,
    *,
    timeout_s: float,
    max_output_tokens: int,
    effort: Effort | None = None,
) -> Reply | TextFailed:
    """What `model` answers to a conversation: one request, never repeated.

    `tools`: schemas as `Toolbox.schemas` gives them; the API takes the same shape.
    Raises nothing but cancellation, whatever the vendor does.
    """
    answer = await answer_to(
        lambda: client_of(credentials).responses.with_raw_response.create(
            model=model,
            instructions=instructions,
            input=[_wire(item) for item in items],
            tools=[_function(schema) for schema in tools] or omit,
            max_output_tokens=max_output_tokens,
            store=False,
            reasoning=omit if effort is None else {"effort": effort},
            timeout=timeout_s,
        ),
        timeout_s,
    )
    return answer if isinstance(answer, TextFailed) else _reply(answer)


def _wire(item: Item) -> Any:
    """Without the items' own ids: the vendor would look them up, and stores none."""
    match item:
        case Message(role, text):
            return {"type": "message", "role": role, "content": text}
        case Called(call_id, name, arguments):
            return {
                "type": "function_call",
                "call_id": call_id,
                "name": name,
                "arguments": arguments or "{}",
            }
        case Returned(call_id, output):
            return {"type": "function_call_output", "call_id": call_id, "output": output}


def _function(schema: dict[str, Any]) -> Any:
    # Not strict: strict schemas must require every parameter, and tools have optional ones.
    return {**schema, "strict": False}


def _reply(answer: Answered) -> Reply | TextFailed:
    text = answer.text.strip()
    # Of an answer that was cut, a call may be whole and may be not.
    calls = tuple(
        Called(item.call_id, item.name, item.arguments)
        for item in answer.items
        if answer.complete and item.type == "function_call" and item.call_id and item.name
    )
    if not text and not calls:
        return answer.without_text()
    return Reply(text, calls, answer.usage, answer.complete)
