"""What an endpoint answered, as the model is told of it."""

import json
from collections.abc import Sequence
from typing import Any, TypeAlias

from app.tools.errors import ToolError

_TOLD_CHARS = 300
_KEYS = ("detail", "message", "error_description", "error", "title", "reason")
"""Where services say what is wrong: RFC 9457 problem details, and what is common besides."""
Json: TypeAlias = Any


def selected(body: bytes, pointers: Sequence[str]) -> str:
    """The answer, or the parts of it that JSON pointers name (RFC 6901), as JSON text.

    One pointer gives its value; several give an object by their last parts. What is not there is
    left out. An answer that is no JSON counts as one text.
    """
    if not body.strip():
        return '"done"'
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return json.dumps(body.decode("utf-8", "replace"), ensure_ascii=False)
    if not pointers or tuple(pointers) == ("",):
        return json.dumps(value, ensure_ascii=False)
    found = {p: at for p in pointers if (at := _at(value, p)) is not _MISSING}
    if len(pointers) == 1:
        return json.dumps(next(iter(found.values()), None), ensure_ascii=False)
    named = {p.rpartition("/")[2] or p: at for p, at in found.items()}
    picked = named if len(named) == len(found) else found
    return json.dumps(picked, ensure_ascii=False)


_MISSING = object()


def _at(value: Json, pointer: str) -> Json:
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif (
            isinstance(value, list) and name.isascii() and name.isdigit() and int(name) < len(value)
        ):
            value = value[int(name)]
        else:
            return _MISSING
    return value


def refusal(tool: str, status: int, body: bytes) -> ToolError:
    """What the model is told of a 4xx: the service's own words where it gave some."""
    words = _words(body)
    return ToolError(f"{tool} was refused: {words}" if words else f"{tool} was refused ({status}).")


def _words(body: bytes) -> str:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for _ in range(3):
        if isinstance(value, list):
            value = next(iter(value), None)
        elif isinstance(value, dict):
            value = next((value[key] for key in _KEYS if value.get(key)), None)
            if isinstance(value, dict) and not set(_KEYS) & set(value):
                return ""
    if not isinstance(value, str):
        return ""
    text = " ".join(value.split())
    return text if len(text) <= _TOLD_CHARS else text[: _TOLD_CHARS - 3] + "..."
