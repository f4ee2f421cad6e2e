"""When people of one place may be dialled, as stretches of time: worked out once a week and place,
looked up for everybody there.

The clock on the wall of every zone decides: in an hour that comes twice it is asked both times, and
an hour that is skipped never was. A campaign's span belongs to the day on which it begins, and runs
on into the next one; the law's hours, holidays and the law's own days go by the date on the wall.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from app.policy.dialing.clocks import DAY_MS, MINUTE_MS, WEEK_MS, Pieces, date_of_day, pieces
from app.policy.dialing.law import Holidays, LawRule
from app.policy.dialing.words import DialRule
from app.policy.hours import DAY_MINUTES, LOOK_AHEAD_DAYS, Span

LOOK_AHEAD_MS: Final = LOOK_AHEAD_DAYS * DAY_MS
Week = Mapping[int, tuple[Span, ...]]


@dataclass(frozen=True, slots=True)
class Shut:
    rule: DialRule
    reason: str


@dataclass(frozen=True, slots=True)
class Open:
    must: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where somebody may be, and what holds there. `subdivisions`: those that they may be in; none:
    nobody knows."""

    zones: tuple[ZoneInfo, ...]
    region: str
    subdivisions: tuple[str, ...]
    laws: tuple[LawRule, ...]


@dataclass(frozen=True, slots=True)
class _Wall:
    """What one zone's clock says at an instant."""

    zone: str
    day: int
    minute: int


