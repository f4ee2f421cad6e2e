"""Which of a campaign's numbers a call comes from. Pure: the same books give the same number.

A number is free when its rest is over, its calls of the day are not used up and its own pace
allows it. Of those that are free the nearest is taken (same area, same country, any), and of these
the one that was used longest ago. The day is that of the place where the number is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as zones_of

from app.campaigns.spacing import SECOND_US, free_at_us, stamped_us
from app.live.pace import NumberBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """`interval_us`: between two calls of one number by its pace; `rest_us`: from one call's
    beginning to the next one's; `per_day`: 0 for any number."""

    interval_us: int
    rest_us: int = 0
    per_day: int = 0
    local_presence: bool = True


@dataclass(frozen=True, slots=True)
class Chosen:
    """`book`: what the number's book says once it has been used."""

    number: str
    book: NumberBook


@dataclass(frozen=True, slots=True)
class NoneFree:
    """`until_us`: when the first one is free."""

    until_us: int
    why: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a number is, as far as its digits tell. `area`: its area code, "" where it has none."""

    code: int
    region: str
    area: str


@dataclass(frozen=True, slots=True)
class _Candidate:
    number: str
    book: NumberBook
    today: int
    day: int
    free_us: int
    why: str


def choose(
    pool: Sequence[str],
    books: Mapping[str, NumberBook],
    rotation: Rotation,
    to: str,
    now_us: int,
) -> Chosen | NoneFree:
    """The number to call `to` from. `books` has one for each of the pool; its order breaks ties.

    Raises `ValueError` for an empty pool.
    """
    if not pool:
        raise ValueError("expected caller numbers, got an empty pool")
    candidates = [_candidate(number, books[number], rotation, now_us) for number in pool]
    free = [each for each in candidates if each.free_us <= now_us]
    if not free:
        return _none_free(candidates)
    to_place = place_of(to) if rotation.local_presence else None
    best = min(free, key=lambda each: (_distance(each.number, to_place), each.book.dialled_us))
    book = replace(
        best.book,
        stamp_us=stamped_us(best.book.stamp_us, rotation.interval_us, now_us),
        dialled_us=now_us,
        day=best.day,
        today=best.today + 1,
    )
    return Chosen(best.number, book)


def _candidate(number: str, book: NumberBook, rotation: Rotation, now_us: int) -> _Candidate:
    day = day_of(number, now_us)
    today = book.today if book.day == day else 0
    free_us, why = free_at_us(book.stamp_us, rotation.interval_us, now_us), "keep their pace"
    # A clock that was set back must not lengthen the rest.
    rested_us = min(book.dialled_us, now_us) + rotation.rest_us
    if rotation.rest_us and rested_us >= free_us:
        free_us, why = rested_us, "rest"
    if rotation.per_day and today >= rotation.per_day:
        free_us, why = max(free_us, _next_day_us(number, day)), "have made their calls of the day"
    return _Candidate(number, book, today, day, free_us, why)


def _none_free(candidates: Sequence[_Candidate]) -> NoneFree:
    reasons = sorted({each.why for each in candidates})
    counted = (f"{sum(each.why == why for each in candidates)} {why}" for why in reasons)
    until_us = min(each.free_us for each in candidates)
    return NoneFree(
        until_us, f"no caller number is free: of {len(candidates)}, {', '.join(counted)}"
    )


def _distance(number: str, to: Place | None) -> int:
    if to is None:
        return 0
    place = place_of(number)
    if place.code != to.code or to.code == 0:
        return 3
    if place.region != to.region:
        return 2
    return 0 if place.area and place.area == to.area else 1


@lru_cache(maxsize=8192)
def place_of(number: str) -> Place:
    """Of an E.164 number. What is no telephone number is nowhere."""
    if number.startswith("+1") and len(number) == 12 and number[1:].isdecimal():
        # Every number of this plan begins with its area code, a mobile one too.
        return Place(1, _region_of_area(number[2:5]), number[2:5])
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return Place(0, "", "")
    code = parsed.country_code or 0
    digits = phonenumbers.national_significant_number(parsed)
    length = phonenumbers.length_of_geographical_area_code(parsed)
    return Place(code, phonenumbers.region_code_for_number(parsed) or "", digits[:length])


@lru_cache(maxsize=1024)
def _region_of_area(area: str) -> str:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(f"+1{area}5550100")) or ""
    except phonenumbers.NumberParseException:
        return ""


@lru_cache(maxsize=4096)
def zone_of(number: str) -> tzinfo:
    """The first of the zones that the number may be in; UTC when nobody knows."""
    try:
        names = zones_of.time_zones_for_number(phonenumbers.parse(number))
        return ZoneInfo(names[0])
    except (phonenumbers.NumberParseException, LookupError, ValueError, OSError):
        return UTC


def day_of(number: str, now_us: int) -> int:
    """The day where the number is, as `date.toordinal` counts."""
    # Days begin on whole minutes everywhere.
    return _day(zone_of(number), now_us // (60 * SECOND_US))


@lru_cache(maxsize=1024)
def _day(zone: tzinfo, minute: int) -> int:
    return datetime.fromtimestamp(minute * 60, zone).toordinal()


def _next_day_us(number: str, day: int) -> int:
    midnight = datetime.combine(date.fromordinal(day) + timedelta(days=1), time(), zone_of(number))
    return int(midnight.timestamp()) * SECOND_US
