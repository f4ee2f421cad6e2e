"""Whoever watches is told what calls do, on any worker, and again after Redis was away."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from app.live.channel import Channel, Notice
from app.live.waiting import Op
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Clock, Store, store_at, until


@asynccontextmanager
async def listening(channel: Channel) -> AsyncGenerator[AsyncIterator[Notice], None]:
    """Who publishes before anybody listens is not heard, so greet until it is heard."""
    async with aclosing(channel.subscribe()) as notices:
        first = asyncio.ensure_future(anext(notices))
        async with asyncio.timeout(60):
            while not first.done():
                channel.publish("hello")
                await asyncio.sleep(0.06)
        yield (notice async for notice in notices if notice.kind != "hello")


async def test_what_is_told_is_heard_in_order(store: Store) -> None:
    clock = Clock()
    teller, listener = (Channel(store.asker, store.outbox, clock) for _ in range(2))
    async with listening(listener) as notices:
        teller.publish("call_began", {"call": "CA1", "calls": 3})
        teller.publish("call_ended", {"call": "CA1", "reason": "caller_hung_up"})
        assert await anext(notices) == Notice(
            "call_began", clock.now_s, {"call": "CA1", "calls": 3}
        )
        assert (await anext(notices)).kind == "call_ended"


async def test_who_watches_hears_again_after_redis_was_away(redis_process: RedisProcess) -> None:
    async with store_at(redis_process) as store:
        channel = Channel(store.asker, store.outbox)
        async with listening(channel) as notices:
            redis_process.kill()
            channel.publish("lost")
            await until(lambda: store.outbox.away_since_s is not None)
            channel.publish("lost")
            assert store.outbox.waiting == 0
            store.outbox.put("kept", Op((("SET", "kept", 1),)))
            redis_process.start()
            await store.settle()
            heard = asyncio.ensure_future(anext(notices))
            async with asyncio.timeout(60):
                while not heard.done():
                    channel.publish("again")
                    await asyncio.sleep(0.06)
            assert heard.result().kind == "again"
