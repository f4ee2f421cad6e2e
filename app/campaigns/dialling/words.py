"""What dialling talks about: contacts, attempts, campaigns, and what a worker is given."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal, Protocol, TypeAlias

from app.campaigns.outcomes import Outcome
from app.campaigns.plan import Plan
from app.policy.dialing.words import Answer

Clock: TypeAlias = Callable[[], int]
"""Unix ms. Those of all workers must agree within a few seconds: leases are compared by them."""
TextFate: TypeAlias = Literal["sent", "refused", "opted_out", "failed", "unknown"]
"""Of a text message that was handed over. failed: it was not sent, and may be tried again; unknown:
it may have been, and is not."""
Onward: TypeAlias = Literal["waiting", "done", "never"]
"""The states of a contact that no worker holds."""


class AttemptState(StrEnum):
    """An attempt's life. Each move is made once, by comparing with the state before it.

    intended -> requested -> placed -> ended
    intended -> given_up    nobody asked the carrier: the contact may be dialled anew
    requested -> ended      the carrier said no, or what it says first is that the call is over
    requested -> given_up   the carrier knows of no call
    given_up -> placed      it knew of one after all, and says so late
    """

    INTENDED = "intended"
    """Written down; the carrier knows nothing of it."""
    REQUESTED = "requested"
    """The request may be on its way: only the carrier knows whether somebody's phone rings."""
    PLACED = "placed"
    """The carrier has a call for it."""
    ENDED = "ended"
    GIVEN_UP = "given_up"


OPEN: Final = (AttemptState.INTENDED, AttemptState.REQUESTED, AttemptState.PLACED)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Contact:
    """A contact as a worker has claimed it; personal, so kept out of `repr`. `attempts`: those that
    are over; the one that is under way, or comes next, has the ordinal after it."""

    contact_id: int
    campaign_id: str
    number: str
    numbers: tuple[str, ...]
    zones: tuple[str, ...]
    variables: Mapping[str, str]
    consent: Mapping[str, Any] | None
    due_at_ms: int
    step: int
    attempts: int

    @property
    def ordinal(self) -> int:
        return self.attempts + 1


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Attempt:
    attempt_id: str
    contact_id: int
    ordinal: int
    number: str
    from_number: str
    state: AttemptState
    intended_at_ms: int
    requested_at_ms: int | None = None
    call_id: str | None = None
    answered_at_ms: int | None = None
    answered_by: str | None = None
    outcome: Outcome | None = None
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Campaign:
    campaign_id: str
    plan: Plan
    running: bool


@dataclass(frozen=True, slots=True)
class Text:
    """A text message that follows a dial, to the number that was dialled. `text`: as in the plan;
    `step`: its place there."""

    text: str = field(repr=False)
    due_at_ms: int
    step: int


@dataclass(frozen=True, slots=True)
class Next:
    """What is next for a contact whose attempt is over. `number`: the one to dial then."""

    state: Onward
    due_at_ms: int
    number: str
    step: int
    never_again: bool = False
    """Their number goes on the do-not-call list of all campaigns."""
    texts: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OpenText:
    """A text message that is due. Personal."""

    text_id: int
    contact_id: int
    number: str
    from_number: str
    text: str
    tries: int


@dataclass(frozen=True, slots=True)
class Permit:
    """A call may be placed now, from this number."""

    from_number: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before then. `why`: static words."""

    until_ms: int
    why: str = ""


class Pace(Protocol):
    """How fast a campaign dials, and from which numbers."""

    async def permit(self, campaign: Campaign, contact: Contact, now_ms: int) -> Permit | Wait:
        """For one call of this contact."""
        ...

    async def placed(self, campaign: Campaign, contact: Contact, call_id: str) -> None:
        """The carrier has the call."""
        ...

    async def over(self, campaign: Campaign, contact: Contact) -> None:
        """The call is over, or was never placed. Told at least once, by any process."""
        ...


SendText: TypeAlias = "Callable[[Campaign, Contact, OpenText], Awaitable[TextFate]]"
"""Sends it once."""
Judge: TypeAlias = Callable[[Campaign, Contact, int], Awaitable[Answer]]
"""May this contact be dialled now? (campaign, contact, now_ms)"""
Follow: TypeAlias = Callable[[Campaign, Contact, Attempt, int], Awaitable[Next | None]]
"""What is next after an attempt that came to an outcome: (campaign, contact, attempt, now_ms).
None: that is not known yet, and is asked again soon. It may be asked more than once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """All in ms."""

    lease_ms: int = 30_000
    """A worker that has not renewed for so long is dead, and others take over."""
    send_within_ms: int = 5_000
    """A request leaves so soon after it was written down, or never."""
    request_limit_ms: int = 10_000
    """How long the carrier may take to answer a request."""
    settling_ms: int = 15_000
    """After that: how long the carrier may take to know of a call."""
    news_ms: int = 120_000
    """... where the carrier forgets calls that are over: how long news of one may still come."""
    skew_ms: int = 30_000
    """How far the carrier's clock may be behind ours."""
    ask_every_ms: int = 2_000
    """How often the carrier is asked for a call whose fate nobody knows."""
    quiet_ringing_ms: int = 60_000
    """A call that was not answered, and of which nothing was heard for so long, is asked for."""
    quiet_talking_ms: int = 300_000
    again_ms: int = 30_000
    """When a contact is due again whose attempt was given up."""
    found_within_ms: int = 90_000
    """So long after its end a conversation's after-call work is waited for, by plans that ask what
    it found."""
    follow_every_ms: int = 5_000
    """How often it is asked what follows a dial, while that is not known."""
    look_ms: int = 500
    """How often a worker looks at what it holds, and for what is due."""

    @property
    def in_doubt_ms(self) -> int:
        """From the moment a request was written down until the carrier must know of its call."""
        return self.send_within_ms + self.request_limit_ms + self.settling_ms
