"""What makes a carrier hard to use: answers that never arrive, limits, callbacks out of order.

Chance comes from the seed and from what it is about (a number, a call), not from the order in which
things happen, so that two runs with one seed have the same troubles.
"""

from dataclasses import dataclass
from random import Random
from typing import Final, Literal, TypeAlias

from app.lab.phone.rest_manners import RestManners

Fate: TypeAlias = Literal[
    "fine",
    "lost",
    "reset_before",
    "reset_after",
    "fails_before",
    "fails_after",
    "rejects",
]
"""Of one request for a call. lost: placed, and no answer comes. reset: the connection breaks.
fails: HTTP 5xx. rejects: 429."""
FATES: Final[tuple[Fate, ...]] = (
    *("lost", "reset_before", "reset_after"),
    *("fails_before", "fails_after", "rejects"),
)
PLACES: Final[frozenset[Fate]] = frozenset({"fine", "lost", "reset_after", "fails_after"})
"""The call exists all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubles:
    """Shares are 0 to 1. Times of callbacks are the calls' own seconds."""

    seed: int = 0
    lost: float = 0.0
    """Share of requests for calls that are placed and never answered."""
    lost_s: float = 3600.0
    """How long, in real seconds, their connections stay open."""
    reset_before: float = 0.0
    """The connection breaks, and no call is placed."""
    reset_after: float = 0.0
    """... and the call is placed."""
    fails_before: float = 0.0
    """HTTP 500 to 504, and no call is placed."""
    fails_after: float = 0.0
    """... and the call is placed."""
    rejects: float = 0.0
    """HTTP 429 with code 20429."""
    requests_per_s: float = 0.0
    """More requests for calls within a real second get 429; 0: any number."""
    concurrent: int = 0
    """More requests at once get 429; 0: any number."""
    retry_after_s: int = 1
    """In the header of a 429; 0: it has none."""
    delay_ms: int = 0
    """Before every answer, in real time."""
    list_late_s: float = 0.0
    """Real seconds until a new call is in lists."""
    late: float = 0.0
    """Share of callbacks that come late, those after them too."""
    late_s: float = 30.0
    """By up to so much."""
    shuffled: float = 0.0
    """Share of callbacks that are overtaken by those after them."""
    twice: float = 0.0
    """Share of callbacks that come again."""
    never: float = 0.0
    """Share of callbacks that do not come at all."""

    def __post_init__(self) -> None:
        shares = [getattr(self, name) for name in (*FATES, "late", "shuffled", "twice", "never")]
        if any(not 0 <= share <= 1 for share in shares):
            raise ValueError("expected shares of troubles from 0 to 1")
        if sum(getattr(self, name) for name in FATES) > 1 + 1e-9:
            raise ValueError("expected what befalls requests for calls to be 1 together at most")

    @property
    def manners(self) -> RestManners:
        return RestManners(concurrent=self.concurrent or None, delay_ms=self.delay_ms)

    def fate(self, number: str, request: int) -> Fate:
        """Of the `request`th request to call `number`."""
        left = Random(f"{self.seed}:{number}:{request}:rest").random()
        for fate in FATES:
            left -= getattr(self, fate)
            if left < 0:
                return fate
        return "fine"

    def failure(self, number: str, request: int) -> int:
        """The HTTP status of a request that fails."""
        return Random(f"{self.seed}:{number}:{request}:5xx").choice((500, 502, 503, 504))

    def sendings(self, about: str) -> tuple["Sending", ...]:
        """How often and when a callback is sent. `about`: whose, and which."""
        dice = Random(f"{self.seed}:{about}")
        if dice.random() < self.never:
            return ()
        in_turn, after_s = True, 0.0
        if dice.random() < self.shuffled:
            in_turn, after_s = False, dice.uniform(0, self.late_s)
        elif dice.random() < self.late:
            after_s = dice.uniform(0, self.late_s)
        first = Sending(after_s, in_turn)
        if dice.random() >= self.twice:
            return (first,)
        again_s = after_s + dice.uniform(0, self.late_s)
        return (first, Sending(again_s, in_turn=False, marked=dice.random() < 0.5))


@dataclass(frozen=True, slots=True)
class Sending:
    """One copy of a callback."""

    after_s: float
    in_turn: bool
    """After those before it about the same call were answered."""
    marked: bool = False
    """With the idempotency token of the first copy."""


class Rate:
    """Requests for calls within the last second."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._left = per_s
        self._at_s = float("-inf")

    def takes(self, now_s: float) -> bool:
        """Whether one more is taken."""
        if not self._per_s:
            return True
        self._left = min(self._per_s, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True
