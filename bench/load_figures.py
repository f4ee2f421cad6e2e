"""What a run of the load found: a steady window's figures, and everything that went wrong."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True)
class Faults:
    """What must not be; all zero in a good run."""

    lost_bytes: int = 0
    """Of either voice: never arrived."""
    wrong_bytes: int = 0
    """Of either voice: repeated, invented, or silence in the middle of an answer."""
    dropped_calls: int = 0
    """Media or model sockets that the bridge closed before the caller hung up."""
    invalid_messages: int = 0
    """From the bridge, as Twilio would report them (error 31951)."""
    unknown_events: int = 0
    """From the bridge to the model, of a type that this load has no answer for."""

    def __bool__(self) -> bool:
        return any(getattr(self, f.name) for f in fields(self))

    def __add__(self, other: "Faults") -> "Faults":
        return Faults(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Window:
    """A steady stretch of load, as seen from outside the bridge."""

    calls: int
    seconds: float
    cpu_s: float
    """The bridge's, user and system, all threads."""
    rss_bytes: int
    """The bridge's, at the end of the window."""
    to_model_s: Sequence[float] = field(repr=False)
    """Latency of each caller frame, phone to model."""
    to_phone_s: Sequence[float] = field(repr=False)
    """Latency of each answer's first audio, model to phone."""
    underruns: int
    """How often a phone ran dry in mid-answer."""
    longest_gap_s: float
    padded_bytes: int
    """Silence that the bridge wrote into callers' voices because frames were late."""
    faults: Faults
    """Since the load began."""
    load_cpu_share: float
    """Of one core, by the load generator."""
    load_late_ms: int
    """How late the load generator's own turns came, 99.9th percentile."""

    @property
    def cpu_ms_per_call_s(self) -> float:
        return 1_000 * self.cpu_s / (self.seconds * self.calls)

    @property
    def cpu_share(self) -> float:
        """Of one core, by the bridge."""
        return self.cpu_s / self.seconds


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all does not exceed; 0 without values."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def percentile_of_counts(counts: Mapping[int, int], share: float) -> int:
    """The same for values that are given with how often they came."""
    wanted, seen = math.ceil(share * sum(counts.values())), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= wanted:
            return value
    return 0
