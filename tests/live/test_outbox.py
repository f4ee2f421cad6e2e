"""A write is never waited for and never lost while Redis is away, dies or refuses another one."""

import asyncio
import logging

import pytest
from redis.asyncio import Redis
from redis.crc import key_slot

from app.live.outbox import Outbox
from app.live.waiting import Op
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Store, monitored, store_at, until


def _set(key: str, value: str | int) -> Op:
    return Op((("SET", key, value),))


async def _get(redis: Redis, *keys: str) -> list[bytes | str | None]:
    return await redis.mget(keys)


async def test_only_the_newest_of_a_key_is_written(store: Store) -> None:
    for n in range(100):
        store.outbox.put("state", _set("state", n))
    assert store.outbox.waiting == 1
    await store.settle()
    assert await _get(store.redis, "state") == [b"99"]
    assert store.outbox.writes == 1


async def test_writes_go_on_through_a_killed_and_restarted_redis(
    redis_process: RedisProcess,
) -> None:
    async with store_at(redis_process) as store:
        for n in range(600):
            if n == 150:
                redis_process.kill()
            if n == 400:
                redis_process.start()
            store.outbox.put(f"n:{n}", _set(f"n:{n}", n))
            store.outbox.put("newest", _set("newest", n))
            await asyncio.sleep(0.001)
        await store.settle()
        names = [f"n:{n}" for n in range(600)]
        assert await _get(store.redis, *names) == [str(n).encode() for n in range(600)]
        assert await _get(store.redis, "newest") == [b"599"]
        assert store.outbox.dropped == 0
        assert store.outbox.away_since_s is None


async def test_what_was_written_is_there_after_a_kill(redis_process: RedisProcess) -> None:
    async with store_at(redis_process) as store:
        store.outbox.put("summary", _set("summary", "agreed"))
        await store.settle()
    redis_process.kill()
    redis_process.start()
    async with store_at(redis_process) as store:
        assert await _get(store.redis, "summary") == [b"agreed"]


async def test_a_redis_that_hangs_holds_nobody_up_and_gets_everything(
    redis_process: RedisProcess,
) -> None:
    async with store_at(redis_process) as store:
        redis_process.freeze()
        store.outbox.put("a", _set("a", 1))
        await until(lambda: store.outbox.away_since_s is not None)
        store.outbox.put("b", _set("b", 2))
        assert store.outbox.waiting == 2
        redis_process.thaw()
        await store.settle()
        assert await _get(store.redis, "a", "b") == [b"1", b"2"]


async def test_with_too_many_waiting_the_oldest_go_and_are_counted(
    redis_process: RedisProcess,
) -> None:
    async with store_at(redis_process) as store:
        outbox = Outbox(store.redis, most=3)
        for n in range(5):
            outbox.put(f"n:{n}", _set(f"n:{n}", n))
        assert (outbox.waiting, outbox.dropped) == (3, 2)


async def test_a_refused_write_harms_no_other_and_does_not_show_what_it_held(
    redis_process: RedisProcess, caplog: pytest.LogCaptureFixture
) -> None:
    async with store_at(redis_process) as store:
        await store.redis.set("{x}:text", "no list")
        store.outbox.put("before", _set("{x}:before", 1))
        store.outbox.put("bad", Op((("RPUSH", "{x}:text", "what the caller said"),)))
        store.outbox.put("unknown", Op((("NOSUCHCOMMAND", "{x}:text", "what the caller said"),)))
        store.outbox.put("after", _set("{x}:after", 1))
        await store.settle()
        assert await _get(store.redis, "{x}:before", "{x}:after") == [b"1", b"1"]
        assert store.outbox.dropped == 2
        errors = [record.__dict__["fields"]["error"] for record in caplog.records]
        assert errors == ["WRONGTYPE", "ResponseError"]
        assert "caller said" not in caplog.text + str([r.__dict__ for r in caplog.records])


async def test_a_redis_that_is_full_is_tried_again(redis_process: RedisProcess) -> None:
    async with store_at(redis_process) as store:
        await store.redis.config_set("maxmemory", 1)
        for n in range(2):
            store.outbox.put(f"n:{n}", _set(f"{{x}}:{n}", n))
        await until(lambda: store.outbox.away_since_s is not None)
        assert store.outbox.waiting == 2
        await store.redis.config_set("maxmemory", 0)
        await store.settle()
        assert await _get(store.redis, "{x}:0", "{x}:1") == [b"0", b"1"]


async def test_the_end_writes_what_waits(redis_process: RedisProcess) -> None:
    async with store_at(redis_process) as store:
        outbox = Outbox(store.redis)
        running = asyncio.create_task(outbox.run())
        outbox.put("last", _set("last", "word"))
        await outbox.close(10)
        await running
        assert await _get(store.redis, "last") == [b"word"]


async def test_the_end_does_not_wait_for_a_redis_that_is_gone(
    redis_process: RedisProcess, caplog: pytest.LogCaptureFixture
) -> None:
    async with store_at(redis_process) as store:
        redis_process.kill()
        store.outbox.put("last", _set("last", "word"))
        await store.outbox.close(0.3)
        assert store.outbox.dropped == 1
        assert caplog.records[-1].levelno == logging.ERROR


async def test_one_transaction_never_spans_two_slots(redis_process: RedisProcess) -> None:
    """As MONITOR shows it, between each MULTI and its EXEC."""
    async with store_at(redis_process) as store, monitored(redis_process) as seen:
        for n in range(20):
            call = f"{{call:CA{n % 3}}}"
            store.outbox.put(f"a{n}", Op((("SET", f"{call}:{n}", n), ("DEL", f"{call}:gone"))))
        await store.settle()
        await until(lambda: sum(words[0] == "EXEC" for words in seen) == 3)
    slots: set[int] = set()
    for name, *arguments in seen:
        if name == "EXEC":
            assert len(slots) == 1
        elif name == "MULTI":
            slots = set()
        elif name in ("SET", "DEL"):
            slots.add(key_slot(arguments[0].encode()))
