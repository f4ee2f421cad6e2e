"""All the tools of one agent: what the model is told of them, and how a call of one is run.

Whatever goes wrong, the model gets one clear sentence and the caller gets an answer. Log entries
name the tool and the kind of error only: arguments and results are what people said.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from app.tools.built_ins import BUILT_INS
from app.tools.functions import ArgumentError, FunctionTool, ToolError, ToolLoadError
from app.tools.references import load_function
from app.tools.running import Outcome, run_function

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """`output` is JSON text for the model, also when the tool failed: {"error": sentence}."""

    ok: bool
    output: str


class Toolbox:
    """The tools that one agent may use, by name.

    `timeout_s`: how long a tool may run, in seconds, if it names no time of its own.
    `max_output_chars`: longer outputs are cut, and say so.
    """

    def __init__(
        self,
        functions: Iterable[Callable[..., Any] | FunctionTool] = (),
        *,
        built_ins: Iterable[str] = (),
        timeout_s: float = 10.0,
        max_output_chars: int = 8_000,
    ) -> None:
        """Raises ToolLoadError if a function cannot be a tool or a name is taken twice."""
        self._timeout_s = timeout_s
        self._max_output_chars = max_output_chars
        self._tools: dict[str, FunctionTool] = {}
        self._built_ins = tuple(_built_in(name) for name in built_ins)
        for function in functions:
            tool = function if isinstance(function, FunctionTool) else FunctionTool.of(function)
            if tool.name in self._tools or tool.name in BUILT_INS:
                raise ToolLoadError(f"Two tools are called {tool.name}. Give one another name.")
            self._tools[tool.name] = tool

    @classmethod
    def load(
        cls,
        references: Iterable[str],
        folder: Path,
        *,
        timeout_s: float = 10.0,
        max_output_chars: int = 8_000,
    ) -> "Toolbox":
        """The tools that an agent's file names: built-ins by name, functions by reference,
        whose files are looked up from `folder`. Raises ToolLoadError."""
        references = tuple(references)
        built_ins = [r for r in references if ":" not in r]
        functions = [load_function(r, folder) for r in references if ":" in r]
        return cls(
            functions, built_ins=built_ins, timeout_s=timeout_s, max_output_chars=max_output_chars
        )

    @property
    def names(self) -> tuple[str, ...]:
        return (*self._tools, *(str(schema["name"]) for schema in self._built_ins))

    def schemas(self) -> list[dict[str, Any]]:
        """For `session.tools`, in the order of the agent's file, built-ins last."""
        return [*(t.schema for t in self._tools.values()), *(dict(b) for b in self._built_ins)]

    async def run(self, name: str, arguments_json: str) -> ToolResult:
        """Run a tool as the model asked. Raises nothing but cancellation."""
        tool = self._tools.get(name)
        if tool is None:
            _log.warning("the model called a tool that is not run here")
            return _failed(self._unknown(name))
        try:
            arguments = tool.read_arguments(arguments_json)
        except ArgumentError as error:
            _tell(name, "the model gave a tool wrong arguments")
            return _failed(str(error))
        timeout_s = tool.timeout_s or self._timeout_s
        try:
            outcome = await run_function(
                tool.function, arguments, is_async=tool.is_async, timeout_s=timeout_s
            )
        except TimeoutError:
            _tell(name, "a tool took too long", timeout_s=timeout_s)
            return _failed(
                f"{name} did not finish within {timeout_s:g} seconds and may still take effect."
            )
        return self._result(name, outcome)

    def _unknown(self, name: str) -> str:
        if name in BUILT_INS:
            return f"{name} is carried out by the call itself and was not run here."
        near = get_close_matches(name, self.names, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return f"There is no such tool; there are: {', '.join(self.names) or 'none'}.{hint}"

    def _result(self, name: str, outcome: Outcome) -> ToolResult:
        if isinstance(outcome.error, ToolError):
            _tell(name, "a tool declined", logging.INFO)
            return _failed(str(outcome.error) or f"{name} did not work.")
        if outcome.error is not None:
            _tell(name, "a tool failed", logging.ERROR, error=outcome.error)
            return _failed(f"{name} did not work because of a fault on our side.")
        try:
            text = to_json(outcome.value).decode()
        except (PydanticSerializationError, ValueError) as error:
            _tell(name, "a tool returned what JSON cannot hold", logging.ERROR, error=error)
            return _failed(f"{name} ran, but its result cannot be read; do not run it again.")
        return ToolResult(True, self._trimmed(text))

    def _trimmed(self, text: str) -> str:
        if len(text) <= self._max_output_chars:
            return text
        note = f"trimmed to the first {self._max_output_chars} of {len(text)} characters"
        start = text[: self._max_output_chars]
        return json.dumps({"note": note, "result": start}, ensure_ascii=False)


def _built_in(name: str) -> Mapping[str, Any]:
    if name in BUILT_INS:
        return BUILT_INS[name]
    near = get_close_matches(name, BUILT_INS, n=1)
    hint = f"did you mean {near[0]}?" if near else 'functions are named "file.py:function".'
    raise ToolLoadError(f"There is no built-in tool {name}; {hint}")


def _failed(sentence: str) -> ToolResult:
    return ToolResult(False, json.dumps({"error": sentence}, ensure_ascii=False))


def _tell(
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
