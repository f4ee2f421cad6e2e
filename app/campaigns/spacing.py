"""How far apart calls are, so that no second sees more of them than its limit. Pure; µs.

Each limit has one stamp: the place of its newest call in a row of places that are `interval_us`
apart. A call may take the next place up to `LATE_US` before it comes, so that who asks a little
late loses no pace. Two calls are therefore as far apart as their places, but for `LATE_US`; on its
way to the carrier one may be `WAY_US` slower than another. The interval is so long that even then
no second, wherever it begins, holds more calls than the limit.
"""

import math
from typing import Final

SECOND_US: Final = 1_000_000
LATE_US: Final = 20_000
WAY_US: Final = 30_000
LEAST_RAMP: Final = 0.1
"""What the pace begins with, as a part of the full one."""


def interval_us(per_second: float, share: float = 1.0) -> int:
    """Between two places. A limit above 1 is rounded down to whole calls in any second; one below
    is a call in any 1 / `per_second` s. `share` of the pace, above 0 and up to 1, lengthens it.

    Raises `ValueError`.
    """
    if not (per_second > 0 and 0 < share <= 1):
        raise ValueError(
            f"expected a pace above 0 and a share in (0, 1], got {per_second}, {share}"
        )
    calls = max(1, math.floor(per_second))
    window_us = SECOND_US if per_second >= 1 else SECOND_US / per_second
    return math.ceil((window_us + LATE_US + WAY_US) / calls / share)


def free_at_us(stamp_us: int, interval: int, now_us: int) -> int:
    """From when on the next call may go out."""
    return _sane(stamp_us, now_us) + interval - LATE_US


def stamped_us(stamp_us: int, interval: int, now_us: int) -> int:
    """The stamp once a call goes out at `now_us`, which is not before `free_at_us`."""
    return max(_sane(stamp_us, now_us) + interval, now_us)


def ramp(since_ms: int, minutes: float, now_ms: int) -> float:
    """The part of the full pace, `now_ms` being so long after the campaign was set going: from a
    tenth to all of it."""
    if minutes <= 0:
        return 1.0
    part = max(0.0, min(1.0, (now_ms - since_ms) / (minutes * 60_000)))
    return LEAST_RAMP + (1 - LEAST_RAMP) * part


def _sane(stamp_us: int, now_us: int) -> int:
    """No stamp lies further ahead, unless the clock was set back: then it counts as just now."""
    return min(stamp_us, now_us + LATE_US)
