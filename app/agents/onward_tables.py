"""Where an agent's calls may go besides the model: people, a menu, a voicemail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, StringConstraints, with_config

from app.agents.shapes import shaped

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
_Words: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
How: TypeAlias = Literal["cold", "warm", "refer"]
Rung: TypeAlias = Literal["menu", "person", "voicemail", "sms"]
_Header: TypeAlias = Annotated[
    str, shaped(r"(?i:X-[a-z0-9][a-z0-9-]{0,60}|User-to-User)", '"X-..." or "User-to-User"')
]
Key: TypeAlias = Annotated[str, Field(pattern=r"^[0-9*#]$")]


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Somebody whom the agent can put callers through to. The model knows the table's name and
    `when`, never the number."""

    to: _Words
    """A number (+14155550100), "sip:user@host", "client:NAME" or "queue:NAME"."""
    how: How = "cold"
    """cold: it rings there, and the caller hears it ring. warm: the caller hears music while the
    person is told what it is about, and takes the call or not. refer: the caller's own SIP system
    is asked to make the call; only for callers who came by SIP."""
    when: str = ""
    """What it is for, told to the model."""
    name: str = ""
    """As callers are told. Default: the table's name."""
    ring_s: Annotated[int, Field(ge=5, le=300)] = 25
    """How long it may ring, in seconds."""
    otherwise: str = "back"
    """When nobody takes it: "back" to the agent, "voicemail", or another transfer's name."""
    caller_id: Literal["called", "caller"] = "called"
    """What the person's telephone shows: the number that was called, or the caller's."""
    music: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    """warm: what the caller hears meanwhile, an address of music or TwiML. Default: Twilio's."""
    headers: Mapping[_Header, str] = field(default_factory=dict)
    """SIP: what the other system is told, header = text, which may hold {{...}}."""
    answer_headers: tuple[_Header, ...] = ()
    """SIP: headers of its answer that the agent is to know when the caller is back, as
    {{sip_answer_x_...}}."""
    then: Literal["hang_up", "back"] = "hang_up"
    """cold: when they have talked and the person hangs up: the end, or "back" to the agent."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A choice of the menu. One of `transfer`, `say` and `go` says what it does."""

    key: Key
    """What is pressed for it."""
    label: _Words
    """As in "For ..., press 1"."""
    words: tuple[_Words, ...] = ()
    """What may be said for it, besides the label."""
    transfer: str = ""
    """The name of a transfer."""
    say: str = ""
    """An answer that is read out; the menu comes again."""
    go: Literal["", "voicemail", "sms", "agent", "hang_up"] = ""
    """agent: back to the model, which may be there again."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """Keys and words without any model: what the ladder falls to first."""

    words: str = ""
    """Said before the choices."""
    options: tuple[Option, ...] = ()
    """Default: made of what there is: a person, a voicemail, a text message."""
    wait_s: Annotated[int, Field(ge=2, le=30)] = 6
    """How long a choice is waited for, in seconds."""
    tries: Annotated[int, Field(ge=1, le=5)] = 2
    """How often the choices are read to a caller who makes none; then the next rung."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Voicemail:
    """A message after the tone."""

    words: _Words = (
        "Please leave a message after the tone. When you are done, hang up or press pound."
    )
    max_s: Annotated[int, Field(ge=5, le=600)] = 120
    """The longest message, in seconds."""
    thanks: _Words = "Thank you. Your message was recorded. Goodbye."


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """What callers get when no model can carry the call, in this order. What is not configured is
    left out."""

    rungs: tuple[Rung, ...] = ("menu", "person", "voicemail", "sms")
    words: _Words = "I am sorry, our assistant cannot be reached just now."
    """Said by Twilio's voice when the call falls."""
    person: str = ""
    """The name of the transfer that is the rung "person"."""
    offer_after_misses: Annotated[int, Field(ge=0, le=20)] = 3
    """So many turns in a row that were not understood, and the caller is offered keys or a text
    message. 0: never."""
    offer_when_slower_s: Annotated[float, Field(ge=0, le=30)] = 2.0
    """Two answers in a row that took longer than this, in seconds, and the same. 0: never."""
    offer_when_noisy_dbfs: Annotated[float, Field(ge=-90, le=0)] = -30.0
    """Noise above this level in the first two seconds, and the same. 0: never."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Speaks:
    """A language that callers may choose besides the agent's own."""

    voice: str = ""
    """Default: the agent's."""
    instructions: str = ""
    """Added to the prompt in this language."""
