"""The connection between carrier and bot: late, now and then very late, always in order."""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Generic, TypeVar

from app.lab.phone.agenda import Clock
from app.lab.phone.impairments import Impairments, JitterBursts, Way

T = TypeVar("T")


class Delays:
    """When each message of one direction arrives; never before the message ahead of it."""

    def __init__(self, impairments: Impairments, way: Way, origin_s: float, salt: str) -> None:
        self._delay_s = impairments.delay_ms / 1000
        self._jitter_s = impairments.jitter_ms / 1000
        self._stalls = tuple(s for s in impairments.stalls if s.way in (way, "both"))
        self._origin_s = origin_s
        self._chance = Random(f"{impairments.seed}/{salt}/{way}")
        self._bursts = None
        if impairments.jitter_bursts is not None:
            chance = Random(f"{impairments.seed}/{salt}/{way}/bursts")
            self._bursts = _LateSpells(impairments.jitter_bursts, origin_s, chance)
        self._last_s = float("-inf")

    @property
    def none(self) -> bool:
        """True when every message arrives at once."""
        return not (self._delay_s or self._jitter_s or self._stalls or self._bursts)

    def due_s(self, sent_s: float) -> float:
        """Arrival of a message sent at `sent_s`; call it in the order of sending."""
        due_s = sent_s + self._delay_s
        if self._jitter_s:
            due_s += self._chance.uniform(0.0, self._jitter_s)
        if self._bursts is not None:
            due_s += self._bursts.late_s(sent_s)
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


class _LateSpells:
    """Where on the clock the jitter bursts lie, drawn one after the other as time goes on."""

    def __init__(self, bursts: JitterBursts, origin_s: float, chance: Random) -> None:
        self._length_s = bursts.length_ms / 1000
        self._peak_s = bursts.peak_ms / 1000
        self._mean_s = bursts.mean_every_ms / 1000
        self._chance = chance
        self._begin_s = origin_s + self._quiet_s()

    def late_s(self, sent_s: float) -> float:
        """How much later than usual a message of this instant arrives; instants may not go back."""
        while sent_s >= self._begin_s + self._length_s:
            self._begin_s += self._length_s + self._quiet_s()
        into = (sent_s - self._begin_s) / self._length_s
        return self._peak_s * (1 - into) if into >= 0 else 0.0

    def _quiet_s(self) -> float:
        return self._chance.expovariate(1 / self._mean_s)
