"""Everybody on a ring has one turn in each period, spread over its milliseconds; a tick that comes
late makes up for every turn that it missed, in order."""

import asyncio
import time
from collections import Counter
from itertools import pairwise

from bench.load_wheel import Ring, Wheel


def test_places_are_spread_over_the_period() -> None:
    ring = Ring(20)
    turns = [lambda _now_s: None for _ in range(50)]
    for turn in turns:
        ring.join(turn)
    sizes = Counter(len(ring.due(ms)) for ms in range(20))
    assert sizes == {2: 10, 3: 10}
    ring.leave(turns[0])
    assert sum(len(ring.due(ms)) for ms in range(20)) == 49


async def test_turns_missed_while_the_loop_was_held_up_are_made_up_in_order() -> None:
    ring = Ring(10)
    seen: list[str] = []
    ring.join(lambda _now_s: seen.append("first"))
    ring.join(lambda _now_s: seen.append("second"))
    wheel = Wheel(ring)
    wheel.start()
    await asyncio.sleep(0.03)
    time.sleep(0.1)  # noqa: ASYNC251
    await asyncio.sleep(0.03)
    wheel.stop()
    periods = sum(wheel.late_ms.values()) / ring.period_ms
    assert all(before != after for before, after in pairwise(seen))
    assert abs(len(seen) / 2 - periods) < 1
    assert max(wheel.late_ms) >= 90


async def test_a_stopped_wheel_turns_no_more() -> None:
    ring, seen = Ring(1), list[float]()
    ring.join(seen.append)
    wheel = Wheel(ring)
    wheel.start()
    await asyncio.sleep(0.02)
    wheel.stop()
    count = len(seen)
    await asyncio.sleep(0.02)
    assert count > 0
    assert len(seen) == count
