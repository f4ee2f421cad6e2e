"""What after-call work needs of its neighbours: the workers' ledger, the carrier, the webhooks."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

from app.after.extraction import Extracted
from app.agents.after_table import AfterCall
from app.outgoing.events import OutgoingEvent


class Claim(Protocol):
    @property
    def ours(self) -> bool: ...

    @property
    def tries(self) -> int: ...


class Left(Protocol):
    @property
    def about(self) -> bytes | None: ...

    @property
    def said(self) -> bytes | None: ...

    @property
    def over(self) -> bytes | None: ...

    @property
    def state(self) -> bytes | None: ...


class Due(Protocol):
    @property
    def call_id(self) -> str: ...

    @property
    def about(self) -> bytes: ...

    @property
    def news_s(self) -> float: ...

    @property
    def carried(self) -> bool: ...

    @property
    def over(self) -> bytes | None: ...


class Ledger(Protocol):
    """See `app.live.after_calls.AfterLedger`. No method raises when its store is away."""

    def note(self, call_id: str, about: bytes) -> None: ...

    def keep(self, call_id: str, said: bytes) -> None: ...

    def mark_over(self, call_id: str, how: bytes) -> None: ...

    async def claim(self, call_id: str) -> Claim: ...

    async def left(self, call_id: str) -> Left: ...

    def done(self, call_id: str) -> None: ...

    def give_back(self, call_id: str) -> None: ...

    async def due(self, quiet_s: float) -> Sequence[Due]: ...


class Tell(Protocol):
    """See `app.outgoing.outgoing.Outgoing.accept`."""

    def __call__(self, event: OutgoingEvent) -> Awaitable[bool]: ...


Watched: TypeAlias = Callable[[Extracted, float], None]
"""Told what was found out about a call, and how long that took, in seconds. Never raises."""
TableOf: TypeAlias = Callable[[str], AfterCall | None]
"""By an agent's name. Never raises."""
Wants: TypeAlias = Callable[[str], bool]
"""Whether anything is to be written or told about this agent's calls."""
CarrierSays: TypeAlias = Callable[[str], Awaitable[bool | None]]
"""Whether a call is over; None: the carrier does not say. Never raises."""
