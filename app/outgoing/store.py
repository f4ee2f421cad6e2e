"""What the outbox on disk can do, and what stands in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from app.outgoing.endpoints import Endpoint
from app.outgoing.messages import Message

State: TypeAlias = Literal["waiting", "delivered", "dead"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one endpoint."""

    number: int
    """In the order in which they were accepted."""
    message_id: str
    type: str
    call_id: str
    agent: str
    url: str
    secret_name: str
    state: State
    attempts: int
    created_s: float
    due_s: float
    """When the next attempt is due; the last one's time once it is delivered or dead."""
    status: int | None = None
    """HTTP status of the last attempt, if there was one."""
    reason: str = ""
    """Why the last attempt failed; no word of what was sent or answered."""
    body: bytes = field(default=b"", repr=False)
    """Forgotten once it is delivered."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Deliveries that did not arrive."""

    waiting: int = 0
    dead: int = 0
    oldest_s: float | None = None
    """When the oldest that waits was accepted, Unix seconds; None: none waits."""


class Store(Protocol):
    """Every method may block on the disk and raises `OutboxError` when that fails."""

    def accept(self, message: Message, endpoints: Sequence[Endpoint]) -> bool:
        """Keep it for these endpoints; on disk when this returns. False: it was kept before."""
        ...

    def due(self, now_s: float, busy: Sequence[int], most_each: int) -> list[Delivery]:
        """What is to be sent now, the oldest first, at most so many for each endpoint; `busy` are
        under way and count. What comes after an earlier one of its call waits for that one."""
        ...

    def next_due_s(self) -> float | None: ...

    def delivered(self, number: int, status: int, now_s: float) -> None: ...

    def postpone(self, number: int, due_s: float, status: int | None, reason: str) -> None:
        """An attempt failed; the next one is at `due_s`."""
        ...

    def bury(self, number: int, now_s: float, status: int | None, reason: str) -> None:
        """The last attempt failed: a dead letter, kept with its body."""
        ...

    def disable(self, url: str, now_s: float, reason: str) -> None:
        """Nothing is sent there any more: what waits is dead, and so is what comes."""
        ...

    def listed(self, states: Sequence[State], most: int) -> list[Delivery]:
        """The newest first, without bodies."""
        ...

    def shown(self, message_id: str) -> list[Delivery]: ...

    def counts(self) -> dict[State, int]: ...

    def backlog(self) -> Backlog: ...

    def disabled(self) -> dict[str, str]:
        """Endpoints that nothing is sent to, and why."""
        ...

    def revive(self, message_ids: Sequence[str], now_s: float) -> int:
        """Send dead letters again, now and by the whole schedule, and to their endpoints even if
        these were disabled. None named: all of them. Returns how many deliveries."""
        ...

    def forget(self, delivered_before_s: float, dead_before_s: float) -> int: ...

    def close(self) -> None: ...


class OutboxError(Exception):
    """Our disk or its file is at fault: nothing was kept. Holds no word of a message."""
