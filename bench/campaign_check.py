"""Whether a log of dials kept its limits and its hours: worked out anew from the times alone, by
NumPy and zoneinfo; it knows neither the pacing nor the policy."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]


def most_in_any_window(at_ms: Times, window_ms: int) -> int:
    """The most dials in any span of `window_ms`, its end excluded; `at_ms` in any order."""
    if not len(at_ms):
        return 0
    ordered = np.sort(at_ms)
    until = np.searchsorted(ordered, ordered + window_ms, side="left")
    return int((until - np.arange(len(ordered))).max())


def paces(at_ms: Times, which: Times, limits: Sequence[float]) -> Iterator[tuple[int, int, int]]:
    """For each of the limits (calls a second): the most dials with its index in `which` in any
    window, how many there may be, and the window in ms; one below 1 a second has a longer one."""
    for index, limit in enumerate(limits):
        window_ms = 1_000 if limit >= 1 else int(1_000 / limit)
        yield (
            most_in_any_window(at_ms[which == index], window_ms),
            max(1, int(limit)),
            window_ms,
        )


def outside_hours(
    dials: Iterator[tuple[int, tuple[str, ...]]],
    spans: Sequence[tuple[str, str]],
    weekdays: Sequence[int],
) -> int:
    """Dials (Unix ms, zones of the person) that some zone's clock did not allow. `spans`: such as
    ("09:00", "20:00"); Monday is 0."""
    wrong = 0
    for at_ms, zones in dials:
        for name in zones:
            # Whole quarters of an hour: every zone's clock, and every span, changes on one.
            if not _within(at_ms // 900_000, name, tuple(spans), tuple(weekdays)):
                wrong += 1
                break
    return wrong


@lru_cache(maxsize=200_000)
def _within(
    quarter: int, zone: str, spans: tuple[tuple[str, str], ...], weekdays: tuple[int, ...]
) -> bool:
    local = datetime.fromtimestamp(quarter * 900, ZoneInfo(zone))
    shown = f"{local:%H:%M}"
    return local.weekday() in weekdays and any(begin <= shown < end for begin, end in spans)
