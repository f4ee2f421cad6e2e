"""What a network does to a call: delay, jitter, stalls, gaps, loss. The same seed, the same fate.

Two places are impaired. The *path* between the carrier and the bot is one TCP connection: it
delays and stalls, and never reorders or loses. *Upstream*, between the caller and the carrier,
frames are lost and silence is suppressed: the carrier then sends no media message and the
`timestamp` of the next one has jumped.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Generic, Literal, TypeAlias, TypeVar

from app.lab.phone.agenda import Clock

Way: TypeAlias = Literal["to_bot", "to_phone"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Window:
    """A span on the stream's own clock."""

    at_ms: int
    length_ms: int

    def holds(self, carrier_ms: float) -> bool:
        return self.at_ms <= carrier_ms < self.at_ms + self.length_ms


@dataclass(frozen=True, slots=True)
class Stall(Window):
    """The path holds everything for this span and then lets it go at once."""

    way: Way | Literal["both"] = "both"


@dataclass(frozen=True, slots=True)
class Impairments:
    delay_ms: int = 0
    """One-way delay of the path between carrier and bot, each way. Default 0 ms."""
    jitter_ms: int = 0
    """Added to the delay of each message, uniform in 0..jitter_ms; the order is kept."""
    seed: int = 0
    """Of all chance in the call. Streams of one call draw different numbers from it."""
    stalls: tuple[Stall, ...] = ()
    gaps: tuple[Window, ...] = ()
    """Spans without media messages from the caller."""
    loss: float = 0.0
    """Share (0..1) of the caller's frames that never reach the carrier."""
    suppress_silence_after_ms: int | None = None
    """After this much digital silence from the caller the carrier sends no media. None: never."""
    first_timestamp_ms: int = 0
    """`timestamp` of a stream's first media message; real streams rarely begin at 0."""

    def __post_init__(self) -> None:
        if self.delay_ms < 0 or self.jitter_ms < 0:
            raise ValueError(
                "delay_ms and jitter_ms must be 0 or more, "
                f"got {self.delay_ms} and {self.jitter_ms}"
            )
        if not 0.0 <= self.loss <= 1.0:
            raise ValueError(f"loss is a share from 0 to 1, got {self.loss}")


class Delays:
    """When each message of one direction arrives; never before the message ahead of it."""

    def __init__(self, impairments: Impairments, way: Way, origin_s: float, salt: str) -> None:
        self._delay_s = impairments.delay_ms / 1000
        self._jitter_s = impairments.jitter_ms / 1000
        self._stalls = tuple(s for s in impairments.stalls if s.way in (way, "both"))
        self._origin_s = origin_s
        self._chance = Random(f"{impairments.seed}/{salt}/{way}")
        self._last_s = float("-inf")

    @property
    def none(self) -> bool:
        """True when every message arrives at once."""
        return not (self._delay_s or self._jitter_s or self._stalls)

    def due_s(self, sent_s: float) -> float:
        """Arrival of a message sent at `sent_s`; call it in the order of sending."""
        due_s = sent_s + self._delay_s
        if self._jitter_s:
            due_s += self._chance.uniform(0.0, self._jitter_s)
        for stall in self._stalls:
            if stall.holds((due_s - self._origin_s) * 1000):
                due_s = self._origin_s + (stall.at_ms + stall.length_ms) / 1000
        self._last_s = max(self._last_s, due_s)
        return self._last_s


class Path(Generic[T]):
    """One direction of an ordered connection with its delays."""

    def __init__(self, clock: Clock, delays: Delays, deliver: Callable[[T], None]) -> None:
        self._clock = clock
        self._delays = delays
        self._deliver = deliver
        self._direct = delays.none
        self._travelling: deque[tuple[float, T]] = deque()

    def send(self, message: T) -> None:
        if self._direct:
            self._deliver(message)
            return
        due_s = self._delays.due_s(self._clock.now_s())
        self._travelling.append((due_s, message))
        if len(self._travelling) == 1:
            self._clock.at(due_s, self._arrive)

    def _arrive(self) -> None:
        now_s = self._clock.now_s()
        first = True
        while self._travelling and (first or self._travelling[0][0] <= now_s):
            first = False  # the one that the clock called for, even if it called a little early
            self._deliver(self._travelling.popleft()[1])
        if self._travelling:
            self._clock.at(self._travelling[0][0], self._arrive)


class Upstream:
    """Decides for each of the caller's frames whether the carrier gets to send it."""

    def __init__(self, impairments: Impairments, salt: str) -> None:
        self._gaps = impairments.gaps
        self._loss = impairments.loss
        self._suppress_after_ms = impairments.suppress_silence_after_ms
        self._chance = Random(f"{impairments.seed}/{salt}/upstream")
        self._silent_ms = 0

    def passes(self, carrier_ms: int, frame: bytes) -> bool:
        """Whether a media message goes out for this frame of 20 ms."""
        lost = bool(self._loss) and self._chance.random() < self._loss
        if any(gap.holds(carrier_ms) for gap in self._gaps):
            return False
        return not lost and not self._suppressed(frame)

    def _suppressed(self, frame: bytes) -> bool:
        if self._suppress_after_ms is None:
            return False
        silent = frame.count(0xFF) + frame.count(0x7F) == len(frame)
        self._silent_ms = self._silent_ms + 20 if silent else 0
        return self._silent_ms > self._suppress_after_ms
