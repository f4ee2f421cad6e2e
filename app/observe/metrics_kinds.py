"""What a metric is before it counts: its name, its words, its labels and the values of these.

Declared apart from the code that counts, so that the page of metrics is made from the same words.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Literal, TypeAlias

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

PREFIX = "earshot_"

Combine: TypeAlias = Literal["livesum", "livemax", "livemostrecent"]
"""How the gauges of several worker processes make one: those of the living ones only."""

# The time at which each series was made would be half of all that is scraped.
disable_created_metrics()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. `name` is what stands behind `earshot_`, as it is scraped."""

    name: str
    words: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Label -> the values it can have. Empty values: the operator's configuration bounds them."""
    together: tuple[tuple[str, ...], ...] = ()
    """The values that occur together, where not every combination does."""

    @property
    def full_name(self) -> str:
        return PREFIX + self.name

    def series(self) -> Iterator[tuple[str, ...]]:
        """Label values of the series that are there from the start, at 0: a rate over a series
        that springs up at its first event misses that event."""
        if self.together:
            yield from self.together
        elif self.labels and all(self.labels.values()):
            yield from product(*self.labels.values())


@dataclass(frozen=True, slots=True)
class CounterFamily(Family):
    def make(self, registry: CollectorRegistry) -> Counter:
        counter = Counter(self.full_name, self.words, tuple(self.labels), registry=registry)
        for values in self.series():
            counter.labels(*values)
        return counter


@dataclass(frozen=True, slots=True)
class GaugeFamily(Family):
    combine: Combine = "livesum"

    def make(self, registry: CollectorRegistry) -> Gauge:
        return Gauge(
            self.full_name,
            self.words,
            tuple(self.labels),
            registry=registry,
            multiprocess_mode=self.combine,
        )


@dataclass(frozen=True, slots=True)
class HistogramFamily(Family):
    buckets: tuple[float, ...] = ()
    """Upper bounds; one above all is added."""

    def make(self, registry: CollectorRegistry) -> Histogram:
        histogram = Histogram(
            self.full_name,
            self.words,
            tuple(self.labels),
            registry=registry,
            buckets=self.buckets,
        )
        for values in self.series():
            histogram.labels(*values)
        return histogram


def count(counter: Counter, family: CounterFamily, value: str) -> None:
    """One more, by the family's only label; nothing for a value that is not in its list."""
    (values,) = family.labels.values()
    if value in values:
        counter.labels(value).inc()
