"""What can be attached to a leg: another leg's sound, a recorder, somebody who listens."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

Tap: TypeAlias = Callable[[bytes, bytes], None]
"""(the person's 20 ms with the tones of keys, what the person hears), each tick"""


class Seat(Protocol):
    """Where a leg meets other legs: a bridge, a conference. Called each tick, like a stream."""

    @property
    def sounding(self) -> bytes | None: ...

    def advance(self, at_s: float) -> bytes | None:
        """Begin the next 20 ms; returns those that the person has just finished hearing."""
        ...

    def caller_frame(self, frame: bytes) -> None:
        """The person's 20 ms."""
        ...

    def press(self, digit: str) -> None: ...


class Stream(Protocol):
    """The bot's end of a call's sound, whatever carries it. Called each tick, `advance` first."""

    @property
    def ticks(self) -> int:
        """Carried out so far."""
        ...

    @property
    def sounding(self) -> bytes | None: ...

    def advance(self, at_s: float) -> bytes | None:
        """Begin the next 20 ms; returns those that the person has just finished hearing."""
        ...

    def caller_frame(self, frame: bytes | None) -> None:
        """The person's 20 ms; None: their side carries nothing."""
        ...

    def press(self, digit: str) -> None: ...


class Listener(Protocol):
    """Follows what the person on a leg says."""

    def started(self, text: str) -> None: ...

    def stopped(self, text: str) -> None: ...
