"""`[hours]`: when somebody is there, and what callers meet when nobody is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, with_config

from app.agents.shapes import fitting, shaped, wrong

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
WhenClosed: TypeAlias = Literal["talk", "voicemail", "message", "person", "hang_up"]
_START = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_Span: TypeAlias = Annotated[
    str,
    shaped(rf"({_START})-(?!\1)(?:{_START}|24:00)", 'a span of two times such as "09:00-17:30"'),
]
Spans: TypeAlias = tuple[_Span, ...]


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return False
    return True


def _dates(holidays: Mapping[str, Spans]) -> Mapping[str, Spans]:
    if not all(_is_date(key) for key in holidays):
        raise wrong('dates such as "2026-12-25", or "12-25" for every year')
    return holidays


def _is_date(key: str) -> bool:
    try:
        # A leap year, so that February 29 is one.
        parsed = date.fromisoformat(key if len(key) == 10 else f"2000-{key}")
    except ValueError:
        return False
    return parsed.isoformat().endswith(key)


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """The spans of each day, "09:00-12:30" by the clock on the wall; [] or no line: closed. A span
    that ends before it begins ends on the next day."""

    monday: Spans = ()
    tuesday: Spans = ()
    wednesday: Spans = ()
    thursday: Spans = ()
    friday: Spans = ()
    saturday: Spans = ()
    sunday: Spans = ()


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """An agent without this table is always open."""

    timezone: Annotated[
        str, fitting(_is_zone, 'a time zone that this machine knows, such as "Europe/Berlin"')
    ]
    """Where the hours are meant (IANA)."""
    week: Week
    """When it is open."""
    holidays: Annotated[Mapping[str, Spans], AfterValidator(_dates)] = field(default_factory=dict)
    """Days with hours of their own, by date ("2026-12-25") or every year ("12-25"). []: closed."""
    when_closed: WhenClosed = "talk"
    """What callers meet: the agent, who is told that it is closed; the voicemail; the words of
    `message` and a goodbye; the person of `person`; or nothing, the call is ended."""
    message: str = ""
    """What is said when closed, word for word, for "message" and before "voicemail"."""
    person: str = ""
    """The key of a transfer target, for "person"."""
