"""Every count arrives, however many wait together and whichever worker counted."""

import asyncio

from app.live.counters import Counters
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Store, store_at, until


async def test_counts_of_all_workers_are_added_up(store: Store) -> None:
    one, two = (Counters(store.asker, store.outbox) for _ in range(2))
    for n in range(1, 11):
        one.incr("calls", n)
        await asyncio.sleep(0.01)
    two.incr("calls")
    two.incr("rollovers", 2)
    await store.settle()
    assert await one.totals() == {"calls": 56, "rollovers": 2}


async def test_what_is_counted_while_redis_is_away_is_written_in_one_go(
    redis_process: RedisProcess,
) -> None:
    async with store_at(redis_process) as store:
        counters = Counters(store.asker, store.outbox)
        redis_process.kill()
        for _ in range(3):
            counters.incr("calls")
        await until(lambda: store.outbox.away_since_s is not None)
        counters.incr("calls")
        assert await counters.totals() == {}
        assert store.outbox.waiting == 1
        redis_process.start()
        await store.settle()
    async with store_at(redis_process) as store:
        assert await Counters(store.asker, store.outbox).totals() == {"calls": 4}
