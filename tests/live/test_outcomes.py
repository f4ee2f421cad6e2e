"""Of all who tell what came of something exactly one is the first, whichever workers they ask; with
Redis away each worker still has one first."""

import asyncio

import pytest

from app.live import outcomes as module
from app.live.outcomes import Outcomes
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Store, store_at


async def test_of_many_on_two_workers_one_is_the_first(store: Store) -> None:
    workers = [Outcomes(store.asker), Outcomes(store.asker)]
    told = [one.settle("CA1", "held", str(n)) for n in range(10) for one in workers]
    assert sum(await asyncio.gather(*told)) == 1
    assert await workers[0].settle("CA1", "met", "x")
    assert await workers[0].settle("CA2", "held", "x")


async def test_it_is_not_kept_for_ever(store: Store) -> None:
    await Outcomes(store.asker).settle("CA1", "held", "joined")
    [key] = await store.redis.keys("*")
    assert 0 < await store.redis.ttl(key) <= 3 * 3600


async def test_with_redis_away_each_worker_has_a_first_of_its_own(
    redis_process: RedisProcess,
) -> None:
    async with store_at(redis_process) as one, store_at(redis_process) as two:
        workers = [Outcomes(one.asker), Outcomes(two.asker)]
        redis_process.kill()
        told = [await worker.settle("CA1", "held", "x") for worker in workers for _ in range(2)]
    assert told == [True, False, True, False]


async def test_the_newest_are_kept_here(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_HERE", 1)
    outcomes = Outcomes(store.asker)
    for call in ("CA1", "CA2", "CA1"):
        await outcomes.settle(call, "held", "x")
    assert not await outcomes.settle("CA2", "held", "y"), "Redis still knows what is kept no more"
