"""Values for files that people open: one cell of a table, harmless in a spreadsheet."""

import json
import re
from typing import Any, Final

_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def guarded(text: str) -> str:
    """The text, with a ' before it where a spreadsheet would run it as a formula. Numbers, also
    telephone numbers with their +, stay as they are: nothing can be run in them."""
    if text.startswith(_DANGEROUS) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def cell(value: Any) -> str:
    """As it stands in a CSV file; what has parts stands there as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, dict | list):
        return guarded(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return str(value)
