"""No message is lost and none is taken twice, whichever worker looks and whether Redis is there or
not; the newer state counts."""

import pytest
from fakeredis import FakeAsyncRedis

from app.live import names
from app.live.texts import LiveTexts
from app.live.texts_here import MOST, Looked, TextsHere
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Clock, Store, store_at

TTL_S = 3600


def worker(store: Store, clock: Clock | None = None) -> LiveTexts:
    return LiveTexts(store.asker, store.outbox, TextsHere(TTL_S, clock or Clock()))


async def test_a_message_waits_for_a_turn_of_any_worker_and_is_taken_once(store: Store) -> None:
    one, two = worker(store), worker(store)
    await one.accept("c", "SM1", b"hello")
    await two.accept("c", "SM1", b"a copy")
    await two.accept("c", "SM2", b"more")
    assert await two.look("c") == Looked(0, None, {"SM1": b"hello", "SM2": b"more"})
    await two.save("c", 1, b"state", ["SM1"])
    assert await one.look("c") == Looked(1, b"state", {"SM2": b"more"})
    assert await one.look("another") == Looked()


async def test_what_is_kept_has_an_end(store: Store) -> None:
    one = worker(store)
    await one.accept("c", "SM1", b"hello")
    await one.save("c", 1, b"state")
    await one.put_call("p", b"call")
    await one.put_newest("p", "c")
    await store.settle()
    for key in (
        names.text_state("c"),
        names.text_inbox("c"),
        names.text_call("p"),
        names.text_newest("p"),
    ):
        assert 0 < await store.redis.ttl(key) <= TTL_S
    assert await worker(store).call_of("p") == b"call"
    assert await worker(store).newest_of("p") == "c"


async def test_conversations_that_wait_are_found_until_they_are_settled(store: Store) -> None:
    clock = Clock()
    one = worker(store, clock)
    await one.accept("c", "SM1", b"hello")
    clock.now_s += 9
    await one.accept("d", "SM2", b"hello")
    clock.now_s += 1
    assert await worker(store, clock).due(10) == ["c"]
    await one.settled("c")
    assert await worker(store, clock).due(0) == ["d"]


async def test_with_redis_away_the_process_goes_on_and_writes_later(
    redis_process: RedisProcess,
) -> None:
    async with store_at(redis_process) as store, store_at(redis_process) as other:
        one, two = worker(store), worker(other)
        await one.accept("c", "SM1", b"hello")
        await one.save("c", 1, b"one", ["SM1"])
        redis_process.kill()
        await one.accept("c", "SM2", b"more")
        assert await one.look("c") == Looked(1, b"one", {"SM2": b"more"})
        await one.save("c", 2, b"two", ["SM2"])
        await one.save("c", 3, b"three")
        assert (await one.look("c")).state == b"three"
        redis_process.start()
        await store.settle()
        assert await two.look("c") == Looked(3, b"three", {})


async def test_a_redis_that_lost_its_data_gets_the_newer_state_back(store: Store) -> None:
    one, two = worker(store), worker(store)
    await one.save("c", 4, b"four")
    await store.redis.flushall()
    assert (await one.look("c")).state == b"four"
    assert (await two.look("c")).state is None
    await one.save("c", 5, b"five")
    assert (await two.look("c")).state == b"five"


async def test_another_workers_newer_state_counts_more_than_the_own_memory(store: Store) -> None:
    one, two = worker(store), worker(store)
    await one.save("c", 1, b"mine")
    await two.save("c", 2, b"theirs")
    assert (await one.look("c")).state == b"theirs"


@pytest.mark.parametrize("value", [b"", b"x", b"x y", b"{}", b"\xff\xff"])
async def test_a_state_of_an_unknown_form_is_none(value: bytes) -> None:
    from app.live.asking import Asker
    from app.live.outbox import Outbox

    redis = FakeAsyncRedis()
    await redis.set(names.text_state("c"), value)
    one = LiveTexts(Asker(redis), Outbox(redis), TextsHere(TTL_S, Clock()))
    assert (await one.look("c")).state is None
    await redis.aclose()


async def test_the_memory_of_a_process_is_bounded_in_time_and_number() -> None:
    clock = Clock()
    here = TextsHere(TTL_S, clock)
    await here.accept("old", "SM1", b"x")
    clock.now_s += TTL_S + 1
    assert await here.look("old") == Looked()
    assert await here.call_of("p") is None
    for n in range(MOST + 5):
        await here.accept(f"c{n}", "SM1", b"x")
        await here.put_call(f"p{n}", b"x")
    assert len(await here.due(0)) == MOST
    assert await here.call_of("p0") is None
    assert await here.call_of(f"p{MOST}") == b"x"