@dataclass(slots=True)
class Calendar:
    """`hours`: the campaign's own, by weekday. Not for several threads at once."""

    place: Place
    hours: Week
    skip_holidays: bool
    holidays: Holidays
    _weeks: dict[int, tuple[list[int], list[Shut | Open]]] = field(default_factory=dict)

    def at(self, at_ms: int) -> Shut | Open:
        starts, states = self._week(at_ms // WEEK_MS)
        return states[bisect_right(starts, at_ms) - 1]

    def opens(self, at_ms: int) -> int | None:
        """The first instant from then on at which it is open; None: not within 400 days."""
        return next(
            (max(start, at_ms) for start, state in self._from(at_ms) if type(state) is Open), None
        )

    def shuts(self, at_ms: int) -> int:
        """The first instant from then on at which it is not open; at most 400 days ahead."""
        for start, state in self._from(at_ms):
            if type(state) is Shut:
                return max(start, at_ms)
        return at_ms + LOOK_AHEAD_MS

    def _from(self, at_ms: int) -> Iterator[tuple[int, Shut | Open]]:
        last = at_ms + LOOK_AHEAD_MS
        week = at_ms // WEEK_MS
        while week * WEEK_MS <= last:
            starts, states = self._week(week)
            first = max(bisect_right(starts, at_ms) - 1, 0)
            for index in range(first, len(starts)):
                if starts[index] > last:
                    return
                yield starts[index], states[index]
            week += 1

    def _week(self, week: int) -> tuple[list[int], list[Shut | Open]]:
        known = self._weeks.get(week)
        if known is None:
            known = self._weeks[week] = self._work_out(week)
        return known

    def _work_out(self, week: int) -> tuple[list[int], list[Shut | Open]]:
        tracks: dict[Pieces, str] = {}
        for zone in self.place.zones:
            tracks.setdefault(pieces(zone, week), zone.key)
        starts: list[int] = []
        states: list[Shut | Open] = []
        for edge in sorted({edge for track in tracks for edge in self._edges(track, week)}):
            state = self._judge([_wall(track, name, edge) for track, name in tracks.items()])
            if not states or states[-1] != state:
                starts.append(edge)
                states.append(state)
        return starts, states

    def _edges(self, track: Pieces, week: int) -> Iterator[int]:
        """Every instant of the week at which what holds may change in that zone."""
        minutes = self._minutes()
        ends = [start for start, _ in track[1:]] + [(week + 1) * WEEK_MS]
        for (start, offset), end in zip(track, ends, strict=True):
            yield start
            midnight = (start + offset) // DAY_MS * DAY_MS - offset
            for day in range(midnight, end, DAY_MS):
                edges = (day + minute * MINUTE_MS for minute in minutes)
                yield from (edge for edge in edges if start < edge < end)

    def _minutes(self) -> set[int]:
        weeks = [self.hours, *(law.hours for law in self.place.laws if law.hours is not None)]
        spans = [span for week in weeks for day in week.values() for span in day]
        return {0, *(minute % DAY_MINUTES for span in spans for minute in (span.start, span.end))}

    def _judge(self, walls: list[_Wall]) -> Shut | Open:
        for rule in (self._window, self._law_hours, self._weekday, self._holiday):
            for wall in walls:
                shut = rule(wall)
                if shut is not None:
                    return shut
        days = {wall.day for wall in walls}
        must = (
            name
            for law in self.place.laws
            if any(law.holds_on(date_of_day(day)) for day in days)
            for name in law.must
        )
        return Open(tuple(dict.fromkeys(must)))

    def _window(self, wall: _Wall) -> Shut | None:
        today = self.hours.get(_weekday(wall.day))
        if not today or self._in_hours(wall):
            return None
        return Shut(
            DialRule.WINDOW,
            f"Outside the campaign's hours ({_spoken(today)}) by the clock of {wall.zone}.",
        )

    def _weekday(self, wall: _Wall) -> Shut | None:
        if self.hours.get(_weekday(wall.day)) or self._in_hours(wall):
            return None
        return Shut(
            DialRule.WEEKDAY,
            f"The campaign does not call on that weekday, as it is in {wall.zone}.",
        )

    def _in_hours(self, wall: _Wall) -> bool:
        today = self.hours.get(_weekday(wall.day), ())
        before = self.hours.get(_weekday(wall.day - 1), ())
        return any(span.start <= wall.minute < span.end for span in today) or any(
            wall.minute + DAY_MINUTES < span.end for span in before
        )

    def _law_hours(self, wall: _Wall) -> Shut | None:
        for law in self.place.laws:
            if law.hours is None or not law.holds_on(date_of_day(wall.day)):
                continue
            spans = law.hours.get(_weekday(wall.day), ())
            if not any(span.start <= wall.minute < span.end for span in spans):
                allowed = _spoken(spans) if spans else "no calls on that day"
                return Shut(
                    DialRule.LAW_HOURS,
                    f"Outside the hours of {law.name} ({allowed}) by the clock of {wall.zone}.",
                )
        return None

    def _holiday(self, wall: _Wall) -> Shut | None:
        for why, subdivision in self._holiday_rules(wall.day):
            name = self.holidays.name_of(self.place.region, subdivision, date_of_day(wall.day))
            if name:
                return Shut(DialRule.HOLIDAY, f"A public holiday there ({name}); {why}.")
        return None

    def _holiday_rules(self, day: int) -> Iterator[tuple[str, str]]:
        if self.skip_holidays:
            for subdivision in self.place.subdivisions or ("",):
                yield "the campaign skips them", subdivision
        for law in self.place.laws:
            if law.no_holidays and law.holds_on(date_of_day(day)):
                yield f"{law.name} forbids calls", law.subdivision


def _wall(track: Pieces, name: str, at_ms: int) -> _Wall:
    offset = next(offset for start, offset in reversed(track) if start <= at_ms)
    day, rest = divmod(at_ms + offset, DAY_MS)
    return _Wall(name, day, rest // MINUTE_MS)


def _weekday(day: int) -> int:
    """1970 began on a Thursday."""
    return (day + 3) % 7


def _spoken(spans: tuple[Span, ...]) -> str:
    return ", ".join(f"{_clock(span.start)}-{_clock(span.end)}" for span in spans)


def _clock(minute: int) -> str:
    hour, minute = divmod(minute, 60)
    return f"{hour if hour <= 24 else hour - 24:02}:{minute:02}"
