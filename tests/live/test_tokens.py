"""A stream token lets one stream in, on whichever workers it is shown; with Redis away it lets in
one a worker, and never a call less."""

import asyncio

from app.carriers.twilio.tokens import UsedTokens
from app.live.tokens import RedisTokens
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Store, store_at

NOW_S = 1_800_000_000.0
EXPIRES_S = 1_800_000_030


async def test_of_all_workers_that_are_shown_a_token_one_finds_it_fresh(store: Store) -> None:
    workers: list[UsedTokens] = [RedisTokens(store.asker) for _ in range(2)]
    burnt = await asyncio.gather(
        *(worker.burn("token", EXPIRES_S, NOW_S) for worker in workers * 5)
    )
    assert sorted(burnt) == ["fresh"] + ["used"] * 9


async def test_it_is_remembered_until_it_would_not_be_accepted_anyway(store: Store) -> None:
    await RedisTokens(store.asker).burn("token", EXPIRES_S, NOW_S)
    assert 30 <= await store.redis.ttl("token:token") <= 35


async def test_with_redis_away_each_worker_remembers_by_itself(redis_process: RedisProcess) -> None:
    async with store_at(redis_process) as store, store_at(redis_process) as other:
        tokens = RedisTokens(store.asker)
        assert await tokens.burn("before", EXPIRES_S, NOW_S) == "fresh"
        redis_process.freeze()
        assert await tokens.burn("before", EXPIRES_S, NOW_S) == "used"
        assert await tokens.burn("meanwhile", EXPIRES_S, NOW_S) == "fresh"
        assert await tokens.burn("meanwhile", EXPIRES_S, NOW_S) == "used"
        assert await RedisTokens(other.asker).burn("meanwhile", EXPIRES_S, NOW_S) == "fresh"
        at_once = await asyncio.gather(*(tokens.burn("new", EXPIRES_S, NOW_S) for _ in range(4)))
        assert sorted(at_once) == ["fresh", "used", "used", "used"]


async def test_with_redis_away_and_too_many_remembered_new_ones_are_refused(
    redis_process: RedisProcess,
) -> None:
    async with store_at(redis_process) as store:
        tokens = RedisTokens(store.asker, most=1)
        redis_process.freeze()
        assert await tokens.burn("a", EXPIRES_S, NOW_S) == "fresh"
        assert await tokens.burn("b", EXPIRES_S, NOW_S) == "full"
        assert await tokens.burn("b", EXPIRES_S + 60, EXPIRES_S + 1.0) == "fresh"
