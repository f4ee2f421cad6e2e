"""A tool's arguments: the schema that the model is told, and what it wrote, checked."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from app.tools.errors import ArgumentError, ToolLoadError
from app.tools.schemas import tidy_schema


class Arguments:
    """Named values of declared types, as one JSON object."""

    __slots__ = ("_adapter", "_name", "schema")

    def __init__(self, name: str, fields: Sequence[tuple[str, Any, Any]]) -> None:
        """`fields`: name, type hint, and default as dataclasses take it. `name`: the tool's.

        Raises ToolLoadError for types that have no JSON form.
        """
        self._name = name
        self._adapter = _adapter(name, fields)
        self.schema = _schema(name, self._adapter, [field[0] for field in fields])

    def read(self, arguments_json: str) -> dict[str, Any]:
        """The values in the model's JSON. Raises ArgumentError with a sentence."""
        try:
            values = self._adapter.validate_json(arguments_json.strip() or "{}")
        except ValidationError as error:
            raise ArgumentError(_told(self._name, error, self.schema)) from None
        return {f.name: getattr(values, f.name) for f in dataclasses.fields(values)}


def _adapter(name: str, fields: Sequence[tuple[str, Any, Any]]) -> TypeAdapter[Any]:
    """A validator whose fields are the arguments."""
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


def _schema(name: str, adapter: TypeAdapter[Any], order: Iterable[str]) -> dict[str, Any]:
    try:
        schema = tidy_schema(adapter.json_schema())
    except (PydanticUserError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ToolLoadError(f"{name}: a parameter's type has no JSON form: {reason}") from error
    order = tuple(order)
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
