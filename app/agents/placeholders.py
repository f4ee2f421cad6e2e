"""`{{name}}` in an agent's texts."""

import re
from collections.abc import Callable
from typing import Final

_PLACE: Final = re.compile(r"\{\{([^{}\n]*)\}\}")
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}\Z", re.ASCII)
"""What a variable may be called."""


def names_in(text: str) -> list[str]:
    """Each once, in order. What stands there may be no name at all."""
    return list(dict.fromkeys(place.strip() for place in _PLACE.findall(text)))


def filled(text: str, value_of: Callable[[str], str]) -> str:
    """Each `{{name}}` replaced by its value, in one pass: braces in a value are not looked at."""
    return _PLACE.sub(lambda place: value_of(place[1].strip()), text)


def line_with(text: str, name: str, first: int) -> int:
    """The 1-based line from `first` on that holds `{{name}}`; `first` if none does."""
    for number, line in enumerate(text.splitlines()[first - 1 :], first):
        if name in names_in(line):
            return number
    return first
