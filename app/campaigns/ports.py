"""What a dialler asks of the carrier, whoever that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from app.call.events import OnAnswer

CallFate: TypeAlias = Literal[
    "queued", "initiated", "ringing", "in-progress", "completed", "busy", "no-answer", "failed",
    "canceled",
]  # fmt: skip
"""As Twilio writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One call that is to be placed. `attempt_id` travels with it and comes back in every callback
    and webhook of the call."""

    attempt_id: str
    to: str
    from_: str
    agent: str
    ring_s: int
    detect_machine: bool
    variables: Mapping[str, str]
    trunk: str = ""
    """By which it leaves; "": as all calls."""
    on_answer: OnAnswer | None = None
    """What the call does about a machine (`app.campaigns.on_answer`); None: as with a person."""


@dataclass(frozen=True, slots=True)
class Placed:
    call_id: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A call that the carrier knows. `attempt_id`: "" where it does not tell."""

    call_id: str
    fate: CallFate
    created_at_ms: int
    attempt_id: str = ""


class LiveCalls(tuple[Seen, ...]):
    """The calls of a carrier that knows only those that live: one that is not among them may never
    have been, or may be over."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """News of a call of ours, from a status callback or by asking. `sequence`: the carrier's order
    of them, which may come late, twice and out of order; -1: beside that order, as the verdict on
    who answered is, of which only `answered_by` is news."""

    attempt_id: str
    call_id: str
    fate: CallFate
    sequence: int
    at_ms: int
    duration_s: int | None = None
    answered_by: str = ""
    sip_code: int | None = None


class NotPlacedError(Exception):
    """The carrier said no: nobody's phone rang. `why`: static words. `number_is_wrong`: it will
    never be placed; `again_after_ms`: ask again then (429)."""

    def __init__(
        self, why: str, *, number_is_wrong: bool = False, again_after_ms: int | None = None
    ) -> None:
        super().__init__(why)
        self.why, self.number_is_wrong = why, number_is_wrong
        self.again_after_ms = again_after_ms


class FateUnknownError(Exception):
    """Nobody knows whether the call was placed: it must be asked for before anything else."""


class Carrier(Protocol):
    async def place(self, order: Order) -> Placed:
        """Once. Raises `NotPlacedError` or `FateUnknownError`."""
        ...

    async def calls(self, to: str, from_: str, since_ms: int) -> Sequence[Seen]:
        """Those that it knows between these numbers, however they ended; `LiveCalls` where it
        forgets those that did. Raises `FateUnknownError` while it cannot be asked."""
        ...

    async def call(self, call_id: str) -> Seen | None:
        """None: it knows no such call. Raises `FateUnknownError`."""
        ...

    async def end(self, call_id: str) -> None:
        """Hang up, or stop its ringing. One that is over is no error."""
        ...
