"""Invariant: a listener is told of each period of 20 ms once and in order, also after a stall, of
which only the newest part is made good; one that breaks costs the others nothing."""

import asyncio
import time

from app.sip_line.ticker import MOST_BEHIND, Ticker

STALL_S = 1.0


def broken(error: Exception) -> None:
    raise AssertionError(f"expected a listener that raises nothing, got {error!r}")


async def test_each_period_once_also_after_a_stall() -> None:
    ticker, numbers = Ticker(), list[int]()
    ticker.add(numbers.append, broken)
    running = asyncio.create_task(ticker.run())
    async with asyncio.timeout(60):
        while len(numbers) < 5:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        before = numbers[-1]
        time.sleep(STALL_S)  # noqa: ASYNC251 - the stall that is meant
        while numbers[-1] < before + STALL_S * 50:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.wait([running])
    assert numbers == sorted(set(numbers))
    after = [number for number in numbers if number > before]
    assert after == list(range(after[0], after[-1] + 1))
    assert after[0] >= before + STALL_S * 50 - MOST_BEHIND
    assert ticker.ticks == numbers[-1]


async def test_who_has_left_is_told_nothing() -> None:
    ticker, mine, others = Ticker(), list[int](), list[int]()

    def leave(number: int) -> None:
        mine.append(number)
        ticker.remove(leave)

    ticker.add(leave, broken)
    ticker.add(others.append, broken)
    running = asyncio.create_task(ticker.run())
    async with asyncio.timeout(60):
        while len(others) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.wait([running])
    assert len(mine) == 1


async def test_who_breaks_is_told_of_it_and_nobody_else_is() -> None:
    """One call's fault stopped the sound of all others."""
    ticker, others = Ticker(), list[int]()
    errors: list[Exception] = []

    def breaks(number: int) -> None:
        raise ValueError(number)

    ticker.add(breaks, errors.append)
    ticker.add(others.append, broken)
    running = asyncio.create_task(ticker.run())
    async with asyncio.timeout(60):
        while len(others) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.wait([running])
    assert [type(error) for error in errors] == [ValueError]
