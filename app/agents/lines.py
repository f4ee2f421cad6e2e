"""Where in a TOML text a key stands, which tomllib does not tell."""

import re
from collections.abc import Sequence

_TABLE = re.compile(r"\s*\[(\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""\s*["']?([\w-]+)["']?\s*(=|\.)""")
_QUOTES = ('"""', "'''")


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The 1-based line that sets `path`, such as ("turn_detection", "type"); else its table's.

    A number in `path` counts the tables of a list, `[[failover]]`, from 0. None if neither stands
    there. Understands tables and `key = value` lines, as agents use them.
    """
    table: tuple[str | int, ...] = ()
    best: int | None = None
    inside = ""
    lists: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if inside:
            inside = "" if inside in line else inside
        elif header := _TABLE.match(line):
            table = tuple(part.strip().strip("\"'") for part in header[2].split("."))
            if header[1]:
                lists[header[2]] = lists.get(header[2], -1) + 1
                table = (*table, lists[header[2]])
            best = number if table == tuple(path[: len(table)]) else best
        elif key := _KEY.match(line):
            here = (*table, key[1])
            if here == tuple(path[: len(here)]):
                return number
            inside = _left_open(line)
    return best


def _left_open(line: str) -> str:
    """The quotes of a multi-line string that begins on this line and does not end on it."""
    return next((quotes for quotes in _QUOTES if line.count(quotes) == 1), "")
