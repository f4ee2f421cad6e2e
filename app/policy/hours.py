"""Whether somebody is there now, and when next: opening hours in the time zone of the place.

A day's spans begin on it; one may end on the next day. A holiday has its own spans or none, and a
span that began the day before runs on into it. When clocks change: an hour that comes twice counts
the first time, an hour that is skipped counts as the moment of the change.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

LOOK_AHEAD_DAYS: Final = 400
"""Further than that no opening is looked for: over a year, so that yearly ones are found."""
DAY_MINUTES: Final = 24 * 60
_SECOND: Final = timedelta(seconds=1)


class HoursError(ValueError):
    """Hours that cannot be meant; the message says what was expected."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Minutes after midnight by the clock on the wall. `end` may lie on the next day, at most 24
    hours after `start`. Raises `HoursError`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not (
            0 <= self.start < DAY_MINUTES and self.start < self.end <= self.start + DAY_MINUTES
        ):
            raise HoursError("expected a start within the day and an end at most 24 h later")


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursRules:
    """`timezone`: an IANA name. `week`: Monday is 0; a day that is not named is closed.

    Raises `HoursError`, except for the time zone: whether the machine knows it shows when it is
    asked.
    """

    timezone: str
    week: Mapping[int, tuple[Span, ...]]
    holidays: Mapping[date | tuple[int, int], tuple[Span, ...]] = field(default_factory=dict)
    """Spans of a date, or of a (month, day) of every year; a date wins. None: closed."""

    def __post_init__(self) -> None:
        if any(day not in range(7) for day in self.week):
            raise HoursError("week: expected days 0 (Monday) to 6")


def zone_of(name: str) -> ZoneInfo:
    """Raises `HoursError` for a name that this machine's time zone data does not have."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise HoursError(
            f'expected a time zone such as "Europe/Berlin", got "{name}", which this machine does '
            "not know"
        ) from None


class OpeningHours:
    """Raises nothing for an unknown time zone: then it is always closed, and `error` says why."""

    def __init__(self, rules: HoursRules) -> None:
        self._rules = rules
        self._zone: ZoneInfo | None = None
        self.error = ""
        try:
            self._zone = zone_of(rules.timezone)
        except HoursError as error:
            self.error = f"timezone: {error}; so it counts as closed"

    def is_open(self, at: datetime) -> bool:
        """`at` must have a time zone, any; else `ValueError`."""
        local = self._local(at)
        if local is None:
            return False
        instant = at.astimezone(UTC)
        days = (local.date() - timedelta(days=1), local.date())
        return any(begin <= instant < end for day in days for begin, end in self._instants(day))

    def next_opening(self, at: datetime) -> datetime | None:
        """When it opens next, in the zone of the place; `at` itself if it is open. None: not within
        400 days, or the time zone is unknown. Raises `ValueError` for an `at` without a zone."""
        local = self._local(at)
        if local is None or self._zone is None:
            return None
        if self.is_open(at):
            return local
        instant = at.astimezone(UTC)
        for ahead in range(-1, LOOK_AHEAD_DAYS):
            day = _plus(local.date(), ahead)
            starts = [begin for begin, _ in self._instants(day) if begin > instant] if day else []
            if starts:
                return min(starts).astimezone(self._zone)
        return None

    def _local(self, at: datetime) -> datetime | None:
        if at.tzinfo is None:
            raise ValueError("expected a time with a time zone, got one without")
        return at.astimezone(self._zone) if self._zone else None

    def _instants(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        if self._zone is None:
            return
        for span in self._spans(day):
            begin, end = (_instant(day, at, self._zone) for at in (span.start, span.end))
            if begin < end:
                yield begin, end

    def _spans(self, day: date) -> tuple[Span, ...]:
        holidays = self._rules.holidays
        for key in (day, (day.month, day.day)):
            if key in holidays:
                return holidays[key]
        return self._rules.week.get(day.weekday(), ())


def _plus(day: date, days: int) -> date | None:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return None


@lru_cache(maxsize=4096)
def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The first instant at which the clock on the wall shows it or has passed it."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # Skipped: read with the clock after the change it lies before the change, and the reverse.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = instant
    while after - before > _SECOND:
        middle = before + (after - before) / 2
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
