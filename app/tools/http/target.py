"""Where a request goes: an argument may fill a part of the path, and never change anything else.

The host is the operator's word. Whatever the model writes is percent-encoded whole, and a value
that servers might read as a way out of its place ("..", an empty part) is refused.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from app.tools.errors import ArgumentError, ToolLoadError

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PARTS = re.compile(r"[/\\]")


class Target:
    """A url with places for arguments. Raises ToolLoadError for one that is none."""

    __slots__ = ("_head", "_tail", "in_path", "origin")

    def __init__(self, tool: str, url: str) -> None:
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018 - reading it checks it
        except ValueError as error:
            raise ToolLoadError(f"{tool}: url: {error}.") from None
        if not parts.hostname or "{" in parts.netloc or parts.fragment:
            raise ToolLoadError(
                f"{tool}: url: expected a host without placeholders and no # part, got {url!r}."
            )
        if parts.username is not None:
            raise ToolLoadError(f"{tool}: url: expected no user in it; use secret_env.")
        if "{" in parts.query:
            raise ToolLoadError(
                f"{tool}: url: expected placeholders in the path only; a parameter with place = "
                '"query" goes behind the ?.'
            )
        self.origin = (parts.scheme, parts.netloc)
        self._head, path = f"{parts.scheme}://{parts.netloc}", parts.path
        if re.search(r"[{}]", _PLACEHOLDER.sub("", path)):
            raise ToolLoadError(f"{tool}: url: expected {{name}} for an argument, got {path!r}.")
        self._tail = (path, f"?{parts.query}" if parts.query else "")
        self.in_path = frozenset(_PLACEHOLDER.findall(path))

    def url(self, values: Mapping[str, object]) -> str:
        """Raises ArgumentError for a value that has no place in a path."""
        path, query = self._tail
        filled = _PLACEHOLDER.sub(lambda m: _encoded(m[1], values[m[1]]), path)
        if {".", ".."} & set(filled.split("/")) - set(path.split("/")):
            raise ArgumentError(f"{', '.join(sorted(self.in_path))}: expected a name or a number.")
        return f"{self._head}{filled}{query}"


def _encoded(name: str, value: object) -> str:
    text = as_text(value)
    if not text.strip():
        raise ArgumentError(f"{name}: expected a value, got an empty text.")
    if {".", ".."} & set(_PARTS.split(text)):
        raise ArgumentError(f'{name}: expected no "." or ".." between slashes.')
    return quote(text, safe="")


def as_text(value: object) -> str:
    """A value outside of JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
