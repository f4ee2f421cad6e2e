"""What a cell says, made fit to travel with a call: one line, no control characters, few bytes.

How it is made harmless before a model reads it, or a voice says it, is app/agents/outside.py.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

MOST_VARIABLES_BYTES: Final = 1_024
"""Names and values of a contact's variables together: a call carries no more
(app.carriers.twilio.caller.MOST_VARIABLES_BYTES)."""


def cleaned(text: str) -> str:
    """One line without characters that cannot be seen. Raises UnicodeEncodeError for bytes that
    were no text."""
    if text.isprintable() and text.isascii():
        return text.strip()
    text.encode()
    seen = (" " if letter.isspace() else letter for letter in text if _is_seen(letter))
    return " ".join("".join(seen).split())


def size_bytes(variables: Mapping[str, str] | Iterable[tuple[str, str]]) -> int:
    pairs = variables.items() if isinstance(variables, Mapping) else variables
    return sum(len(name) + (len(v) if v.isascii() else len(v.encode())) for name, v in pairs)


def _is_seen(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter)[0] != "C"
