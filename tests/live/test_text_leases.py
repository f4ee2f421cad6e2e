"""At most one worker writes in a conversation, and one that died lets go."""

import asyncio

from app.live import names
from app.live.text_leases import TextLeases
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Store, store_at


async def test_of_many_who_ask_at_once_one_has_it(store: Store) -> None:
    workers = [TextLeases(store.asker) for _ in range(8)]
    given = await asyncio.gather(*(worker.ask("c") for worker in workers))
    assert given.count(True) == 1
    owner = workers[given.index(True)]
    assert not await owner.ask("c"), "not twice in one process either"
    assert [await worker.holds("c") for worker in workers] == given
    await owner.release("c")
    assert await workers[given.index(False)].ask("c")
    assert not await owner.holds("c")


async def test_it_is_kept_alive_while_its_worker_lives_and_no_longer(store: Store) -> None:
    one, two = TextLeases(store.asker, ttl_s=0.6), TextLeases(store.asker, ttl_s=0.6)
    assert await one.ask("c")
    keeper = asyncio.create_task(one.keep("c"))
    for _ in range(6):
        await asyncio.sleep(0.2)
        assert not await two.ask("c")
    keeper.cancel()
    await asyncio.wait([keeper])
    async with asyncio.timeout(60):
        while not await two.ask("c"):  # noqa: ASYNC110 - it is Redis that lets go
            await asyncio.sleep(0.02)
    assert not await one.holds("c"), "it learns that it has lost it"
    await one.release("c")
    assert await two.holds("c"), "and takes nothing away"


async def test_its_key_goes_by_itself(store: Store) -> None:
    await TextLeases(store.asker).ask("c")
    assert 0 < await store.redis.pttl(names.text_lease("c")) <= names.TEXT_LEASE_TTL_S * 1000


async def test_with_redis_away_each_worker_goes_on(redis_process: RedisProcess) -> None:
    async with store_at(redis_process) as store:
        one = TextLeases(store.asker)
        assert await one.ask("c")
        redis_process.kill()
        assert await one.holds("c")
        await one.release("c")
        assert await one.ask("d")
        redis_process.start()


async def test_without_redis_a_process_has_what_it_asks_for_once() -> None:
    alone = TextLeases(None)
    assert await alone.ask("c")
    assert not await alone.ask("c")
    assert await alone.holds("c")
    await alone.release("c")
    assert not await alone.holds("c")
