"""Over a call whose telephone the model's side holds one worker watches at a time; another one
finds it within seconds when that worker has died or has left it, and never while it lives."""

import asyncio
import itertools

import pytest

from app.live import names
from app.live.asking import RedisAwayError
from app.live.served import PASS, ServedCalls
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Clock, Store, store_at, until

ABOUT = b'{"agent":"desk"}'


def workers(store: Store, clock: Clock, count: int = 2) -> list[ServedCalls]:
    return [ServedCalls(store.asker, store.outbox, f"w{n}", clock) for n in range(1, count + 1)]


async def test_a_call_whose_worker_lives_is_nobody_else_s(store: Store) -> None:
    clock = Clock()
    one, two = workers(store, clock)
    one.listed("rtc1", ABOUT)
    await store.settle()
    assert await two.lapsed() == []
    assert await two.claim("rtc1") is None
    clock.now_s += names.LEASE_TTL_S - 1
    assert await one.keep({"rtc1": ABOUT}) == []
    clock.now_s += names.LEASE_TTL_S - 1
    assert await two.lapsed() == []
    # A clock that is wrong makes nobody lose a call.
    clock.now_s += 1_000
    assert await two.lapsed() == ["rtc1"]
    assert await two.claim("rtc1") is None
    assert not await one.lost("rtc1")


async def test_of_many_that_ask_for_a_call_without_a_worker_one_gets_it(store: Store) -> None:
    clock = Clock()
    first, *others = workers(store, clock, 8)
    first.listed("rtc1", ABOUT)
    await store.settle()
    await store.redis.delete(names.served_by("rtc1"))  # it expires
    clock.now_s += names.LEASE_TTL_S + 1
    assert await others[0].lapsed() == ["rtc1"]
    claims = await asyncio.gather(*(other.claim("rtc1") for other in others))
    assert sorted(claims, key=str) == [*[None] * 6, ABOUT]
    await store.settle()
    assert await others[0].lapsed() == []
    # The one that hung, and was taken for dead, learns it.
    assert await first.lost("rtc1")
    assert await first.keep({"rtc1": ABOUT}) == ["rtc1"]
    assert (await store.redis.get(names.served_by("rtc1"))) != b"w1"


async def test_a_call_that_is_left_may_be_taken_at_once(store: Store) -> None:
    one, two = workers(store, Clock())
    one.listed("rtc1", ABOUT)
    await store.settle()
    assert await one.leave("rtc1")
    assert await two.lapsed() == ["rtc1"]
    assert await two.claim("rtc1") == ABOUT
    # Left a second time, by whom it is not any more, it stays where it is.
    assert await one.leave("rtc1")
    assert not await two.lost("rtc1")


async def test_a_call_that_is_over_leaves_nothing_behind(store: Store) -> None:
    one, two = workers(store, Clock())
    one.listed("rtc1", ABOUT)
    one.listed("rtc2", ABOUT)
    await store.settle()
    one.over("rtc1")
    await store.settle()
    assert await two.claim("rtc1") is None
    await store.settle()
    for key in (names.served("rtc1"), names.served_by("rtc1")):
        assert not await store.redis.exists(key)
    assert await store.redis.exists(names.served("rtc2"))
    assert await store.redis.zrange(names.SERVED, 0, -1) == [b"rtc2"]


async def test_what_is_known_of_a_call_does_not_outlive_the_longest_one(store: Store) -> None:
    clock = Clock()
    one, two = workers(store, clock)
    one.listed("rtc1", ABOUT)
    await store.settle()
    ttl_s = await store.redis.ttl(names.served("rtc1"))
    assert 60 * 60 < ttl_s <= names.SERVED_TTL_S
    clock.now_s += names.SERVED_TTL_S + names.LEASE_TTL_S + 1
    assert await two.lapsed() == []
    assert not await store.redis.exists(names.SERVED)


async def test_any_number_of_calls_is_kept(store: Store) -> None:
    one, two = workers(store, Clock())
    held = {f"rtc{n}": ABOUT for n in range(2 * PASS + 1)}
    for call_id in held:
        one.listed(call_id, ABOUT)
    await store.settle()
    for call_id in ("rtc3", f"rtc{PASS + 3}"):
        await store.redis.set(names.served_by(call_id), "w2")
    assert sorted(await one.keep(held)) == sorted(["rtc3", f"rtc{PASS + 3}"])
    assert not await two.lost("rtc3")


async def test_a_redis_that_lost_its_data_is_told_again(store: Store) -> None:
    clock = Clock()
    one, two = workers(store, clock)
    one.listed("rtc1", ABOUT)
    await store.settle()
    await store.redis.flushall()
    assert await one.keep({"rtc1": ABOUT}) == []
    await one.leave("rtc1")
    assert await two.lapsed() == ["rtc1"]
    assert await two.claim("rtc1") == ABOUT


async def test_with_redis_away_nobody_loses_or_takes_a_call(redis_process: RedisProcess) -> None:
    clock = Clock()
    async with store_at(redis_process) as store:
        one, two = workers(store, clock)
        one.listed("rtc1", ABOUT)
        await store.settle()
        redis_process.kill()
        assert not await one.lost("rtc1")
        assert not await one.leave("rtc1")
        for ask in (two.lapsed(), two.claim("rtc1"), one.keep({"rtc1": ABOUT})):
            with pytest.raises(RedisAwayError):
                await ask
        one.over("rtc1")
        redis_process.start()
        await until(lambda: store.outbox.waiting == 0)
        clock.now_s += 60
        for _ in itertools.count():
            try:
                assert await two.lapsed() == []
                break
            except RedisAwayError:
                await asyncio.sleep(0.05)
