"""What a call that no model carries can meet with, and what the carrier is to do next."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from app.onward.journey import Journey
from app.onward.ways import MenuOption, Way

# What happened


@dataclass(frozen=True, slots=True)
class Wanted:
    """The agent's tool sent the call here, or somebody at the menu chose it."""

    what: Literal["transfer", "menu", "voicemail"]
    to: str = ""
    words: str = ""
    """Said first."""


@dataclass(frozen=True, slots=True)
class Say:
    """Nothing is to come but these words; "": not even they."""

    words: str


@dataclass(frozen=True, slots=True)
class Fell:
    """No model can carry the call."""


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The policy has refused the destination."""

    rule: str
    reason: str
    words: str = ""
    """Of the step that was not taken: they are still to be said."""


@dataclass(frozen=True, slots=True)
class NotPlaced:
    """The carrier could not call whom it was to call, or send what it was to send."""

    words: str = ""
    """As of `NotAllowed`."""


Status: TypeAlias = Literal[
    "busy", "no_answer", "declined", "failed", "refused", "no_choice", "came_back", "talked"
]
DialEnd: TypeAlias = Literal["talked", "busy", "no_answer", "declined", "failed"]


@dataclass(frozen=True, slots=True)
class Dialled:
    """What came of the other side: they talked, or why they did not."""

    end: DialEnd


@dataclass(frozen=True, slots=True)
class Referred:
    """What the caller's SIP system did about a REFER."""

    accepted: bool


@dataclass(frozen=True, slots=True)
class Chose:
    """At the menu. "" and "": nothing, in time."""

    key: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    duration_s: int


Happening: TypeAlias = (
    Wanted | Say | Fell | NotAllowed | NotPlaced | Dialled | Referred | Chose | Recorded
)

# What the carrier is to do. `words` are said first, by the carrier's voice.


@dataclass(frozen=True, slots=True)
class PutThrough:
    """Ring there; `way.how` says how. Where it leads is for the policy to clear."""

    journey: Journey
    way: Way
    words: str = ""


@dataclass(frozen=True, slots=True)
class AskMenu:
    journey: Journey
    options: tuple[MenuOption, ...]
    wait_s: int
    words: str = ""


@dataclass(frozen=True, slots=True)
class TakeMessage:
    journey: Journey
    max_s: int
    words: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Send the caller a text message, then go on with `Fell` or hang up."""

    journey: Journey
    text: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class BackToAgent:
    """Open a stream again."""

    journey: Journey
    status: Status
    """What came of it."""


@dataclass(frozen=True, slots=True)
class HangUp:
    journey: Journey
    words: str = ""


@dataclass(frozen=True, slots=True)
class Apologise:
    """Nothing is left."""

    journey: Journey


Step: TypeAlias = PutThrough | AskMenu | TakeMessage | Text | BackToAgent | HangUp | Apologise
