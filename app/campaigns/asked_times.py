"""When somebody asked to be called back, as they say it: "in half an hour", "tomorrow at three".
What it means is worked out by the clock where they are."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any, Final
from zoneinfo import ZoneInfo

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FURTHEST: Final = timedelta(days=366)
MORNING: Final = clock_time(9)
"""Of a day that was named without a time; the policy's hours hold besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`said_at_ms`: Unix ms. `in_minutes`: 0 where they named no length. `day`: "today",
    "tomorrow", a weekday, or a date as 2026-11-24; `time`: as 15:30; "" where they named none."""

    said_at_ms: int
    in_minutes: int = 0
    day: str = ""
    time: str = ""

    def as_json(self) -> dict[str, int | str]:
        return asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None) -> "Asked | None":
        """None: nothing was kept, or nothing that can be read."""
        try:
            return None if kept is None else cls(**kept)
        except TypeError:
            return None

    def instant_ms(self, zone: ZoneInfo) -> int | None:
        """Unix ms, later than when it was said. None: no time was named, or none that there is."""
        try:
            said = datetime.fromtimestamp(self.said_at_ms / 1_000, UTC)
            at = self._at(said, zone)
        except (ValueError, OverflowError):
            return None
        if at is None or not said < at <= said + FURTHEST:
            return None
        return round(at.timestamp() * 1_000)

    def _at(self, said: datetime, zone: ZoneInfo) -> datetime | None:
        if self.in_minutes > 0:
            return said + timedelta(minutes=self.in_minutes)
        if not self.day and not self.time:
            return None
        here = said.astimezone(zone)
        named = clock_time.fromisoformat(self.time) if self.time else MORNING
        at = datetime.combine(_day(self.day, here.date()), named, zone)
        # "at three", said at four: they mean tomorrow, and "on Friday", on a Friday, in a week.
        again = {"": 1, **dict.fromkeys(DAYS, 7)}.get(self.day, 0)
        return at + timedelta(days=again) if at <= here else at


def _day(name: str, today: date) -> date:
    """Raises `ValueError`."""
    if name in ("", "today"):
        return today
    if name == "tomorrow":
        return today + timedelta(days=1)
    if name in DAYS:
        return today + timedelta(days=(DAYS.index(name) - today.weekday()) % 7)
    return date.fromisoformat(name)
