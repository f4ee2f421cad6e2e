"""Invariant: the idle timer counts from the end of the playback, and only the last one counts."""

import asyncio

from app.lab.realtime.idle import IdleTimer


class Clock:
    def __init__(self) -> None:
        self.axis_ms = 100
        self.fired: asyncio.Queue[int] = asyncio.Queue()
        self.timer = IdleTimer(lambda: self.axis_ms, self.fired.put_nowait)


async def test_it_reports_the_position_at_the_end_of_the_playback() -> None:
    clock = Clock()
    clock.timer.arm(playback_ms=50, idle_ms=50)
    clock.axis_ms = 180
    async with asyncio.timeout(60):
        assert await clock.fired.get() == 180


async def test_stopped_it_stays_silent_in_both_of_its_phases() -> None:
    clock = Clock()
    clock.timer.arm(playback_ms=20, idle_ms=20)
    clock.timer.stop()
    clock.timer.arm(playback_ms=0, idle_ms=20)
    await asyncio.sleep(0)
    clock.timer.stop()
    await asyncio.sleep(0.1)
    assert clock.fired.empty()


async def test_a_new_answer_starts_it_anew() -> None:
    clock = Clock()
    clock.timer.arm(playback_ms=0, idle_ms=30)
    clock.timer.arm(playback_ms=0, idle_ms=60)
    await asyncio.sleep(0.2)
    assert clock.fired.qsize() == 1
