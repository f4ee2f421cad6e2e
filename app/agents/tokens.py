"""About how many tokens a text is for the model, reckoned without its vocabulary.

The vocabulary of OpenAI's models is a file that not every machine may fetch. What it does to a text
is regular enough: a common word is one token, a long one a little more, other scripts cost so much
a letter, digits go by threes. The figures were fitted to `o200k_base`; English prompts and JSON
schemas come out within 10 %, other languages within 30 % (tests/agents/test_tokens.py).
"""

import json
import re
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any, Final

PRESSURE_TOKENS: Final = 16_384
"""Instructions and tools together may be no more than this (OpenAI's notes on `gpt-realtime`, of
September 2025; nothing else is known of later models)."""

_PIECE: Final = re.compile(
    r"(?P<word>(?:[^\W\d_]|[\u0300-\u036f\u0900-\u0e7f])+)|(?P<digits>\d{1,3}|_)"
    r"|(?P<lines>\n\s*)|(?P<blanks> {2,})|(?P<marks>[^\w\s]+)"
)
_SCRIPTS: Final = (
    (0x100, 0.3),  # Latin with the marks of Western Europe
    (0x250, 0.6),  # ... and of others
    (0x400, 0.45),  # Greek
    (0x590, 0.29),  # Cyrillic, Armenian
    (0x780, 0.37),  # Hebrew, Arabic
    (0xE00, 0.37),  # scripts of India
    (0xE80, 0.43),  # Thai
    (0x3000, 0.75),
    (0xA000, 0.8),  # kana, Chinese characters
    (0xD7B0, 0.67),  # Korean
)
"""Up to this letter, so many tokens a letter."""


def about_tokens(text: str) -> int:
    """A text's tokens, about."""
    return ceil(sum(_cost(piece) for piece in _PIECE.finditer(text)))


def about_tool_tokens(schemas: Iterable[Mapping[str, Any]]) -> int:
    """What the model is told of tools, about: their schemas as JSON."""
    return sum(about_tokens(json.dumps(schema, ensure_ascii=False)) for schema in schemas)


def _cost(piece: re.Match[str]) -> float:
    text = piece[0]
    match piece.lastgroup:
        case "word":
            return _word(text)
        case "lines":
            return 0.6  # often one token with the full stop before
        case "marks":
            return 0.9 * max(1.0, len(text) / 3)
        case _:
            return 1.0


def _word(text: str) -> float:
    if text.isascii():
        return 1 + 0.15 * max(0, len(text) - 5)
    highest = ord(max(text))
    rate = next((rate for end, rate in _SCRIPTS if highest < end), 0.75)
    return max(1.0, rate * len(text))
