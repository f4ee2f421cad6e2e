"""Counts of all workers add up, end with their window, and are kept under nothing that tells whose
they are; with Redis away nobody is told a wrong total."""

import asyncio

import pytest

from app.live.limits import RedisLimits
from app.policy.limits import Counters
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Store, store_at

SECRET = b"a secret of the account"
KEY = "dial:caller:hour:+12015550177"


async def test_counts_of_all_workers_add_up(store: Store) -> None:
    workers: list[Counters] = [RedisLimits(store.asker, SECRET) for _ in range(3)]
    totals = await asyncio.gather(*(worker.add(KEY, 60, 2) for worker in workers))
    assert sorted(total or 0 for total in totals) == [2, 4, 6]
    assert await workers[0].add(KEY, 60, -2) == 4
    assert await workers[0].add("another", 60, 1) == 1


async def test_a_window_ends_when_it_was_begun_to(store: Store) -> None:
    limits = RedisLimits(store.asker, SECRET)
    await limits.add(KEY, 3600, 1)
    [name] = await store.redis.keys("limit:*")
    await store.redis.expire(name, 100)
    await limits.add(KEY, 3600, 1)
    assert 0 < await store.redis.ttl(name) <= 100


async def test_nothing_in_the_store_tells_whose_count_it_is(store: Store) -> None:
    await RedisLimits(store.asker, SECRET).add(KEY, 60, 1)
    await RedisLimits(store.asker, b"another secret of it").add(KEY, 60, 1)
    kept = [str(name) for name in await store.redis.keys("*")]
    assert len(kept) == 2
    assert all(len(name) == len("b'limit:'") + 64 for name in kept)
    assert not any("5550177" in name or "dial" in name for name in kept)


async def test_with_redis_away_there_is_no_total(redis_process: RedisProcess) -> None:
    async with store_at(redis_process) as store:
        limits = RedisLimits(store.asker, SECRET)
        assert await limits.add(KEY, 60, 1) == 1
        redis_process.kill()
        assert await limits.add(KEY, 60, 1) is None
        assert await limits.add("x", 60, 10**30) is None
        redis_process.start()
        assert await limits.add(KEY, 60, 1) == 2


async def test_what_redis_cannot_count_is_no_total(store: Store) -> None:
    assert await RedisLimits(store.asker, SECRET).add(KEY, 60, 10**30) is None


def test_a_secret_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes or more, got 5"):
        RedisLimits(None, b"12345")  # type: ignore[arg-type]
