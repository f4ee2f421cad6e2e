"""What is asked and what is answered before a dial."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal, TypeAlias

from app.policy.hours import Span

NumberType: TypeAlias = Literal[
    "mobile", "fixed", "fixed_or_mobile", "voip", "toll_free", "premium", "other"
]
Purpose: TypeAlias = Literal["marketing", "service", "survey", "debt", "emergency"]


class DialRule(StrEnum):
    """Every rule that can keep a person from being dialled."""

    # Never, or not until somebody changes something.
    DO_NOT_CALL = "do_not_call"
    NO_CONSENT = "no_consent"
    CONSENT_TOO_OLD = "consent_too_old"
    CONSENT_UNREADABLE = "consent_unreadable"
    NUMBER_TYPE = "number_type"
    NOT_VALID = "not_valid"
    UNKNOWN_ZONE = "unknown_zone"
    UNKNOWN_REGION = "unknown_region"
    NO_CALLER_ID = "no_caller_id"
    CALLER_ID_NOT_VALID = "caller_id_not_valid"
    FORBIDDEN_HERE = "forbidden_here"
    CAP_TOTAL = "cap_total"
    # Not now.
    WINDOW = "window"
    LAW_HOURS = "law_hours"
    WEEKDAY = "weekday"
    HOLIDAY = "holiday"
    CAP_DAY = "cap_day"
    CAP_WEEK = "cap_week"
    CAP_ALL_DAY = "cap_all_day"
    CAP_ALL_WEEK = "cap_all_week"
    CAP_LAW = "cap_law"
    NOT_STARTED = "not_started"
    CAMPAIGN_OVER = "campaign_over"


@dataclass(frozen=True, slots=True)
class Consent:
    """`given`: the day; `source`: such as "web form"."""

    given: date
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """`zones`: every time zone that the number may be in; none: nobody knows, so it is not dialled.
    `region`: two letters of the country, "" if unknown; `subdivision`: such as "FL", "" if unknown:
    then every one of the country counts. `also_in`: other subdivisions that they may be in, such as
    that of their address. `valid`: there can be such a number."""

    number: str
    number_type: NumberType
    region: str
    zones: tuple[str, ...]
    subdivision: str = ""
    consent: Consent | None = None
    also_in: tuple[str, ...] = ()
    valid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Dials of this number that rang, newest first, Unix ms. `here`: of this campaign; `all`: of
    every campaign, this one included. `do_not_call`: where it was put on the list, "" if it is
    not."""

    here_ms: tuple[int, ...] = ()
    all_ms: tuple[int, ...] = ()
    do_not_call: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialRules:
    """A campaign's own rules. The law's come on top, by region. Caps are 1 or more: a day is the
    person's own, by the clock of each of their zones; a week is any 7 × 24 hours.

    Raises `ValueError`."""

    purpose: Purpose
    week: Mapping[int, tuple[Span, ...]]
    """Monday is 0; local to the person."""
    skip_holidays: bool
    per_day: int
    per_week: int
    total: int
    all_per_day: int
    all_per_week: int
    consent_required: bool
    consent_days: int = 0
    number_types: frozenset[str] = frozenset({"mobile", "fixed", "fixed_or_mobile", "voip"})
    from_numbers: tuple[str, ...] = ()
    starts_ms: int | None = None
    ends_ms: int | None = None

    def __post_init__(self) -> None:
        caps = (self.per_day, self.per_week, self.total, self.all_per_day, self.all_per_week)
        if min(caps) < 1:
            raise ValueError("expected caps of 1 or more")


@dataclass(frozen=True, slots=True)
class Allowed:
    """Nothing stands against it now. `until_ms`: when that ends; `must`: what the law wants of the
    call, by its names in jurisdictions.toml (such as "identify", "opt_out_at_start",
    "disclose_ai")."""

    until_ms: int
    must: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotNow:
    """`again_ms`: the first instant at which this and every other rule of time may allow it."""

    rule: DialRule
    reason: str
    again_ms: int


@dataclass(frozen=True, slots=True)
class Never:
    """Not in this campaign as it stands, whatever the time. `reason` never holds the number."""

    rule: DialRule
    reason: str


Answer: TypeAlias = Allowed | NotNow | Never


@dataclass(frozen=True, slots=True)
class Sourced:
    """Where a rule of law was found. Not legal advice."""

    text: str
    source: str
    checked: date
    details: Mapping[str, str] = field(default_factory=dict)
