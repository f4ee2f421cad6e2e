"""Which JSON schemas strict structured output takes, and how it refuses the others.

Source: OpenAI docs, structured outputs (supported schemas); the code `invalid_json_schema`, the
param `text.format.schema` and the wording of the two commonest refusals are as clients report them.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from app.lab.realtime.refusals import RequestRefused, invalid_value, missing_parameter

MOST_DEPTH: Final = 10
MOST_PROPERTIES: Final = 5_000
MOST_CHOICES: Final = 1_000
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TYPES: Final = frozenset(
    {"string", "number", "integer", "boolean", "object", "array", "null"},
)
_KEYWORDS: Final = frozenset(
    {
        *("type", "properties", "required", "additionalProperties", "description", "title"),
        *("enum", "const", "anyOf", "items", "$ref", "$defs", "definitions"),
        *("format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        *("multipleOf", "minItems", "maxItems"),
    }
)
_Path = tuple[str, ...]


def schema_in(text: object) -> Mapping[str, Any] | None:
    """The schema of a request's `text`; None: it wants plain text. Raises `RequestRefused`."""
    form = text.get("format") if isinstance(text, dict) else None
    if not isinstance(form, dict) or form.get("type") in (None, "text", "json_object"):
        return None
    if form["type"] != "json_schema":
        raise invalid_value("text.format.type", f"Invalid value: '{form['type']}'.")
    for key in ("name", "schema"):
        if key not in form:
            raise missing_parameter(f"text.format.{key}")
    name, schema = form["name"], form["schema"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise invalid_value("text.format.name", "Invalid 'text.format.name': a-z, A-Z, 0-9, _, -.")
    if not isinstance(schema, dict):
        raise invalid_value("text.format.schema", "'text.format.schema' is an object.")
    if form.get("strict"):
        _Strict(name).check(schema)
    return schema


class _Strict:
    def __init__(self, name: str) -> None:
        self._name = name
        self._properties = 0

    def check(self, schema: Mapping[str, Any]) -> None:
        if schema.get("type") != "object" or "anyOf" in schema:
            self._refuse((), "schema must be a JSON Schema of 'type: \"object\"'")
        self._node(schema, (), 1)

    def _node(self, node: object, path: _Path, depth: int) -> None:
        if not isinstance(node, dict):
            self._refuse(path, "expected a schema object")
        if depth > MOST_DEPTH:
            self._refuse(path, f"more than {MOST_DEPTH} levels of nesting")
        for keyword in node.keys() - _KEYWORDS:
            self._refuse(path, f"'{keyword}' is not permitted")
        self._type(node, path)
        if "object" in _types(node):
            self._object(node, path, depth)
        if "array" in _types(node):
            if "items" not in node:
                self._refuse(path, "array schema missing items")
            self._node(node["items"], (*path, "items"), depth + 1)
        for index, choice in enumerate(node.get("anyOf", ())):
            self._node(choice, (*path, "anyOf", str(index)), depth + 1)
        for key in ("$defs", "definitions"):
            for name, inner in node.get(key, {}).items():
                self._node(inner, (*path, key, name), depth)

    def _type(self, node: Mapping[str, Any], path: _Path) -> None:
        if not node.keys() & {"type", "anyOf", "$ref", "enum", "const"}:
            self._refuse(path, "schema must have a 'type' key")
        if unknown := set(_types(node)) - _TYPES:
            self._refuse(path, f"'{sorted(unknown)[0]}' is not a valid type")
        choices = node.get("enum")
        if choices is not None and not (isinstance(choices, list) and choices):
            self._refuse(path, "'enum' must be a list that is not empty")
        if choices is not None and len(choices) > MOST_CHOICES:
            self._refuse(path, f"'enum' has more than {MOST_CHOICES} values")

    def _object(self, node: Mapping[str, Any], path: _Path, depth: int) -> None:
        if node.get("additionalProperties") is not False:
            self._refuse(path, "'additionalProperties' is required to be supplied and to be false")
        properties, required = node.get("properties", {}), node.get("required")
        self._properties += len(properties)
        if self._properties > MOST_PROPERTIES:
            self._refuse(path, f"more than {MOST_PROPERTIES} properties")
        missing = [key for key in properties if key not in (required or ())]
        extra = [key for key in required or () if key not in properties]
        if missing or extra or (required is None and properties):
            wrong = f"Missing '{missing[0]}'" if missing else f"Extra required key '{extra[0]}'"
            self._refuse(
                path,
                "'required' is required to be supplied and to be an array including every key in "
                f"properties. {wrong}",
            )
        for name, inner in properties.items():
            self._node(inner, (*path, "properties", name), depth + 1)

    def _refuse(self, path: _Path, why: str) -> NoReturn:
        raise RequestRefused(
            "invalid_json_schema",
            f"Invalid schema for response_format '{self._name}': In context={path!r}, {why}.",
            "text.format.schema",
        )


def _types(node: Mapping[str, Any]) -> list[str]:
    given = node.get("type", [])
    return [given] if isinstance(given, str) else list(given)
