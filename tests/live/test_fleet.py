"""Workers know of each other and of the seats that are free; the last free seat is given once."""

import asyncio

import pytest

from app.live.asking import RedisAwayError
from app.live.fleet import Fleet, WorkerState
from app.live.names import SEAT_TTL_S, WORKER_TTL_S
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Clock, Store, store_at, until


def _state(calls: int, max_calls: int = 10, *, ready: bool = True) -> WorkerState:
    return WorkerState(calls, max_calls, ready, lag_ms=3)


async def test_each_worker_knows_how_all_of_them_are(store: Store) -> None:
    one, two = Fleet(store.asker, "w1", Clock()), Fleet(store.asker, "w2", Clock())
    assert one.room() is None
    await two.beat(_state(9))
    await one.beat(_state(4))
    assert await one.workers() == [
        WorkerState(4, 10, True, 3, "w1"),
        WorkerState(9, 10, True, 3, "w2"),
    ]
    assert one.room() == 7
    await two.gone()
    await one.beat(_state(4))
    assert one.room() == 6


async def test_a_worker_that_is_not_ready_or_overfull_has_no_seats(store: Store) -> None:
    one, two = Fleet(store.asker, "w1", Clock()), Fleet(store.asker, "w2", Clock())
    await one.beat(_state(1, ready=False))
    await two.beat(_state(12))
    assert two.room() == 0
    assert await two.reserve("CA1") is False


async def test_a_worker_without_a_beat_is_forgotten(store: Store) -> None:
    one, two = Fleet(store.asker, "w1", Clock()), Fleet(store.asker, "w2", Clock())
    await two.beat(_state(0))
    assert 0 < await store.redis.ttl("{fleet}:worker:w2") <= WORKER_TTL_S
    await store.redis.delete("{fleet}:worker:w2")
    await one.beat(_state(0))
    assert [state.worker_id for state in await one.workers()] == ["w1"]
    assert await store.redis.zrange("{fleet}:workers", 0, -1) == [b"w1"]


async def test_of_all_that_want_the_last_seats_no_more_get_one_than_there_are(
    store: Store,
) -> None:
    clock = Clock()
    workers = [Fleet(store.asker, f"w{n}", clock) for n in range(4)]
    await workers[0].beat(_state(7))
    for worker in workers[1:]:
        await worker.beat(_state(10))
    await workers[0].workers()
    for worker in workers:
        assert worker.room() == 3
    given = [
        await worker.reserve(f"CA{n}{m}") for n, worker in enumerate(workers) for m in range(2)
    ]
    assert given == [True] * 3 + [False] * 5
    at_once = await asyncio.gather(*(worker.reserve("CA99") for worker in workers))
    assert set(at_once) == {False}
    assert await workers[1].reserve("CA00") is True


async def test_a_seat_is_kept_until_its_call_is_counted_or_its_time_is_over(store: Store) -> None:
    clock = Clock()
    one, two = Fleet(store.asker, "w1", clock), Fleet(store.asker, "w2", clock)
    await one.beat(_state(0))
    assert await one.reserve("CA1")
    assert await one.reserve("CA2")
    await two.beat(_state(10))
    assert two.room() == 8
    two.withdraw("CA1")
    await two.beat(_state(10))
    await one.beat(_state(1))
    assert one.room() == 8
    clock.now_s += SEAT_TTL_S + 1
    await one.beat(_state(1))
    assert one.room() == 9


async def test_with_redis_away_nothing_is_known_and_nothing_fails(
    redis_process: RedisProcess,
) -> None:
    clock = Clock()
    async with store_at(redis_process) as store:
        fleet = Fleet(store.asker, "w1", clock)
        await fleet.beat(_state(0))
        redis_process.kill()
        assert await fleet.reserve("CA1") is None
        with pytest.raises(RedisAwayError):
            await fleet.beat(_state(0))
        assert fleet.room() == 10
        clock.now_s += WORKER_TTL_S + 1
        assert fleet.room() is None
        await fleet.gone()
        redis_process.start()
        beating = asyncio.create_task(fleet.run(lambda: _state(2)))
        await until(lambda: fleet.room() == 8)
        beating.cancel()
        await asyncio.wait([beating])
