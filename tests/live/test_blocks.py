"""Blocks and counts are common to all workers and hold no number; with Redis away each process
knows its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.live import Live, open_live
from app.live.blocks import Block
from tests.live.redis_fixture import RedisProcess, running_redis

NOW_S = 1_800_000_000.0


@pytest.fixture(scope="module")
def redis_process() -> Iterator[RedisProcess]:
    with running_redis() as redis:
        yield redis


@pytest_asyncio.fixture
async def workers(redis_process: RedisProcess, tmp_path: Path) -> AsyncIterator[tuple[Live, Live]]:
    async with (
        open_live(redis_process.url, tmp_path, "w1") as one,
        open_live(redis_process.url, tmp_path, "w2") as other,
    ):
        await one.connection.client.flushall()
        yield one, other


async def test_a_block_of_one_worker_holds_on_all_until_it_is_over(
    workers: tuple[Live, Live], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = workers
    block = Block("…01", NOW_S + 60, "abuse", "model")
    one.blocks.add("digest", block)
    await one.outbox.flushed(2)
    monkeypatch.setattr(other.blocks, "_now_s", lambda: NOW_S)
    assert await other.blocks.find("digest") == block
    assert await other.blocks.all() == {"digest": block}
    assert await other.blocks.find("another") is None
    monkeypatch.setattr(other.blocks, "_now_s", lambda: NOW_S + 61)
    assert await other.blocks.all() == {}
    assert await other.blocks.find("digest") is None
    await other.outbox.flushed(2)
    assert not await other.connection.client.hgetall("blocked"), "what is over goes"


async def test_a_block_without_an_end_stays_until_it_is_removed(workers: tuple[Live, Live]) -> None:
    one, other = workers
    one.blocks.add("digest", Block("…01", 0.0, "", "operator"))
    await one.outbox.flushed(2)
    assert await other.blocks.find("digest") is not None
    assert await other.blocks.remove("digest") is True
    assert await other.blocks.remove("digest") is False
    assert await one.blocks.find("digest") is None


async def test_calls_of_one_caller_are_counted_over_all_workers_within_the_window(
    workers: tuple[Live, Live], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = workers
    counts = []
    for second, worker in enumerate((one, other, one, other)):
        monkeypatch.setattr(worker.blocks, "_now_s", lambda s=second: NOW_S + 20 * s)
        counts.append(await worker.blocks.called("digest", f"CA{second}", 50))
    assert counts == [1, 2, 3, 3]
    assert await one.connection.client.ttl("velocity:digest") <= 50


async def test_whoever_carries_a_call_knows_whom_to_block(workers: tuple[Live, Live]) -> None:
    one, other = workers
    one.blocks.remember("CA1", "digest", "…01")
    await one.outbox.flushed(2)
    assert await other.blocks.caller("CA1") == ("digest", "…01")
    assert await other.blocks.caller("CA2") is None


async def test_consent_and_the_recordings_id_outlive_a_worker(workers: tuple[Live, Live]) -> None:
    one, other = workers
    assert await other.consents.known("CA1") is None
    assert await other.consents.recording("CA1") == ""
    one.consents.given("CA1", True)
    one.consents.given("CA2", False)
    one.consents.recorded("CA1", "RE1")
    await one.outbox.flushed(2)
    assert await other.consents.known("CA1") is True
    assert await other.consents.known("CA2") is False
    assert await other.consents.recording("CA1") == "RE1"


async def test_with_redis_away_a_process_knows_its_own(tmp_path: Path) -> None:
    async with open_live("redis://127.0.0.1:1", tmp_path, "w1") as live:
        live.blocks.add("digest", Block("…01", 0.0, "", "model"))
        assert await live.blocks.find("digest") is not None
        assert await live.blocks.find("another") is None
        assert [await live.blocks.called("digest", f"CA{n}", 60) for n in range(3)] == [1, 2, 3]
        assert await live.consents.known("CA1") is None
        live.blocks.remember("CA1", "digest", "…01")
        assert await live.blocks.caller("CA1") == ("digest", "…01")
