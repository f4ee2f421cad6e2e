"""A question to Redis ends in time with an answer or `RedisAwayError`, a hung Redis costs one wait
and not one a question, and a task that is told to end while it asks does end."""

import asyncio
import contextlib
import traceback

import pytest

from app.live.asking import PAUSE_S, Asker, RedisAwayError, within
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Clock, Store, store_at


async def test_several_questions_are_answered_together(store: Store) -> None:
    asked = [("SET", "a", 1), ("INCR", "a"), ("GET", "a")]
    for atomic in (True, False):
        assert await store.asker.ask_all(asked, atomic=atomic) == [True, 2, b"2"]


async def test_after_one_wait_in_vain_the_next_questions_fail_at_once(
    redis_process: RedisProcess,
) -> None:
    async with store_at(redis_process) as store:
        clock = Clock()
        asker = Asker(store.redis, clock)
        redis_process.freeze()
        with pytest.raises(RedisAwayError, match=r"did not answer within 0\.05 s"):
            await asker.ask("GET", "a", limit_s=0.05)
        redis_process.thaw()
        with pytest.raises(RedisAwayError, match="a moment ago"):
            await asker.ask("GET", "a")
        clock.now_s += PAUSE_S
        assert await asker.ask("GET", "a") is None


async def test_what_was_to_be_written_is_not_in_the_error(redis_process: RedisProcess) -> None:
    async with store_at(redis_process) as store:
        await store.asker.ask("SET", "text", "no list")
        said = "what was " + "said"  # The source lines of a trace are no leak.
        with pytest.raises(RedisAwayError) as refused:
            await store.asker.ask_all([("RPUSH", "text", said), ("GET", "text")])
        assert "what was said" not in "".join(traceback.format_exception(refused.value))


async def test_a_cancellation_that_a_library_swallows_is_not_lost() -> None:
    asking = asyncio.Event()

    async def swallows() -> str:
        asking.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        return "an answer"

    task = asyncio.create_task(within(30, swallows()))
    await asking.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_who_is_ending_can_still_ask() -> None:
    """In a `finally` the task counts as cancelled already."""

    async def answer() -> str:
        await asyncio.sleep(0)
        return "an answer"

    async def last_words() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return await within(30, answer())
        return ""

    task = asyncio.create_task(last_words())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "an answer"
