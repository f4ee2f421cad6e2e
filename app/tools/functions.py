"""A Python function as a tool of the agent: its schema for the model, its arguments checked.

The schema comes from the type hints and the docstring. A parameter is described by a string in
`Annotated[int, "how many people"]` or by an `Args:` entry of the docstring. What a tool's author
got wrong is told when the tool is loaded, not during a call.
"""

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping
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

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from app.tools.docstrings import read_docstring
from app.tools.schemas import tidy_schema, valid_name

P = ParamSpec("P")
R = TypeVar("R")
_OPTIONS = "__earshot_tool__"


class ToolError(Exception):
    """Raise it in a tool to tell the model why it did not work: its text is for the model."""


class ToolLoadError(ValueError):
    """A tool cannot be offered to the model. The text says what to change in its source."""


class ArgumentError(ValueError):
    """The model called a tool with wrong arguments. The text is for the model."""


@dataclass(frozen=True, slots=True)
class _Options:
    name: str | None = None
    description: str | None = None
    timeout_s: float | None = None


@overload
def tool(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def tool(
    *, name: str | None = None, description: str | None = None, timeout_s: float | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def tool(
    function: Callable[P, R] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float | None = None,
) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a function as a tool and check it at once. It stays callable as it was.

    Plain functions are tools too; the decorator gives another name, description or timeout
    (seconds) and reports a wrong signature (ToolLoadError) where the function is defined.
    """

    def mark(marked: Callable[P, R]) -> Callable[P, R]:
        setattr(marked, _OPTIONS, _Options(name, description, timeout_s))
        FunctionTool.of(marked)
        return marked

    return mark if function is None else mark(function)


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """A checked function with what the model must know of it."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of the arguments, one object."""
    function: Callable[..., Any]
    timeout_s: float | None
    """None: the toolbox's own."""
    _arguments: TypeAdapter[Any]

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
        adapter = _adapter(name, function, described)
        schema = _schema(name, adapter, inspect.signature(function).parameters)
        return cls(name, description, schema, function, options.timeout_s, adapter)

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function)

    @property
    def schema(self) -> dict[str, Any]:
        """The tool as OpenAI's Realtime API takes it in `session.tools`."""
        return {
            "type": "function",
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }

    def read_arguments(self, arguments_json: str) -> dict[str, Any]:
        """The keyword arguments in the model's JSON. Raises ArgumentError with a sentence."""
        try:
            values = self._arguments.validate_json(arguments_json.strip() or "{}")
        except ValidationError as error:
            raise ArgumentError(_told(self.name, error, self.parameters)) from None
        return {f.name: getattr(values, f.name) for f in dataclasses.fields(values)}


def _adapter(
    name: str, function: Callable[..., Any], described: Mapping[str, str]
) -> TypeAdapter[Any]:
    """A validator whose fields are the function's parameters."""
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
    fields = [_field(name, p, hints, described) for p in signature.parameters.values()]
    model = dataclasses.make_dataclass(
        name.replace("-", "_"),
        fields,
        kw_only=True,
        namespace={"__pydantic_config__": ConfigDict(extra="forbid")},
    )
    try:
        return TypeAdapter(model)
    except (PydanticUserError, NameError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise ToolLoadError(f"{name}: a parameter's type is not supported: {reason}") from error


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


def _schema(name: str, adapter: TypeAdapter[Any], order: Iterable[str]) -> dict[str, Any]:
    try:
        schema = tidy_schema(adapter.json_schema())
    except (PydanticUserError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ToolLoadError(f"{name}: a parameter's type has no JSON form: {reason}") from error
    properties = {key: schema["properties"][key] for key in order}
    required = [key for key in order if key in schema.get("required", ())]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _told(name: str, error: ValidationError, parameters: Mapping[str, Any]) -> str:
    """One sentence for the model: what is wrong, and what the tool takes."""
    wrongs = []
    for wrong in error.errors(include_url=False, include_input=False, include_context=False)[:3]:
        where = ".".join(str(part) for part in wrong["loc"])
        wrongs.append(f"{where}: {wrong['msg']}" if where else wrong["msg"])
    required = parameters.get("required", [])
    takes = [
        f"{key} ({'required' if key in required else 'optional'})"
        for key in parameters.get("properties", {})
    ]
    expected = f"it takes {', '.join(takes)}" if takes else "it takes no arguments"
    return f"{name} was not run, its arguments are wrong: {'; '.join(wrongs)}; {expected}."
