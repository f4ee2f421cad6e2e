"""JSON Schema as models like it: no titles, no references, objects closed."""

import re
from collections.abc import Mapping
from typing import Any


def valid_name(name: str) -> bool:
    """True for a name that OpenAI takes for a function: letters, digits, _ and -, at most 64."""
    return re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name, re.ASCII) is not None


def tidy_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with references put in place. Raises ValueError if a type holds itself."""
    tidied = _tidy(schema, schema.get("$defs", {}), ())
    assert isinstance(tidied, dict)
    return tidied


def _tidy(node: Any, definitions: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_tidy(part, definitions, inside) for part in node]
    if not isinstance(node, Mapping):
        return node
    if "$ref" in node:
        name = str(node["$ref"]).removeprefix("#/$defs/")
        if name in inside:
            raise ValueError(f"{name} holds itself; models need a schema of finite depth")
        target = _tidy(definitions[name], definitions, (*inside, name))
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return {**target, **beside}
    return _tidy_object(node, definitions, inside)


def _tidy_object(
    node: Mapping[str, Any], definitions: Mapping[str, Any], inside: tuple[str, ...]
) -> dict[str, Any]:
    tidied: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            # Keys are the author's names here: one may be called "title".
            tidied[key] = {name: _tidy(part, definitions, inside) for name, part in value.items()}
        elif key in ("default", "enum", "const", "examples"):
            tidied[key] = value
        elif key not in ("title", "$defs"):
            tidied[key] = _tidy(value, definitions, inside)
    if node.get("type") == "object" and "additionalProperties" not in node:
        tidied.setdefault("properties", {})
        tidied["additionalProperties"] = False
    return tidied
