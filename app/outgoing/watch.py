"""What is counted of webhooks, for whoever counts it."""

from typing import Literal, Protocol, TypeAlias

from app.outgoing.store import Backlog

Outcome: TypeAlias = Literal["taken", "refused", "failed"]
"""Of an attempt: a status that counts, another status, none."""
End: TypeAlias = Literal["delivered", "dead"]
"""Of a delivery, after its last attempt."""


class Watch(Protocol):
    """No method raises."""

    def attempted(self, outcome: Outcome) -> None: ...

    def ended(self, end: End) -> None: ...

    def backlog(self, backlog: Backlog, now_s: float) -> None:
        """What is on disk now, told every few seconds by the process that delivers."""
        ...


class Unwatched:
    """Nobody counts."""

    def attempted(self, outcome: Outcome) -> None:
        return

    def ended(self, end: End) -> None:
        return

    def backlog(self, backlog: Backlog, now_s: float) -> None:
        return
