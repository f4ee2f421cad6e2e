"""Whoever watches is told what calls do, on any worker, and again after Redis was away."""

import asyncio
from collections.abc import AsyncIterator

from app.live.channel import Channel, Notice
from tests.live.store import Clock, Store


async def _subscribed(store: Store, channel: Channel) -> AsyncIterator[Notice]:
    """Who publishes before anybody listens is not heard."""
    notices = channel.subscribe()
    first = asyncio.ensure_future(anext(notices))
    async with asyncio.timeout(20):
        while not first.done():
            channel.publish("hello")
            await asyncio.sleep(0.06)
    async for notice in notices:
        if notice.kind != "hello":
            yield notice


async def test_what_is_told_is_heard_in_order(store: Store) -> None:
    clock = Clock()
    teller, listener = (Channel(store.asker, store.outbox, clock) for _ in range(2))
    notices = _subscribed(store, listener)
    heard = asyncio.ensure_future(anext(notices))
    await asyncio.sleep(0.3)
    teller.publish("call_began", {"call": "CA1", "calls": 3})
    teller.publish("call_ended", {"call": "CA1", "reason": "caller_hung_up"})
    assert await heard == Notice("call_began", clock.now_s, {"call": "CA1", "calls": 3})
    assert (await anext(notices)).kind == "call_ended"
    await notices.aclose()
