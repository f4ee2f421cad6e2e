"""What one worker learns of a model all of them know; after a model's rest one of them tries."""

from app.live.breakers import Breakers
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Clock, Store, store_at, until

MODEL = "gpt-realtime-2.1 api.openai.com"


def _breakers(store: Store, clock: Clock) -> Breakers:
    return Breakers(store.asker, store.outbox, now_s=clock)


async def _share(store: Store, *workers: Breakers) -> None:
    await store.settle()
    for worker in workers:
        await worker.refresh()
    await store.settle()


async def test_a_model_that_fails_for_one_worker_rests_for_all(store: Store) -> None:
    clock = Clock()
    one, two = _breakers(store, clock), _breakers(store, clock)
    for _ in range(3):
        assert one.healthy(MODEL)
        one.failed(MODEL)
    assert not one.healthy(MODEL)
    await _share(store, two)
    assert not two.healthy(MODEL)
    assert two.healthy("another model")


async def test_failures_of_several_workers_are_counted_together(store: Store) -> None:
    clock = Clock()
    workers = [_breakers(store, clock) for _ in range(3)]
    for worker in workers:
        worker.failed(MODEL)
    newcomer = _breakers(store, clock)
    await _share(store, newcomer, *workers)
    assert not any(worker.healthy(MODEL) for worker in [newcomer, *workers])


async def test_after_its_rest_one_call_of_one_worker_tries_it(store: Store) -> None:
    clock = Clock()
    one, two = _breakers(store, clock), _breakers(store, clock)
    for _ in range(3):
        one.failed(MODEL)
    await _share(store, one, two)
    clock.now_s += 15
    await _share(store, one, two)
    assert [two.healthy(MODEL), one.healthy(MODEL), one.healthy(MODEL)] == [False, True, False]
    one.succeeded(MODEL)
    assert one.healthy(MODEL)
    await _share(store, two)
    assert two.healthy(MODEL)


async def test_a_failed_try_is_told_to_all(store: Store) -> None:
    clock = Clock()
    one, two = _breakers(store, clock), _breakers(store, clock)
    for _ in range(3):
        one.failed(MODEL)
    await _share(store, one, two)
    clock.now_s += 15
    await _share(store, one, two)
    assert one.healthy(MODEL)
    one.failed(MODEL)
    clock.now_s += 14
    await store.redis.delete(f"{{breakers}}:probe:{MODEL}")
    await _share(store, one, two)
    assert not one.healthy(MODEL)
    assert not two.healthy(MODEL)


async def test_old_failures_are_not_kept(store: Store) -> None:
    clock = Clock()
    breakers = _breakers(store, clock)
    breakers.failed(MODEL)
    await store.settle()
    clock.now_s += 11
    await breakers.refresh()
    assert await store.redis.zcard("{breakers}:failures") == 0


async def test_with_redis_away_a_worker_trusts_what_it_sees_and_tells_later(
    redis_process: RedisProcess,
) -> None:
    clock = Clock()
    async with store_at(redis_process) as store:
        breakers = _breakers(store, clock)
        redis_process.kill()
        for _ in range(3):
            breakers.failed(MODEL)
        assert not breakers.healthy(MODEL)
        clock.now_s += 15
        await breakers.refresh()
        assert breakers.healthy(MODEL)
        breakers.failed(MODEL)
        await until(lambda: store.outbox.away_since_s is not None)
        redis_process.start()
        await store.settle()
    async with store_at(redis_process) as store:
        other = _breakers(store, clock)
        await other.refresh()
        assert not other.healthy(MODEL)
