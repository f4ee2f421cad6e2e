"""What a tool is to the toolbox, whatever is behind it, and what every kind does alike.

Log entries name the tool and the kind of error only: arguments and results are what people said.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from app.call.events import Effect

_log = logging.getLogger(__name__)

OnInterruption: TypeAlias = Literal["finish", "cancel"]
"""What becomes of a running tool when the caller takes the floor."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a call deals with a tool, whatever it does."""

    idempotent: bool = False
    """Running it again with the same key does nothing twice."""
    once_per_call: bool = False
    """The same arguments again, in the same call, get the first success again."""
    on_interruption: OnInterruption = "finish"
    wait_words: str = ""
    """What the agent says when it takes long. "": the agent's own words."""
    server: str = ""
    """The MCP server that it belongs to."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """`output` is JSON text for the model, also when the tool failed: {"error": sentence}."""

    ok: bool
    output: str
    effect: Effect | None = None
    """What the call does besides."""
    proof: str = ""
    """How the caller proved by it who they are. No tool says so of itself: whoever stands between
    the tools and the call sets it, by the agent's `policy.proofs`."""


@runtime_checkable
class Tool(Protocol):
    """One function that a model may call."""

    @property
    def name(self) -> str: ...

    @property
    def manner(self) -> Manner: ...

    @property
    def timeout_s(self) -> float | None:
        """How long it may run, in seconds; None: the toolbox's own."""
        ...

    @property
    def max_output_chars(self) -> int | None:
        """Longer outputs are cut; None: the toolbox's own."""
        ...

    @property
    def schema(self) -> dict[str, Any]:
        """As OpenAI's Realtime API takes it in `session.tools`."""
        ...

    async def run(self, arguments_json: str, *, key: str, timeout_s: float) -> ToolResult:
        """`key`: the same for every try of the same run. Raises `ArgumentError` and `ToolError`
        with a sentence for the model, and `TimeoutError` when `timeout_s` is over."""
        ...


def schema_of(name: str, description: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A function for `session.tools`. `parameters`: JSON Schema of the arguments, one object."""
    return {
        "type": "function",
        "name": name,
        "description": description,
        "parameters": dict(parameters),
    }


def failed(sentence: str) -> ToolResult:
    return ToolResult(False, json.dumps({"error": sentence}, ensure_ascii=False))


def trimmed(text: str, most_chars: int) -> str:
    """JSON text that is too long becomes one that says so and holds the beginning."""
    if len(text) <= most_chars:
        return text
    note = f"trimmed to the first {most_chars} of {len(text)} characters"
    return json.dumps({"note": note, "result": text[:most_chars]}, ensure_ascii=False)


def tell(
    name: str,
    text: str,
    level: int = logging.WARNING,
    *,
    error: BaseException | None = None,
    **fields: object,
) -> None:
    """A log entry with the tool's name and, of an error, its kind and place but not its text."""
    if error is not None:
        fields["error"] = type(error).__name__
        fields["at"] = _place(error)
    _log.log(level, text, extra={"fields": {"tool": name, **fields}})


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
