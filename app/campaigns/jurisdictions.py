"""The rules file of jurisdictions, read and checked. Not legal advice."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final, cast

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

import app.policy.dialing
from app.campaigns.rules_of_plan import PlanRulesError, span_of
from app.policy.dialing.law import OTHERS, LawBook, LawCap, LawRule
from app.policy.dialing.words import Purpose, Sourced
from app.policy.hours import DAY_MINUTES, Span

SHIPPED: Final = Path(app.policy.dialing.__file__).with_name("jurisdictions.toml")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CONFIG = ConfigDict(extra="forbid")


class LawFileError(ValueError):
    """The fault of who wrote the file: the message names the file, the rule and the key."""


@with_config(_CONFIG)
@dataclass(frozen=True, slots=True, kw_only=True)
class _Cap:
    dials: Annotated[int, Field(ge=1)]
    hours: Annotated[int, Field(ge=1)]


@with_config(_CONFIG)
@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    name: Annotated[str, Field(pattern="^[a-z0-9_]+$")]
    regions: Annotated[list[Annotated[str, Field(pattern=r"^([A-Z]{2}|\*)$")]], Field(min_length=1)]
    text: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]
    checked: date
    verified: bool
    url: str = ""
    subdivision: str = ""
    purposes: Annotated[list[Purpose], Field(min_length=1)] | None = None
    since: date | None = None
    until: date | None = None
    hours: dict[str, list[str]] | None = None
    no_holidays: bool = False
    consent: bool = False
    forbidden: bool = False
    caps: list[_Cap] | None = None
    must: list[str] | None = None


@with_config(_CONFIG)
@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    about: str
    must: dict[str, str]
    rule: list[_Rule]


_FILE: Final = TypeAdapter(_File)


def load_law(path: Path = SHIPPED) -> LawBook:
    """Raises `LawFileError`; an unreadable file is its operator's fault, too."""
    try:
        written = _FILE.validate_python(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LawFileError(f"{path}: expected a TOML file of jurisdictions: {error}") from error
    except ValidationError as error:
        raise LawFileError(f"{path}: {_first(error)}") from error
    names = [rule.name for rule in written.rule]
    for name in names:
        if names.count(name) > 1:
            raise LawFileError(f"{path}: {name}: expected one rule of that name, got several")
    return LawBook(tuple(_rule(path, rule, written.must) for rule in written.rule), written.must)


def _rule(path: Path, rule: _Rule, known: Mapping[str, str]) -> LawRule:
    where = f"{path}: {rule.name}"
    for name in rule.must or ():
        if name not in known:
            raise LawFileError(f'{where}: must: expected a name that [must] explains, got "{name}"')
    if rule.since and rule.until and rule.until <= rule.since:
        raise LawFileError(f"{where}: until: expected a day after since, got {rule.until}")
    if rule.subdivision and (OTHERS in rule.regions or len(rule.regions) > 1):
        raise LawFileError(f"{where}: subdivision: expected one country in regions beside it")
    return LawRule(
        name=rule.name,
        regions=frozenset(rule.regions),
        sourced=_sourced(rule),
        subdivision=rule.subdivision,
        purposes=frozenset(rule.purposes or ("marketing",)),
        since=rule.since,
        until=rule.until,
        verified=rule.verified,
        hours=None if rule.hours is None else _hours(where, rule.hours),
        no_holidays=rule.no_holidays,
        consent=rule.consent,
        forbidden=rule.forbidden,
        caps=tuple(LawCap(cap.dials, cap.hours) for cap in rule.caps or ()),
        must=tuple(rule.must or ()),
    )


def _sourced(rule: _Rule) -> Sourced:
    details = {"url": rule.url} if rule.url else {}
    return Sourced(rule.text, rule.source, rule.checked, details)


def _hours(where: str, written: Mapping[str, list[str]]) -> dict[int, tuple[Span, ...]]:
    week: dict[int, tuple[Span, ...]] = {}
    for key, texts in written.items():
        for day in _days(where, key):
            if day in week:
                raise LawFileError(f"{where}: hours: expected {_DAYS[day]} once, got it twice")
            week[day] = tuple(sorted(_span(where, text) for text in texts))
    return week


def _days(where: str, key: str) -> range:
    """ "every", a day such as "mon", or a stretch of them such as "mon-fri"."""
    first, _, last = ("mon-sun" if key == "every" else key).partition("-")
    if first in _DAYS and (last or first) in _DAYS:
        days = range(_DAYS.index(first), _DAYS.index(last or first) + 1)
        if days:
            return days
    raise LawFileError(f'{where}: hours: expected "every", "mon" or "mon-fri", got "{key}"')


def _span(where: str, text: str) -> Span:
    try:
        span = span_of(text)
    except PlanRulesError as error:
        raise LawFileError(f"{where}: {error}") from error
    if span.end > DAY_MINUTES:
        raise LawFileError(f'{where}: hours: expected an end on the same day, got "{text}"')
    return span


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in cast("tuple[object, ...]", found["loc"]))
    return f"{where}: {found['msg']}, got {found['input']!r:.80}"
