"""May this person be dialled now? The first rule that stands against it is named.

First what time does not change: the do-not-call list, the number itself, a consent that is missing,
a place that nobody knows (it fails closed), consent as it is and as the law wants it, our own
number, the cap in total. Then time: the campaign's
start and end, its hours, the law's hours, weekdays, holidays, and the caps of a day and a week. All
zones in which the person may be must allow it.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from app.policy.dialing import caps
from app.policy.dialing.calendars import LOOK_AHEAD_MS, Calendar, Open, Place, Shut
from app.policy.dialing.clocks import WEEK_MS, different, known_zone, local_date, start_of_day
from app.policy.dialing.law import NOWHERE, Holidays, LawBook, LawRule, subdivisions_of
from app.policy.dialing.words import (
    Allowed,
    Answer,
    Consent,
    DialRule,
    DialRules,
    History,
    Never,
    NotNow,
    Person,
)
from app.policy.hours import LOOK_AHEAD_DAYS
from app.policy.numbers import Number, read_number

MOST_CALENDARS: Final = 4096
_Deadline = tuple[int, DialRule, str]
"""From that instant on, never again, and why."""


class Law:
    """A law book with its holidays, and the calendars worked out so far. One for each thread.
    What it was told never changes; a new book is a new `Law`."""

    def __init__(self, book: LawBook, holidays: Holidays) -> None:
        self.book, self.holidays = book, holidays
        self._calendars: dict[object, Calendar] = {}
        self._known: dict[str, bool] = {}

    def knows(self, region: str) -> bool:
        known = self._known.get(region)
        if known is None:
            known = self._known[region] = self.book.knows(region)
        return known

    def calendar(self, person: Person, rules: DialRules, zones: tuple[ZoneInfo, ...]) -> Calendar:
        key = (
            person.zones,
            person.region,
            person.subdivision,
            person.also_in,
            rules.purpose,
            rules.skip_holidays,
            tuple(rules.week.items()),
        )
        known = self._calendars.get(key)
        if known is None:
            if len(self._calendars) >= MOST_CALENDARS:
                self._calendars.clear()
            known = self._calendars[key] = Calendar(
                Place(
                    zones=zones,
                    region=person.region,
                    subdivisions=subdivisions_of(person),
                    laws=self.book.for_person(person, rules.purpose),
                ),
                rules.week,
                rules.skip_holidays,
                self.holidays,
            )
        return known


def may_dial(
    person: Person, history: History, rules: DialRules, law: Law, now_ms: int
) -> Allowed | NotNow | Never:
    """`now_ms`: Unix ms. Raises nothing for what a person's data may be."""
    refused = _of_person(person, history, rules) or _of_place(person, rules, law)
    if refused is not None:
        return refused
    zones = _zones(person.zones)
    calendar = law.calendar(person, rules, zones)
    laws = calendar.place.laws
    if refused := _of_consent_and_law(person, rules, zones, laws, now_ms):
        return refused
    if refused := _of_campaign(history, rules):
        return refused
    deadline = min(_deadlines(person, rules, zones, laws, now_ms), default=None)
    if deadline is not None and deadline[0] <= now_ms:
        return Never(deadline[1], deadline[2])
    return _of_time(history, rules, calendar, deadline, now_ms)


def _of_person(person: Person, history: History, rules: DialRules) -> Never | None:
    if history.do_not_call:
        return Never(
            DialRule.DO_NOT_CALL, f"On the do-not-call list (source: {history.do_not_call})."
        )
    if not person.valid:
        return Never(DialRule.NOT_VALID, "There can be no such number.")
    if person.number_type not in rules.number_types:
        return Never(
            DialRule.NUMBER_TYPE,
            f"The campaign does not call numbers of the type {person.number_type}.",
        )
    if rules.consent_required and person.consent is None:
        return Never(DialRule.NO_CONSENT, "There is no record of their consent.")
    return None


def _of_place(person: Person, rules: DialRules, law: Law) -> Never | None:
    if not _zones(person.zones):
        return Never(
            DialRule.UNKNOWN_ZONE, "Nobody knows in which time zone they are; give it in a column."
        )
    if person.region in NOWHERE:
        return Never(DialRule.UNKNOWN_REGION, "Nobody knows in which country they are.")
    if not law.knows(person.region):
        return Never(
            DialRule.UNKNOWN_REGION,
            f"The rules file says nothing of {person.region}, nor of all other countries.",
        )
    if rules.skip_holidays and not law.holidays.knows(person.region):
        return Never(
            DialRule.HOLIDAY,
            f"There is no calendar of public holidays for {person.region}, and the campaign skips "
            "them.",
        )
    return None


def _of_consent_and_law(
    person: Person,
    rules: DialRules,
    zones: tuple[ZoneInfo, ...],
    laws: tuple[LawRule, ...],
    now_ms: int,
) -> Never | None:
    today = _latest_date(zones, now_ms)
    consent = person.consent
    if consent is None:
        for law in laws:
            if law.consent and law.holds_on(today):
                return Never(
                    DialRule.NO_CONSENT, f"{law.name} wants consent, and there is no record of it."
                )
    elif not consent.source.strip() or consent.given > today:
        return Never(
            DialRule.CONSENT_UNREADABLE,
            "The record of their consent has no source, or a day that is still to come.",
        )
    elif rules.consent_days and today >= (_plus(consent, rules.consent_days + 1) or date.max):
        return Never(DialRule.CONSENT_TOO_OLD, _older(rules))
    for law in laws:
        if law.forbidden and law.holds_on(today):
            return Never(DialRule.FORBIDDEN_HERE, f"{law.name} forbids such calls.")
    return None


