"""Whoever took a call last has it, the one before learns that, and nobody loses a call because
Redis is away or has lost its data."""

import asyncio
import itertools

import pytest

from app.live import leases as module
from app.live.asking import RedisAwayError
from app.live.leases import Lease, Leases
from app.live.names import LEASE_TTL_S
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Store, store_at, until


async def test_taking_a_call_over_raises_its_number_and_the_older_owner_has_lost(
    store: Store,
) -> None:
    one, two = Leases(store.asker, "w1"), Leases(store.asker, "w2")
    assert await one.take("CA1") == Lease("CA1", None, 1)
    assert not await one.lost("CA1", 1)
    assert await two.take("CA1") == Lease("CA1", "w1", 2)
    assert await one.lost("CA1", 1)
    assert not await two.lost("CA1", 2)
    assert await one.keep([("CA1", 1), ("CA2", 1)]) == [("CA1", 1)]
    assert await two.keep([("CA1", 2)]) == []


async def test_a_second_stream_on_the_same_worker_has_it_alone(store: Store) -> None:
    leases = Leases(store.asker, "w1")
    await leases.take("CA1")
    assert await leases.take("CA1") == Lease("CA1", "w1", 2)
    assert await leases.keep([("CA1", 1), ("CA1", 2)]) == [("CA1", 1)]
    assert (await leases.lost("CA1", 1), await leases.lost("CA1", 2)) == (True, False)


async def test_of_many_takers_at_once_exactly_one_has_the_call(store: Store) -> None:
    takers = [Leases(store.asker, f"w{n}") for n in range(8)]
    taken = await asyncio.gather(*(taker.take("CA1") for taker in takers))
    assert sorted(lease.number for lease in taken) == list(range(1, 9))
    lost = [
        await taker.lost("CA1", lease.number) for taker, lease in zip(takers, taken, strict=True)
    ]
    assert lost.count(False) == 1


async def test_keeping_a_lease_keeps_the_owner_s_name_alive(store: Store) -> None:
    leases = Leases(store.asker, "w1")
    lease = await leases.take("CA1")
    await store.redis.expire("{call:CA1}:owner", 1)
    assert await leases.keep([("CA1", lease.number)]) == []
    assert await store.redis.ttl("{call:CA1}:owner") > LEASE_TTL_S - 3
    await store.redis.delete("{call:CA1}:owner")
    await leases.keep([("CA1", lease.number)])
    assert await store.redis.get("{call:CA1}:owner") == b"w1"


async def test_released_it_has_no_owner_unless_another_has_taken_it(store: Store) -> None:
    one, two = Leases(store.asker, "w1"), Leases(store.asker, "w2")
    first = await one.take("CA1")
    await one.release("CA1", first.number)
    second = await two.take("CA1")
    assert second.previous_owner is None
    await one.release("CA1", first.number)
    assert await store.redis.get("{call:CA1}:owner") == b"w2"


async def test_a_redis_that_lost_its_data_takes_no_call_from_anybody(store: Store) -> None:
    one, two = Leases(store.asker, "w1"), Leases(store.asker, "w2")
    for _ in range(3):
        lease = await one.take("CA1")
    await store.redis.flushall()
    assert await one.keep([("CA1", lease.number)]) == []
    assert await store.redis.get("{call:CA1}:fence") == b"3"
    await store.redis.flushall()
    again = await two.take("CA1")
    assert again.number == 1
    assert await one.lost("CA1", lease.number)
    assert not await two.lost("CA1", again.number)


async def test_with_redis_away_nobody_loses_and_a_call_taken_meanwhile_is_ours_afterwards(
    redis_process: RedisProcess,
) -> None:
    async with store_at(redis_process) as store:
        one, two = Leases(store.asker, "w1"), Leases(store.asker, "w2")
        first = await one.take("CA1")
        redis_process.kill()
        await asyncio.sleep(0)
        second = await two.take("CA1")
        assert second == Lease("CA1", None, 0)
        assert not await one.lost("CA1", first.number)
        assert not await two.lost("CA1", 0)
        with pytest.raises(RedisAwayError):
            await two.keep([("CA1", 0)])
        redis_process.start()
    async with store_at(redis_process) as store:
        one, two = Leases(store.asker, "w1"), Leases(store.asker, "w2")
        assert await one.keep([("CA1", first.number)]) == []
        assert await two.keep([("CA1", 0)]) == []
        assert await one.keep([("CA1", first.number)]) == [("CA1", first.number)]
        assert await two.keep([("CA1", 0)]) == []
        await two.release("CA1", 0)
        assert await store.redis.get("{call:CA1}:owner") is None


async def test_the_owner_is_told_once_of_each_call_that_went(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RENEW_S", 0.01)
    one, two = Leases(store.asker, "w1"), Leases(store.asker, "w2")
    held = [("CA1", (await one.take("CA1")).number), ("CA2", (await one.take("CA2")).number)]
    passes, lost = itertools.count(), list[str]()

    def get_calls() -> list[tuple[str, int]]:
        next(passes)
        return held

    held.append(("CA1", (await one.take("CA1")).number))  # A second stream, on the same worker.
    await two.take("CA2")
    task = asyncio.create_task(one.run(get_calls, lost.append))
    await until(lambda: bool(lost))
    seen = next(passes)
    await until(lambda: next(passes) > seen + 10)
    task.cancel()
    await asyncio.wait([task])
    assert lost == ["CA2"]
