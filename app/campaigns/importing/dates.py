"""Days and times as people and spreadsheets write them. What could be two days is refused."""

import re
from datetime import UTC, date, datetime
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

Order: TypeAlias = Literal["", "dmy", "mdy"]
"""Of day and month in 03/04/2025; "": such dates are refused."""

_DOTTED: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d)")
_SLASHED: Final = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?!\d)")
_EARLIEST: Final = 1990


def day_of(text: str, order: Order = "") -> date | None:
    """A date, or the date of a time. None: it is neither."""
    found = moment_of(text, order)
    return None if found is None or found.year < _EARLIEST else found.date()


def moment_of(text: str, order: Order = "") -> datetime | None:
    """With an offset only where one is written; a date alone is its midnight."""
    iso = text.strip()
    for shape, day, month in ((_DOTTED, 1, 2), *_slashed(order)):
        if found := shape.match(iso):
            iso = f"{found[3]}-{found[month]:0>2}-{found[day]:0>2}{iso[found.end() :]}"
            break
    if not re.match(r"\d{4}-\d\d?-\d\d?(?!\d)", iso):
        return None  # fromisoformat takes digits alone as well: too much like other numbers.
    try:
        return datetime.fromisoformat(iso)
    except ValueError:
        return None


def instant_ms(moment: datetime, zones: tuple[str, ...]) -> int | None:
    """Unix ms. Without an offset it is meant by the clock where the person is: the latest of
    `zones` counts. None: no zone is known."""
    if moment.tzinfo is not None:
        return round(moment.timestamp() * 1_000)
    instants = [moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for zone in zones]
    return round(max(instants).timestamp() * 1_000) if instants else None


def _slashed(order: Order) -> tuple[tuple[re.Pattern[str], int, int], ...]:
    if not order:
        return ()
    return ((_SLASHED, 1, 2) if order == "dmy" else (_SLASHED, 2, 1),)
