"""No window of a second, wherever it begins, holds more calls than the limit, although calls may
take a place early and be late on their way; and who asks a little late loses no pace."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.campaigns.spacing import (
    LATE_US,
    SECOND_US,
    WAY_US,
    free_at_us,
    interval_us,
    ramp,
    stamped_us,
)

NOW_US = 1_800_000_000 * SECOND_US
LIMITS = st.one_of(
    st.sampled_from([0.01, 0.5, 0.999, 1.0, 1.5, 2.0, 7.3, 30.0, 100.0, 1000.0]),
    st.floats(0.01, 200),
)


def most_in_a_window(times_us: list[int], window_us: int) -> int:
    """By counting from each call on: another way than the spacing's."""
    times_us = sorted(times_us)
    return max((sum(t <= u < t + window_us for u in times_us) for t in times_us), default=0)


@given(
    limit=LIMITS,
    asked=st.lists(
        st.tuples(st.floats(0, 2.5), st.floats(0.05, 1), st.integers(0, WAY_US)), max_size=60
    ),
    clock_back_us=st.integers(0, 3 * SECOND_US),
)
def test_no_second_holds_more_than_the_limit(
    limit: float, asked: list[tuple[float, float, int]], clock_back_us: int
) -> None:
    """`asked`: pauses in parts of the interval, shares of the pace, delays on the way."""
    now_us, stamp_us, dials = NOW_US, NOW_US - 10**12, []
    for pause, share, way_us in asked:
        now_us += round(pause * interval_us(limit))
        interval = interval_us(limit, share)
        if free_at_us(stamp_us, interval, now_us) <= now_us:
            stamp_us = stamped_us(stamp_us, interval, now_us)
            dials.append(now_us + way_us)
    if limit >= 1:
        assert most_in_a_window(dials, SECOND_US) <= math.floor(limit)
    else:
        assert most_in_a_window(dials, SECOND_US) <= 1
        assert most_in_a_window(dials, math.floor(SECOND_US / limit)) <= 1


@given(limit=LIMITS)
def test_the_worst_case_keeps_the_limit_too(limit: float) -> None:
    """One call is slow on its way, and those after it take their places as early as they may."""
    interval, now_us = interval_us(limit), NOW_US
    stamp_us = stamped_us(0, interval, now_us)
    dials = [now_us + WAY_US]
    for _ in range(math.floor(limit) + 2):
        now_us = free_at_us(stamp_us, interval, now_us)
        stamp_us = stamped_us(stamp_us, interval, now_us)
        dials.append(now_us)
    window_us = SECOND_US if limit >= 1 else math.floor(SECOND_US / limit)
    assert most_in_a_window(dials, window_us) <= max(1, math.floor(limit))


@given(limit=LIMITS, late=st.lists(st.floats(0, 0.9), min_size=2, max_size=50))
def test_who_asks_a_little_late_loses_no_pace(limit: float, late: list[float]) -> None:
    """`late`: in parts of the interval; who is later than that asks too seldom."""
    interval, now_us = interval_us(limit), NOW_US
    stamp_us = NOW_US - 10**12
    dials = []
    for part in late:
        now_us = max(now_us, free_at_us(stamp_us, interval, now_us))
        now_us += min(LATE_US, round(part * interval))
        stamp_us = stamped_us(stamp_us, interval, now_us)
        dials.append(now_us)
    assert dials[-1] - dials[0] <= interval * (len(dials) - 1) + 2 * LATE_US


@pytest.mark.parametrize("limit", [1.0, 2.0, 10.0, 100.0])
def test_the_pace_is_within_a_twentieth_of_the_limit(limit: float) -> None:
    assert limit * 0.95 <= SECOND_US / interval_us(limit) < limit


def test_a_clock_that_was_set_back_costs_one_interval_and_no_more() -> None:
    interval = interval_us(1)
    assert free_at_us(NOW_US + 3600 * SECOND_US, interval, NOW_US) <= NOW_US + interval


def test_a_higher_pace_holds_at_once() -> None:
    stamp_us = stamped_us(0, interval_us(1, 0.01), NOW_US)
    assert free_at_us(stamp_us, interval_us(1), NOW_US) <= NOW_US + interval_us(1)


@pytest.mark.parametrize(("pace", "share"), [(0, 1), (-1, 1), (math.nan, 1), (1, 0), (1, 1.1)])
def test_what_is_no_pace_is_refused(pace: float, share: float) -> None:
    with pytest.raises(ValueError, match="expected a pace above 0 and a share in"):
        interval_us(pace, share)


@pytest.mark.parametrize(
    ("minutes_since", "part"), [(-5, 0.1), (0, 0.1), (5, 0.55), (10, 1.0), (99, 1.0)]
)
def test_the_ramp_rises_from_a_tenth_to_all(minutes_since: int, part: float) -> None:
    assert ramp(NOW_US, 10, NOW_US + minutes_since * 60_000) == pytest.approx(part)


def test_without_a_ramp_the_pace_is_whole_at_once() -> None:
    assert ramp(NOW_US, 0, NOW_US) == 1.0
