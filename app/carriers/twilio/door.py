"""What the webhooks may ask of whoever runs them, and what they tell them of a call.

The webhooks know the world through the few callables of `TwilioDoor`.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from app.call.endings import EndReason
from app.call.events import Direction
from app.call.facts import CallFacts
from app.carriers.twilio.attempts import AttemptNews, Detection
from app.carriers.twilio.caller import FactSeals
from app.carriers.twilio.idempotency import Answers, AnswersHere
from app.carriers.twilio.onward import OnwardDesk
from app.carriers.twilio.outgoing import PLAIN, Outgoing
from app.carriers.twilio.progress import CallProgress, StreamStatus
from app.carriers.twilio.recording_status import RecordingStatus
from app.carriers.twilio.signature import SignatureChecker
from app.carriers.twilio.tokens import StreamTokens
from app.carriers.twilio.twiml import Speech
from app.onward.happenings import Happening

Admission: TypeAlias = Literal["open", "busy", "full", "queue", "redirect"]
"""open: take the call. busy: let it ring busy, unanswered. full: answer, apologise, hang up.
queue: answer and let it wait for a place. redirect: send it to `full_redirect_url`. Somebody whom
we called is neither kept waiting nor given a busy tone: both are "full" for outbound calls."""


@dataclass(frozen=True, slots=True)
class OfferedCall:
    """A call that Twilio offers us; the numbers and fields are personal data."""

    call_sid: str
    agent: str
    direction: Direction
    from_number: str = field(default="", repr=False)
    to_number: str = field(default="", repr=False)
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Everything that Twilio sent about the call."""
    facts: CallFacts = field(default_factory=CallFacts)
    """What is kept of it, also where a later request brings less."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a stream ended."""

    reason: EndReason
    detail: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Screening:
    """Whether a caller is let in at all, before a place is looked for."""

    answer: Literal["in", "busy", "message"] = "in"
    rule: str = ""
    """Why not."""


IN: Final = Screening()


async def screen_nobody(call: OfferedCall) -> Screening:
    """Everybody is let in."""
    return IN


async def admit_all(call: OfferedCall) -> Admission:
    """The answer of a worker without a limit."""
    return "open"


async def never_closed(call: OfferedCall) -> Happening | None:
    """The answer of a worker whose agents are always open."""
    return None


async def _ignore(_: object) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioDoor:
    """All that the webhooks need."""

    checker: SignatureChecker
    tokens: StreamTokens
    seals: FactSeals
    default_agent: str
    knows_agent: Callable[[str], bool]
    route: Callable[[CallFacts], str] = lambda facts: ""
    """The agent for a call that comes in; "": the one that the voice URL or the settings name."""
    ending_of: Callable[[str], Awaitable[Ending | None]]
    """How the conversation of this CallSid ended; None when nobody knows (its worker died)."""
    onward: OnwardDesk
    """Who knows where calls go that no model carries."""
    screen: Callable[[OfferedCall], Awaitable[Screening]] = screen_nobody
    """Asked once for each call that comes in."""
    admit: Callable[[OfferedCall], Awaitable[Admission]] = admit_all
    closed: Callable[[OfferedCall], Awaitable[Happening | None]] = never_closed
    """What becomes of a call outside its agent's hours; None: the agent answers."""
    alone_and_leaving: Callable[[], bool] = lambda: False
    """This server is being stopped and no other worker answers at its address: calls that should
    go on wait until it is back."""
    full_redirect_url: str = ""
    """Where calls go whose admission is "redirect"."""
    expect: Callable[[OfferedCall], None] = lambda call: None
    """Told of each call that gets a stream, before it gets it. Must not wait."""
    on_progress: Callable[[CallProgress], Awaitable[None]] = _ignore
    """Told each step of a call's life once."""
    on_stream: Callable[[StreamStatus], Awaitable[None]] = _ignore
    on_detected: Callable[[Detection], Awaitable[None]] = _ignore
    """Told who answered a call that we placed, as often as Twilio tells it."""
    attempts: AttemptNews | None = None
    """Told all of it that is about a campaign's call, copies too. None: there are no campaigns."""
    on_recording: Callable[[RecordingStatus], Awaitable[None]] = _ignore
    """Told what Twilio says of its recordings of calls."""
    answers: Answers = field(default_factory=AnswersHere)
    outgoing: Outgoing = PLAIN
    """Logins of SIP systems that callers are put through to."""
    speech: Speech = field(default_factory=Speech)
    """Voice and language of what Twilio itself says."""
    now_s: Callable[[], float] = time.time
    """Unix time in seconds."""
