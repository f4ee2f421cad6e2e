"""How a text becomes SMS: its alphabet, the segments that are billed, and cutting it in pieces.

Source: 3GPP TS 23.038 (the GSM 7-bit alphabet and its extension table) and TS 23.040 (room of a
segment that is part of a longer message). A message body at Twilio has 1600 characters at most
(Twilio docs: Message resource).
"""

import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

MOST_CHARACTERS: Final = 1_600
"""Of one message; counted in UTF-16 units, the stricter of the ways to count."""

_GSM_7: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_7_TWO: Final = frozenset("\f^{}\\[~]|€")
"""These take two places: an escape and the character."""
_ONE_7, _PART_7 = 160, 153
_ONE_16, _PART_16 = 70, 67
_JOINER: Final = "\u200d"
_BREAKS: Final = ("\n\n", "\n", ". ", "! ", "? ", "; ", ", ", " ")
"""Where a text is best cut, the best first."""

Alphabet = Literal["gsm-7", "ucs-2"]


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text costs to send."""

    alphabet: Alphabet
    count: int


def segments(text: str) -> Segments:
    """In how many segments a text travels; an empty one in none."""
    if all(c in _GSM_7 or c in _GSM_7_TWO for c in text):
        sizes = [2 if c in _GSM_7_TWO else 1 for c in text]
        return Segments("gsm-7", _count(sizes, _ONE_7, _PART_7))
    return Segments("ucs-2", _count([_units(c) for c in text], _ONE_16, _PART_16))


def length(text: str) -> int:
    """In UTF-16 units, as `MOST_CHARACTERS` counts."""
    return sum(_units(c) for c in text)


def split(text: str, most: int = MOST_CHARACTERS) -> list[str]:
    """Pieces of at most `most` units, cut between sentences or words where there are any, never
    inside a character of several parts (an emoji with its skin colour, a letter with its accent).
    Blanks at the cuts go. A text of blanks has no piece."""
    rest, pieces = text.strip(), []
    while length(rest) > most:
        end = _cut(rest, most)
        pieces.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [piece for piece in (*pieces, rest) if piece]


def _count(sizes: list[int], one: int, part: int) -> int:
    """A character that takes two places never stands in two segments."""
    if sum(sizes) <= one:
        return 1 if sizes else 0
    count, used = 1, 0
    for size in sizes:
        if used + size > part:
            count, used = count + 1, 0
        used += size
    return count


def _cut(text: str, most: int) -> int:
    """Where the first piece ends."""
    end = units = 0
    while end < len(text) and units + _units(text[end]) <= most:
        units += _units(text[end])
        end += 1
    for mark in _BREAKS:
        at = text.rfind(mark, end // 2, end)
        if at > 0:
            return at + len(mark)
    whole = end
    while whole > 1 and _joined(text, whole):
        whole -= 1
    return whole if whole > 1 else max(end, 1)


def _joined(text: str, at: int) -> bool:
    """The character at `at` belongs to the one before it."""
    here, before = text[at], text[at - 1]
    modifier = "\U0001f3fb" <= here <= "\U0001f3ff" or here in (_JOINER, "\ufe0f", "\u20e3")
    return modifier or before == _JOINER or unicodedata.combining(here) != 0


def _units(character: str) -> int:
    return 2 if ord(character) > 0xFFFF else 1