def _of_campaign(history: History, rules: DialRules) -> Never | None:
    if not rules.from_numbers:
        return Never(DialRule.NO_CALLER_ID, "The campaign has no number to call from.")
    if not all(_is_number(number) for number in rules.from_numbers):
        return Never(
            DialRule.CALLER_ID_NOT_VALID,
            "One of the numbers to call from is no number as E.164 writes it.",
        )
    if len(history.here_ms) >= rules.total:
        return Never(
            DialRule.CAP_TOTAL, f"Dialled {rules.total} times by this campaign, the most it may be."
        )
    return None


def _deadlines(
    person: Person,
    rules: DialRules,
    zones: tuple[ZoneInfo, ...],
    laws: tuple[LawRule, ...],
    now_ms: int,
) -> Iterator[_Deadline]:
    if person.consent is not None and rules.consent_days:
        over = _plus(person.consent, rules.consent_days + 1)
        if over is not None:
            yield _first_start(zones, over), DialRule.CONSENT_TOO_OLD, _older(rules)
    if rules.ends_ms is not None:
        yield rules.ends_ms, DialRule.CAMPAIGN_OVER, "The campaign's time is over."
    for law in laws:
        if law.since is None or law.since <= _latest_date(zones, now_ms):
            continue
        if law.forbidden:
            why = f"{law.name} forbids such calls by then."
            yield _first_start(zones, law.since), DialRule.FORBIDDEN_HERE, why
        elif law.consent and person.consent is None:
            why = f"{law.name} wants consent by then, and there is no record of it."
            yield _first_start(zones, law.since), DialRule.NO_CONSENT, why


def _of_time(
    history: History, rules: DialRules, calendar: Calendar, deadline: _Deadline | None, now_ms: int
) -> Answer:
    state = calendar.at(now_ms)
    standing = _standing(history, rules, calendar, state, now_ms)
    if standing is None and isinstance(state, Open):
        until_ms = calendar.shuts(now_ms)
        return Allowed(min(until_ms, deadline[0]) if deadline else until_ms, state.must)
    rule, reason = standing or (DialRule.WINDOW, "")
    again_ms = _again(history, rules, calendar, now_ms)
    if again_ms is None:
        return Never(rule, f"{reason} No time within {LOOK_AHEAD_DAYS} days would do.")
    if deadline is not None and again_ms >= deadline[0]:
        return Never(deadline[1], f"{deadline[2]} No time before that would do. {reason}")
    return NotNow(rule, reason, again_ms)


def _standing(
    history: History, rules: DialRules, calendar: Calendar, state: Shut | Open, now_ms: int
) -> tuple[DialRule, str] | None:
    """The first rule of time that stands against it."""
    if rules.starts_ms is not None and now_ms < rules.starts_ms:
        return DialRule.NOT_STARTED, "The campaign has not begun."
    if isinstance(state, Shut):
        return state.rule, state.reason
    place = calendar.place
    for rule, reason, _ in caps.reached(history, rules, place.zones, place.laws, now_ms):
        return rule, reason
    return None


def _again(history: History, rules: DialRules, calendar: Calendar, now_ms: int) -> int | None:
    """No rule lets go before the instant that it names, so the latest of them is never too late."""
    place = calendar.place
    at_ms = now_ms if rules.starts_ms is None else max(now_ms, rules.starts_ms)
    while at_ms <= now_ms + LOOK_AHEAD_MS:
        opens = calendar.opens(at_ms)
        if opens is None:
            return None
        reached = caps.reached(history, rules, place.zones, place.laws, opens)
        freed = max((freed for _, _, freed in reached), default=opens)
        if freed == opens:
            return opens
        at_ms = freed
    return None


@lru_cache(maxsize=8192)
def _zones(names: tuple[str, ...]) -> tuple[ZoneInfo, ...]:
    """None of them where one is unknown: it might be the one that matters."""
    zones = tuple(zone for zone in map(known_zone, names) if zone is not None)
    return zones if len(zones) == len(names) else ()


@lru_cache(maxsize=1024)
def _is_number(text: str) -> bool:
    number = read_number(text)
    return isinstance(number, Number) and number.e164 == text


def _latest_date(zones: tuple[ZoneInfo, ...], at_ms: int) -> date:
    return max(local_date(zone, at_ms) for zone in different(zones, at_ms // WEEK_MS))


def _first_start(zones: tuple[ZoneInfo, ...], day: date) -> int:
    return min(start_of_day(zone, day) for zone in zones)


def _older(rules: DialRules) -> str:
    return f"Their consent is older than {rules.consent_days} days."


def _plus(consent: Consent, days: int) -> date | None:
    try:
        return consent.given + timedelta(days=days)
    except OverflowError:
        return None
