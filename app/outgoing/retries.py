"""When a delivery that failed is tried again. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

DEFAULT_S: Final = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 21_600, 36_000)
"""Waits after the first, second, ... attempt, in seconds: eleven attempts in about a day."""
JITTER: Final = 0.2
"""A wait is longer by up to this part of it, so that a receiver that comes back is not stormed."""
MOST_RETRY_AFTER_S: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Schedule:
    waits_s: tuple[float, ...] = DEFAULT_S

    def wait_s(
        self, attempts: int, retry_after_s: float | None, chance: random.Random
    ) -> float | None:
        """How long to wait after so many attempts; None: it is given up.

        A receiver that says how long (`retry_after_s`) is not asked sooner.
        """
        if attempts > len(self.waits_s):
            return None
        wait_s = self.waits_s[attempts - 1] * (1 + JITTER * chance.random())
        return max(wait_s, retry_after_s or 0.0)


def read_schedule(text: str) -> Schedule:
    """Seconds with commas between them; "": the default. Raises `ValueError`."""
    if not text.strip():
        return Schedule()
    waits = tuple(float(part) for part in text.split(","))
    if not all(0 < wait <= 7 * 24 * 3600 for wait in waits):
        raise ValueError("a wait is above 0 and at most a week")
    return Schedule(waits)


def read_retry_after(value: str, now_s: float) -> float | None:
    """Seconds from now, of whole seconds or an HTTP date (RFC 9110, 10.2.3); None: neither."""
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return min(float(value), MOST_RETRY_AFTER_S)
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max(at.timestamp() - now_s, 0.0), MOST_RETRY_AFTER_S)


def total_s(waits_s: Sequence[float]) -> float:
    """How long a delivery is tried at least."""
    return sum(waits_s)
