"""The clock on the wall of a zone, over one week of instants: where its offset changes, and when a
day begins. Instants are Unix ms."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from app.policy.hours import HoursError, zone_of

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
WEEK_MS: Final = 7 * DAY_MS
_EPOCH: Final = date(1970, 1, 1).toordinal()
_DAY: Final = timedelta(days=1)
_STEP_S: Final = 6 * 3600
"""No zone changes its clock twice within so long."""

LONGEST_DAY_MS: Final = 26 * HOUR_MS

Pieces = tuple[tuple[int, int], ...]
"""(from, offset): ms of the instant, and what is to be added to it for the clock on the wall."""


@lru_cache(maxsize=1024)
def known_zone(name: str) -> ZoneInfo | None:
    """None: this machine does not know it, or it is no place."""
    if not name or name.startswith("Etc/Unknown"):
        return None
    try:
        return zone_of(name)
    except HoursError:
        return None


def local_date(zone: ZoneInfo, at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, zone).date()


def date_of_day(number: int) -> date:
    """`number`: whole days since 1970 on the wall."""
    return date.fromordinal(_EPOCH + number)


@lru_cache(maxsize=8192)
def pieces(zone: ZoneInfo, week: int) -> Pieces:
    """The offsets of the `week`th 7 days since 1970 UTC, each with the instant it begins at."""
    begin, end = week * WEEK_MS // 1000, (week + 1) * WEEK_MS // 1000
    found = [(begin, _offset_s(zone, begin))]
    for at in range(begin + _STEP_S, end + 1, _STEP_S):
        last = min(at, end - 1)
        if _offset_s(zone, last) != found[-1][1]:
            changed = _first(zone, last - _STEP_S, last, found[-1][1])
            found.append((changed, _offset_s(zone, changed)))
    return tuple((at * 1000, offset * 1000) for at, offset in found)


@lru_cache(maxsize=8192)
def different(zones: tuple[ZoneInfo, ...], week: int) -> tuple[ZoneInfo, ...]:
    """One of each that show the same in that week and beside it."""
    seen: dict[tuple[Pieces, ...], ZoneInfo] = {}
    for zone in zones:
        seen.setdefault(tuple(pieces(zone, near) for near in (week - 1, week, week + 1)), zone)
    return tuple(seen.values())


@lru_cache(maxsize=65536)
def start_of_day(zone: ZoneInfo, day: date) -> int:
    """The first instant of which the clock on the wall says that date, or a later one where the
    date was skipped."""
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    before, after = midnight - 26 * 3600, midnight + 26 * 3600
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).date() < day:
            before = middle
        else:
            after = middle
    return after * 1000


def day_around(zone: ZoneInfo, at_ms: int) -> tuple[int, int]:
    """When the person's day began, and when their next one does."""
    today = local_date(zone, at_ms)
    return start_of_day(zone, today), start_of_day(zone, today + _DAY)


def _offset_s(zone: ZoneInfo, at_s: int) -> int:
    offset = datetime.fromtimestamp(at_s, zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _first(zone: ZoneInfo, before: int, after: int, old: int) -> int:
    """The first second at which the offset is not the old one any more."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset_s(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after
