"""What tests of the store begin with: a real Redis, a store on it or on the process's memory."""

from collections.abc import AsyncIterator, Iterator

import pytest
from fakeredis import FakeAsyncRedis

from tests.live.redis_fixture import RedisProcess, running_redis
from tests.live.store import Store, store_at, store_on


@pytest.fixture
def redis_process() -> Iterator[RedisProcess]:
    with running_redis() as process:
        yield process


@pytest.fixture(params=["real", "here"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """Twice: on a real Redis, and on the memory that stands in for one."""
    if request.param == "here":
        redis = FakeAsyncRedis()
        async with store_on(redis) as here:
            yield here
        await redis.aclose()
        return
    with running_redis() as process:
        async with store_at(process) as real:
            yield real
