"""The law as far as somebody wrote it down: which rules hold for a person, and on which day.

Not legal advice. Where several rules hold, all of them must allow the dial. A rule without a
subdivision holds in the whole country; one of a subdivision holds for whoever may be there, and so
for everybody of the country whose subdivision nobody knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol

from app.policy.dialing.words import Person, Purpose, Sourced
from app.policy.hours import Span

OTHERS: Final = "*"
"""As a region: every one that no other rule names."""
NOWHERE: Final = frozenset({"", "001", "ZZ"})
"""No country: unknown, or a number of no country."""


class Holidays(Protocol):
    def knows(self, region: str) -> bool:
        """Whether there is a calendar of this country."""
        ...

    def name_of(self, region: str, subdivision: str, day: date) -> str:
        """The public holiday, "" if it is none. Subdivision "": of the country or of any part of
        it. An unknown subdivision counts as ""."""
        ...


@dataclass(frozen=True, slots=True)
class LawCap:
    """At most `dials` within `hours`, by all campaigns together."""

    dials: int
    hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LawRule:
    """`regions`: two letters each, or "*". `subdivision`: "" is the whole country. `since`,
    `until`: the first day on which it holds, and the first on which it does not any more, by the
    person's clock. `verified`: its source was read; otherwise it is hearsay, kept because it is the
    stricter. `hours`: Monday is 0; a day that is not named is closed; None: it says nothing of
    hours. Its spans end on the day on which they begin."""

    name: str
    regions: frozenset[str]
    sourced: Sourced
    subdivision: str = ""
    purposes: frozenset[Purpose] = frozenset({"marketing"})
    since: date | None = None
    until: date | None = None
    verified: bool = True
    hours: Mapping[int, tuple[Span, ...]] | None = None
    no_holidays: bool = False
    consent: bool = False
    forbidden: bool = False
    caps: tuple[LawCap, ...] = ()
    must: tuple[str, ...] = ()

    def holds_on(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (
            self.until is None or day < self.until
        )


@dataclass(frozen=True, slots=True)
class LawBook:
    """`must`: what each name in a rule's `must` means, for people."""

    rules: tuple[LawRule, ...]
    must: Mapping[str, str] = field(default_factory=dict)

    def knows(self, region: str) -> bool:
        """Whether anything is written for it, be it for every other region."""
        return region not in NOWHERE and bool(self._of_region(region))

    def for_person(self, person: Person, purpose: Purpose) -> tuple[LawRule, ...]:
        places = subdivisions_of(person)
        return tuple(
            rule
            for rule in self._of_region(person.region)
            if purpose in rule.purposes
            and (not rule.subdivision or not places or rule.subdivision in places)
        )

    def _of_region(self, region: str) -> tuple[LawRule, ...]:
        own = tuple(rule for rule in self.rules if region in rule.regions)
        return own or tuple(rule for rule in self.rules if OTHERS in rule.regions)


def subdivisions_of(person: Person) -> tuple[str, ...]:
    """Each that they may be in; none: nobody knows."""
    return tuple(sorted({person.subdivision, *person.also_in})) if person.subdivision else ()
