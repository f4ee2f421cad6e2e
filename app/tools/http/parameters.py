"""The arguments of an HTTP tool: what the model is told of them, and where each one goes."""

import dataclasses
from collections.abc import Mapping
from keyword import iskeyword
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from app.agents.tools_tables import HttpParameter, HttpTool, Place
from app.tools.arguments import Arguments
from app.tools.errors import ToolLoadError

_TYPES: dict[str, Any] = {"integer": int, "number": float}
MOST_LISTED = 100
"""Longest list that a model may give."""


def arguments_of(tool: HttpTool) -> Arguments:
    """Raises ToolLoadError for parameters that contradict themselves."""
    fields = [_field(tool.name, name, p) for name, p in tool.parameters.items()]
    arguments = Arguments(tool.name, fields)
    for name in (n for n, p in tool.parameters.items() if not p.required):
        _leave_null_out(arguments.schema["properties"][name])
    return arguments


def places_of(tool: HttpTool, in_path: frozenset[str]) -> dict[str, Place]:
    """By parameter where it goes. `in_path`: those that the url names. Raises ToolLoadError."""
    for name in sorted(in_path - tool.parameters.keys()):
        raise ToolLoadError(
            f"{tool.name}: its url names {{{name}}}, which is no parameter of it. "
            f"Declare [http_tools.parameters.{name}]."
        )
    usual: Place = "query" if tool.method in ("GET", "DELETE") else "body"
    return {name: _place(tool, name, p, in_path, usual) for name, p in tool.parameters.items()}


def _place(
    tool: HttpTool, name: str, parameter: HttpParameter, in_path: frozenset[str], usual: Place
) -> Place:
    here = f"{tool.name}: parameters.{name}"
    place = parameter.place or ("path" if name in in_path else usual)
    if (place == "path") != (name in in_path):
        raise ToolLoadError(f'{here}: place = "path" and {{{name}}} in the url belong together.')
    if place == "path" and not parameter.required:
        raise ToolLoadError(f"{here}: expected required = true for a part of the path.")
    if place == "body" and tool.method in ("GET", "DELETE"):
        raise ToolLoadError(f"{here}: expected another place, a {tool.method} has no body.")
    if parameter.type == "array" and place in ("path", "header"):
        raise ToolLoadError(f"{here}: expected a list in the query or the body, not the {place}.")
    return place


def _field(tool: str, name: str, p: HttpParameter) -> tuple[str, Any, Any]:
    if not name.isidentifier() or name.startswith("_") or iskeyword(name):
        raise ToolLoadError(
            f"{tool}: parameters.{name}: expected letters, digits and _, a letter first, and no "
            f'word of Python\'s; sent_as = "{name}" gives it this name at the endpoint.'
        )
    if p.enum and p.type != "string":
        raise ToolLoadError(f'{tool}: parameters.{name}: enum is for type = "string".')
    hint = _hint(p) if p.required else _hint(p) | None
    if p.description:
        hint = Annotated[hint, Field(description=p.description)]
    return name, hint, dataclasses.field() if p.required else Field(default=None)


def _hint(p: HttpParameter) -> Any:
    text = Annotated[str, Field(max_length=p.max_chars), AfterValidator(_no_controls)]
    if p.type == "array":
        return Annotated[list[text], Field(max_length=MOST_LISTED)]
    if p.type == "string":
        return Literal[p.enum] if p.enum else text
    if p.type == "boolean":
        return bool
    return Annotated[_TYPES[p.type], _range(p)]


def _range(p: HttpParameter) -> Any:
    if p.type == "number":
        return Field(ge=p.minimum, le=p.maximum, allow_inf_nan=False)
    return Field(ge=_whole(p.minimum), le=_whole(p.maximum))


def _whole(bound: float | None) -> float | None:
    return int(bound) if bound is not None and bound == int(bound) else bound


def _no_controls(text: str) -> str:
    if any((ord(c) < 32 and c not in "\n\t") or ord(c) == 127 for c in text):
        raise ValueError("it holds a control character")
    return text


def _leave_null_out(schema: dict[str, Any]) -> None:
    """The model leaves out what it does not give; `null` is understood, but not asked for."""
    schema.pop("default", None)
    choices = [c for c in schema.pop("anyOf", []) if c != {"type": "null"}]
    if len(choices) == 1:
        schema.update(choices[0])


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without those that the model left out."""
    return {name: value for name, value in values.items() if value is not None}
