"""A verdict on who answered reaches every worker that listens, and one that asks later."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from app.live.verdicts import Verdicts
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Store, store_at, until


async def first_news(
    teller: Verdicts, news: AsyncGenerator[tuple[str, str], None], call_id: str, by: str
) -> tuple[str, str]:
    """Told until it is heard: who tells before anybody listens is not."""
    heard = asyncio.ensure_future(anext(news))
    async with asyncio.timeout(60):
        while not heard.done():
            teller.tell(call_id, by)
            await asyncio.sleep(0.06)
    return heard.result()


async def test_it_is_told_to_who_listens_and_kept_for_who_asks(store: Store) -> None:
    teller, other = (Verdicts(store.asker, store.outbox) for _ in range(2))
    assert await other.known("CA1") == ""
    async with aclosing(other.news()) as news:
        told = await first_news(teller, news, "CA1", "machine_start")
        assert told == ("CA1", "machine_start")
    teller.tell("CA1", "machine_end_beep")
    await store.settle()
    assert await other.known("CA1") == "machine_end_beep"
    assert await other.known("CA2") == ""


async def test_with_redis_away_nothing_is_known_and_nobody_waits(
    redis_process: RedisProcess,
) -> None:
    async with store_at(redis_process) as store:
        verdicts = Verdicts(store.asker, store.outbox)
        async with aclosing(verdicts.news()) as news:
            await first_news(verdicts, news, "CA1", "human")
            redis_process.kill()
            verdicts.tell("CA2", "fax")
            await until(lambda: store.outbox.away_since_s is not None)
            assert await verdicts.known("CA1") == ""
            redis_process.start()
            await store.settle()
            assert await verdicts.known("CA2") == "fax"
            told = await first_news(verdicts, news, "CA3", "unknown")
            while told[0] != "CA3":
                told = await anext(news)
            assert told == ("CA3", "unknown")
