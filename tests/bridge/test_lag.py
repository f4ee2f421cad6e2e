"""The gauge follows a lasting lag within seconds, forgets a passing one, and a single long hold-up
weighs as long as it lasted."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bridge.lag import PERIOD_S, SMOOTHING_S, LagGauge


def taken(*late_s: float) -> float:
    gauge = LagGauge()
    for late in late_s:
        gauge.take(late)
    return gauge.lag_ms


def test_a_lasting_lag_is_seen_after_a_few_seconds() -> None:
    looks = int(3 * SMOOTHING_S / (PERIOD_S + 0.3))
    assert taken(*[0.3] * looks) == pytest.approx(300, rel=0.1)


def test_what_has_passed_is_forgotten() -> None:
    quiet = [0.0] * int(3 * SMOOTHING_S / PERIOD_S)
    assert taken(*[0.3] * 100, *quiet) < 20


def test_a_short_stumble_is_no_lag_but_a_long_hold_up_is() -> None:
    assert taken(0.05) < 5
    assert taken(1.0) > 200


@given(st.lists(st.floats(-1, 10), max_size=50))
def test_it_never_tells_more_than_the_worst_nor_less_than_nothing(late_s: list[float]) -> None:
    assert 0 <= taken(*late_s) <= max([0.0, *late_s]) * 1000 + 1e-6


async def test_it_sees_a_loop_that_is_held_up_until_it_is_stopped() -> None:
    gauge, looks = LagGauge(), 0
    enough = asyncio.Event()

    def also() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            enough.set()

    gauge.start(0.0, also)
    await asyncio.sleep(0)
    time.sleep(0.3)  # noqa: ASYNC251 - this is the hold-up
    await asyncio.wait_for(enough.wait(), 60)
    gauge.stop()
    assert gauge.lag_ms > 10
    seen = gauge()
    await asyncio.sleep(0.05)
    assert gauge() == seen
