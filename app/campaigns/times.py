"""Times as an operator writes them: spans of a day, lengths, instants."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from app.policy.hours import DAY_MINUTES, Span

SPAN: Final = 'a span of two times such as "09:00-20:00", the later one second'
LENGTH: Final = 'a length such as "30m", "4h" or "2d"'
INSTANT: Final = 'a time with its offset such as "2026-12-01T09:00:00+01:00"'
MOST_MS: Final = 366 * 86_400_000
"""The longest length: a year."""

_SPAN: Final = re.compile(
    r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)"
)
_LENGTH: Final = re.compile(r"([1-9][0-9]{0,6})(s|m|h|d|w)", re.ASCII)
_UNIT_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def span_of(text: str) -> Span:
    """Minutes of a day, which a campaign's span does not leave. Raises `ValueError`."""
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError(f"expected {SPAN}")
    start = int(found[1]) * 60 + int(found[2])
    end = int(found[3]) * 60 + int(found[4]) if found[3] else DAY_MINUTES
    if end <= start:
        raise ValueError(f"expected {SPAN}")
    return Span(start, end)


def length_ms(text: str) -> int:
    """Raises `ValueError`."""
    found = _LENGTH.fullmatch(text)
    length = int(found[1]) * _UNIT_MS[found[2]] if found else 0
    if not 0 < length <= MOST_MS:
        raise ValueError(f"expected {LENGTH}")
    return length


def instant_ms(text: str) -> int:
    """Unix ms. Raises `ValueError`."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expected {INSTANT}") from None
    if at.tzinfo is None:
        raise ValueError(f"expected {INSTANT}")
    return round(at.timestamp() * 1_000)


def reads(reader: Callable[[str], object]) -> Callable[[str], bool]:
    """Whether `reader` takes a text."""

    def fits(text: str) -> bool:
        try:
            reader(text)
        except ValueError:
            return False
        return True

    return fits


def length_told(ms: int) -> str:
    """As a person says it: "45 s", "3 min", "4 h", "12 d"."""
    length = timedelta(milliseconds=max(0, ms)).total_seconds()
    for unit, unit_s in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if length >= unit_s:
            number = f"{length / unit_s:.1f}".removesuffix(".0")
            return f"{number} {unit}"
    return f"{length:.0f} s"
