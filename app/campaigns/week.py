"""A campaign's hours of the week, of a checked plan."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final, get_args

from app.campaigns.plan import Day, Windows
from app.campaigns.times import span_of
from app.policy.hours import Span

DAYS: Final[tuple[Day, ...]] = get_args(Day)
"""Monday first."""


def week_of(windows: Windows) -> Mapping[int, tuple[Span, ...]]:
    """The spans of each day of a checked plan, Monday as 0."""
    spans = tuple(sorted(span_of(text) for text in windows.hours))
    return {DAYS.index(day): spans for day in windows.days}


def overlapping(windows: Windows) -> Iterator[int]:
    """The places of spans that begin before an earlier one ends."""
    spans = sorted((span_of(text), at) for at, text in enumerate(windows.hours))
    for (before, _), (after, at) in pairwise(spans):
        if after.start < before.end:
            yield at


def open_minutes(windows: Windows) -> int:
    """Of a week."""
    spans = [span_of(text) for text in windows.hours]
    return len(set(windows.days)) * sum(span.end - span.start for span in spans)
