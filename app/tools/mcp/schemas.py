"""JSON Schema as MCP servers write it, made into what OpenAI takes for a function.

OpenAI wants one object without alternatives at its root; references are put in their place, and
one that leads back to itself becomes "anything": models need a schema of finite depth.
"""

import re
from collections.abc import Mapping
from typing import Any

MOST_DESCRIPTION_CHARS = 1_024
_NOT_AT_THE_ROOT = ("anyOf", "oneOf", "allOf", "not", "enum", "const", "if", "then", "else")
_DROPPED = ("$schema", "$id", "$comment", "$anchor", "$defs", "definitions", "title", "examples")
_PROPERTIES = ("properties", "patternProperties", "dependentSchemas")
_AS_THEY_ARE = ("default", "enum", "const", "required")
_MOST_NAME_CHARS = 64


def foreign_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a tool as `parameters` of a function."""
    tidied = _tidy(schema, schema, ())
    if not isinstance(tidied, dict):
        tidied = {}
    root = {key: value for key, value in tidied.items() if key not in _NOT_AT_THE_ROOT}
    properties = root.get("properties")
    return {**root, "type": "object", "properties": properties if properties else {}}


def plain_name(name: str) -> str:
    """A name that OpenAI takes for a function."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:_MOST_NAME_CHARS] or "tool"


def plain_description(name: str, text: str | None) -> str:
    words = " ".join((text or name).split())
    if len(words) <= MOST_DESCRIPTION_CHARS:
        return words
    return words[: MOST_DESCRIPTION_CHARS - 3] + "..."


def _tidy(node: Any, root: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_tidy(part, root, inside) for part in node]
    if not isinstance(node, Mapping):
        return node
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return _tidy_object(node, root, inside)
    beside = {key: value for key, value in node.items() if key != "$ref"}
    target = {} if reference in inside else _found(root, reference)
    there = _tidy(target, root, (*inside, reference))
    return {**there, **_tidy_object(beside, root, inside)} if isinstance(there, dict) else there


def _tidy_object(
    node: Mapping[str, Any], root: Mapping[str, Any], inside: tuple[str, ...]
) -> dict[str, Any]:
    tidied: dict[str, Any] = {}
    for key, value in node.items():
        if key in _PROPERTIES and isinstance(value, Mapping):
            # Keys are the author's names here: one may be called "title".
            tidied[key] = {name: _tidy(part, root, inside) for name, part in value.items()}
        elif key in _AS_THEY_ARE:
            tidied[key] = value
        elif key not in _DROPPED:
            tidied[key] = _tidy(value, root, inside)
    return tidied


def _found(root: Mapping[str, Any], reference: str) -> Any:
    """What a reference within the document names; {}: it names nothing there."""
    node: Any = root
    if not reference.startswith("#"):
        return {}
    for part in reference.removeprefix("#").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, Mapping) or name not in node:
            return {}
        node = node[name]
    return node
