"""A Python function as a tool of the agent: its schema for the model, its arguments checked.

The schema comes from the type hints and the docstring. A parameter is described by a string in
`Annotated[int, "how many people"]` or by an `Args:` entry of the docstring. What a tool's author
got wrong is told when the tool is loaded, not during a call.
"""

import dataclasses
import inspect
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import (
    Annotated,
    Any,
    ParamSpec,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)

from pydantic import Field
from pydantic_core import PydanticSerializationError, to_json

from app.tools.arguments import Arguments
from app.tools.docstrings import read_docstring
from app.tools.doing import Doing
from app.tools.errors import ToolError, ToolLoadError
from app.tools.idempotency import IdempotencyKey
from app.tools.running import Outcome, run_function
from app.tools.schemas import valid_name
from app.tools.tool import Manner, OnInterruption, ToolResult, failed, schema_of, tell

P = ParamSpec("P")
R = TypeVar("R")
_OPTIONS = "__earshot_tool__"


@dataclass(frozen=True, slots=True)
class _Options:
    name: str | None = None
    description: str | None = None
    timeout_s: float | None = None
    manner: Manner = dataclasses.field(default_factory=Manner)


@overload
def tool(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float | None = None,
    idempotent: bool = False,
    once_per_call: bool = False,
    on_interruption: OnInterruption = "finish",
    wait_words: str = "",
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def tool(
    function: Callable[P, R] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float | None = None,
    idempotent: bool = False,
    once_per_call: bool = False,
    on_interruption: OnInterruption = "finish",
    wait_words: str = "",
) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a function as a tool and check it at once. It stays callable as it was.

    Plain functions are tools too; the decorator gives another name, description or timeout
    (seconds), says how a call deals with it (`app.tools.tool.Manner`), and reports a wrong
    signature (ToolLoadError) where the function is defined.
    """
    if on_interruption not in get_args(OnInterruption):
        raise ToolLoadError(
            f'on_interruption: expected "finish" or "cancel", got {on_interruption!r}.'
        )
    manner = Manner(idempotent, once_per_call, on_interruption, wait_words)

    def mark(marked: Callable[P, R]) -> Callable[P, R]:
        setattr(marked, _OPTIONS, _Options(name, description, timeout_s, manner))
        FunctionTool.of(marked)
        return marked

    return mark if function is None else mark(function)


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """A checked function with what the model must know of it. See `app.tools.tool.Tool`."""

    name: str
    description: str
    function: Callable[..., Any]
    timeout_s: float | None
    manner: Manner
    _arguments: Arguments
    _key_parameters: tuple[str, ...]
    """Those that take the run's key."""

    @classmethod
    def of(cls, function: Callable[..., Any]) -> "FunctionTool":
        """Read a function's signature. Raises ToolLoadError if it cannot be a tool."""
        options: _Options = getattr(function, _OPTIONS, _Options())
        name = str(options.name or getattr(function, "__name__", ""))
        if not valid_name(name):
            raise ToolLoadError(
                f"A tool's name has 1 to 64 letters, digits, _ or -; got {name!r}. "
                "Give one with @tool(name=...)."
            )
        summary, described = read_docstring(inspect.getdoc(function) or "")
        description = options.description or summary
        if not description:
            raise ToolLoadError(
                f"{name}: expected a docstring that tells the model when to use it, found none."
            )
        arguments, keys = _arguments(name, function, described)
        return cls(name, description, function, options.timeout_s, options.manner, arguments, keys)

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function)

    @property
    def max_output_chars(self) -> int | None:
        return None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """JSON Schema of the arguments, one object."""
        return self._arguments.schema

    @property
    def schema(self) -> dict[str, Any]:
        return schema_of(self.name, self.description, self.parameters)

    def read_arguments(self, arguments_json: str) -> dict[str, Any]:
        """The keyword arguments in the model's JSON. Raises ArgumentError with a sentence."""
        return self._arguments.read(arguments_json)

    async def run(self, arguments_json: str, *, key: str, timeout_s: float) -> ToolResult:
        """See `app.tools.tool.Tool`."""
        arguments = self.read_arguments(arguments_json)
        arguments |= dict.fromkeys(self._key_parameters, IdempotencyKey(key))
        return self._result(
            await run_function(
                self.function, arguments, is_async=self.is_async, timeout_s=timeout_s
            )
        )

    def _result(self, outcome: Outcome) -> ToolResult:
        if isinstance(outcome.error, ToolError):
            raise outcome.error
        if outcome.error is not None:
            tell(self.name, "a tool failed", logging.ERROR, error=outcome.error)
            return failed(f"{self.name} did not work because of a fault on our side.")
        value, effect = outcome.value, None
        if isinstance(value, Doing):
            value, effect = value.result, value.effect
        try:
            return ToolResult(True, to_json(value).decode(), effect)
        except (PydanticSerializationError, ValueError) as error:
            tell(self.name, "a tool returned what JSON cannot hold", logging.ERROR, error=error)
            return failed(f"{self.name} ran, but its result cannot be read; do not run it again.")


def _arguments(
    name: str, function: Callable[..., Any], described: Mapping[str, str]
) -> tuple[Arguments, tuple[str, ...]]:
    """What the model gives, and the names of the parameters that take the key."""
    try:
        signature = inspect.signature(function)
        hints = get_type_hints(function, include_extras=True)
    except (NameError, TypeError, ValueError) as error:
        raise ToolLoadError(f"{name}: its type hints cannot be read: {error}.") from error
    unknown = described.keys() - signature.parameters.keys()
    if unknown:
        raise ToolLoadError(
            f"{name}: its docstring describes {', '.join(sorted(unknown))}, "
            "which is no parameter of it."
        )
    keys = tuple(key for key in signature.parameters if hints.get(key) is IdempotencyKey)
    fields = [
        _field(name, p, hints, described)
        for p in signature.parameters.values()
        if p.name not in keys
    ]
    return Arguments(name, fields), keys


def _field(
    tool_name: str,
    parameter: inspect.Parameter,
    hints: Mapping[str, Any],
    described: Mapping[str, str],
) -> tuple[str, Any, Any]:
    name = parameter.name
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise ToolLoadError(
            f"{tool_name}: expected named parameters, got *{name}. Name each one that it takes."
        )
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise ToolLoadError(
            f"{tool_name}: {name} is positional-only, but models give arguments by name. "
            "Take the / away."
        )
    if name not in hints:
        raise ToolLoadError(
            f"{tool_name}: expected a type hint for {name}, found none; "
            f"write for example {name}: str."
        )
    hint = _described(hints[name], described.get(name, ""))
    if parameter.default is parameter.empty:
        return name, hint, dataclasses.field()
    return name, hint, Field(default=parameter.default)


def _described(hint: Any, from_docstring: str) -> Any:
    """The hint with its description as pydantic wants it: the annotation's words come first."""
    words = from_docstring
    if get_origin(hint) is Annotated:
        said = [extra for extra in get_args(hint)[1:] if isinstance(extra, str)]
        words = said[0] if said else words
    return Annotated[hint, Field(description=words)] if words else hint
