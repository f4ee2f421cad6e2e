"""What an operator says of a campaign: its TOML file, as an object. `app.campaigns.loading` reads
and checks it."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

import phonenumbers
from pydantic import ConfigDict, Field, with_config

from app.agents.shapes import fitting, shaped
from app.campaigns.times import INSTANT, LENGTH, SPAN, instant_ms, length_ms, reads, span_of

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

_Span: TypeAlias = Annotated[str, fitting(reads(span_of), SPAN)]
_Length: TypeAlias = Annotated[str, fitting(reads(length_ms), LENGTH)]
_Instant: TypeAlias = Annotated[str, fitting(lambda t: not t or reads(instant_ms)(t), INSTANT)]
_E164: TypeAlias = Annotated[
    str, shaped(r"\+[1-9][0-9]{7,14}", "a number in E.164 form: + and 8 to 15 digits")
]
_Region: TypeAlias = Annotated[
    str,
    fitting(
        lambda text: not text or text in phonenumbers.SUPPORTED_REGIONS,
        'two capital letters such as "DE", or ""',
    ),
]
_Words: TypeAlias = Annotated[
    str, fitting(lambda text: bool(text.strip()), "a text that is not empty")
]

Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WORKDAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri")
Came: TypeAlias = Literal[
    "answered",
    "message_left",
    "machine",
    "fax",
    "no_answer",
    "busy",
    "rejected",
    "invalid_number",
    "failed",
    "abandoned",
    "canceled",
]
"""What came of a dial: the values of `app.campaigns.outcomes.Outcome`."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """When people may be called, by the clock where they are. The law's own hours hold besides."""

    days: tuple[Day, ...] = WORKDAYS
    hours: tuple[_Span, ...] = ("09:00-20:00",)
    """Spans, such as "09:00-12:30"."""
    holidays: Literal["skip", "dial"] = "skip"
    """Public holidays where the person is."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When the campaign itself runs. Texts are ISO 8601 with an offset; "": open."""

    starts: _Instant = ""
    ends: _Instant = ""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    calls_per_second: Annotated[float, Field(gt=0, le=100)] = 1.0
    """New calls of this campaign. The account's own limit (EARSHOT_CALLS_PER_SECOND) holds too."""
    concurrent: Annotated[int, Field(ge=1, le=10_000)] = 10
    """Calls of this campaign at once, ringing ones included."""
    ramp_minutes: Annotated[float, Field(ge=0, le=1_440)] = 0.0
    """From a start or a resume on the pace rises to its full height for so long."""
    ring_s: Annotated[int, Field(ge=5, le=120)] = 25


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class CallerIds:
    """The numbers that calls come from. They must be ours, or verified."""

    numbers: tuple[_E164, ...]
    rest_s: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    """How long a number rests between two calls."""
    per_day: Annotated[int, Field(ge=0)] = 0
    """Calls a day from one number; 0: any number."""
    local_presence: bool = True
    """Prefer a number of the person's own area, then of their country."""
    trunk: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{0,64}$")] = ""
    """The trunk of the operator's by which calls leave; "": that of the settings, if any."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """When a machine answers."""

    detect: bool = True
    on_machine: Literal["message", "hang_up", "talk"] = "message"
    message: str = ""
    """Spoken in the agent's voice after the beep; `{{NAME}}` as in agents. "": hang up instead."""
    message_from_attempt: Annotated[int, Field(ge=1)] = 1
    """On earlier attempts it hangs up without a message."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How often one person may be dialled."""

    per_day: Annotated[int, Field(ge=1)] = 1
    per_week: Annotated[int, Field(ge=1)] = 3
    total: Annotated[int, Field(ge=1)] = 6
    """In this campaign."""
    all_per_day: Annotated[int, Field(ge=1)] = 1
    """By all campaigns together."""
    all_per_week: Annotated[int, Field(ge=1)] = 3


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    abandonment: Annotated[float, Field(ge=0, le=1)] = 0.03
    """Share of live answers of the newest 30 days that may hear nothing for 2 s; the pace falls
    before it is reached."""
    spend_usd: Annotated[float, Field(ge=0)] = 0.0
    """The campaign pauses when it has cost so much. 0: no limit."""
    contacts: Annotated[int, Field(ge=0)] = 0
    """It completes when so many persons were reached. 0: all."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """What the campaign says of itself, for the rules of each jurisdiction."""

    purpose: Literal["marketing", "service", "survey", "debt", "emergency"] = "marketing"
    consent: Literal["required", "not_required"] = "required"
    """Whether a contact without a record of consent is ever dialled."""
    consent_days: Annotated[int, Field(ge=0)] = 0
    """How old a consent may be; 0: any age."""
    number_types: tuple[Literal["mobile", "fixed", "fixed_or_mobile", "voip"], ...] = (
        "mobile",
        "fixed",
        "fixed_or_mobile",
        "voip",
    )


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What follows when a dial came to one of these: a step of the sequence, in order; the first
    whose `on` and `dispositions` fit, and which was not used up for this person, is taken."""

    on: tuple[Came, ...] = ()
    """Outcomes of a dial; of a conversation see `dispositions`."""
    dispositions: tuple[_Words, ...] = ()
    """What the agent's after-call work found, such as "callback"."""
    then: Literal["retry", "other_number", "sms", "callback", "done", "never"] = "retry"
    """callback: at the time that the person asked for. never: no campaign calls them again."""
    after: _Length = "4h"
    """Such as "30m", "4h", "2d". The hour of the day is moved away from the one that failed."""
    times: Annotated[int, Field(ge=1)] = 1
    """How often this step may be taken for one person."""
    text: str = ""
    """For then = "sms"."""


USUAL_STEPS: Final = (
    Step(on=("busy",), after="20m", times=2),
    Step(on=("failed", "abandoned"), after="1h", times=2),
    Step(on=("no_answer", "machine", "message_left", "rejected", "canceled"), after="1d", times=2),
    Step(on=("invalid_number", "fax"), then="other_number", times=5),
    Step(dispositions=("callback",), then="callback", times=3),
)


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A campaign. `name` is its file's."""

    name: str = ""
    agent: str
    caller_ids: CallerIds
    default_region: _Region = ""
    """Two letters, for numbers without a country code."""
    windows: Windows = Windows()
    schedule: Schedule = Schedule()
    pacing: Pacing = Pacing()
    machines: Machines = Machines()
    caps: Caps = Caps()
    limits: Limits = Limits()
    law: Law = Law()
    steps: tuple[Step, ...] = USUAL_STEPS
