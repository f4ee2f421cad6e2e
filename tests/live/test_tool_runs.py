"""A tool call of the model is run by one worker once, whoever asks and however often."""

import asyncio

import pytest

from app.call.events import Effect
from app.live import tool_runs as module
from app.live.tool_runs import Begun, ToolRuns
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Store, store_at, until


def _runs(store: Store) -> ToolRuns:
    return ToolRuns(store.asker, store.outbox)


async def test_the_first_runs_it_and_another_worker_finds_its_result(store: Store) -> None:
    one, two = _runs(store), _runs(store)
    assert await one.begin("CA1", "t1") == Begun("run")
    assert await two.begin("CA1", "t2") == Begun("run")
    await one.finish("CA1", "t1", '{"table": 7}', True)
    assert await _runs(store).begin("CA1", "t1") == Begun("finished", '{"table": 7}', True)
    assert await one.begin("CA1", "t1") == Begun("finished", '{"table": 7}', True)
    await two.finish("CA1", "t2", "no such table", False)
    assert await one.begin("CA1", "t2") == Begun("finished", "no such table", False)


async def test_what_was_begun_elsewhere_and_never_finished_is_not_run_again(store: Store) -> None:
    await _runs(store).begin("CA1", "t1")
    other = _runs(store)
    assert await other.begin("CA1", "t1") == Begun("unknown")


async def test_a_result_that_comes_later_is_found_by_who_asked_before(store: Store) -> None:
    one, two = _runs(store), _runs(store)
    await one.begin("CA1", "t1")
    assert await two.begin("CA1", "t1") == Begun("unknown")
    await one.finish("CA1", "t1", "done", True)
    assert await two.begin("CA1", "t1") == Begun("finished", "done", True)


async def test_of_many_that_ask_at_once_one_runs_it(store: Store) -> None:
    workers = [_runs(store) for _ in range(4)]
    begun = await asyncio.gather(*(each.begin("CA1", "t1") for each in workers * 3))
    assert sorted(each.kind for each in begun) == ["run"] + ["unknown"] * 11


async def test_with_redis_away_a_process_runs_it_once_and_tells_later(
    redis_process: RedisProcess,
) -> None:
    async with store_at(redis_process) as store:
        runs = _runs(store)
        redis_process.freeze()
        assert await runs.begin("CA1", "t1") == Begun("run")
        assert await runs.begin("CA1", "t1") == Begun("unknown")
        assert await runs.begin("CA1", "t2") == Begun("run")
        await runs.finish("CA1", "t1", "done", True)
        assert await runs.begin("CA1", "t1") == Begun("finished", "done", True)
        redis_process.kill()
        await until(lambda: store.outbox.away_since_s is not None)
        redis_process.start()
        await store.settle()
    async with store_at(redis_process) as store:
        assert await _runs(store).begin("CA1", "t1") == Begun("finished", "done", True)
        assert await _runs(store).begin("CA1", "t2") == Begun("unknown")


async def test_only_so_many_are_remembered(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 2)
    runs = _runs(store)
    for n in range(4):
        await runs.begin("CA1", f"t{n}")
    assert len(runs) == 2
    assert await runs.begin("CA1", "t0") == Begun("unknown")


async def test_the_effect_of_a_run_is_known_to_every_worker(store: Store) -> None:
    effect = Effect("topics", "billing")
    first, second = _runs(store), _runs(store)
    await first.begin("CA1", "t9")
    await first.finish("CA1", "t9", "loaded", True, effect)
    assert await first.begin("CA1", "t9") == Begun("finished", "loaded", True, effect)
    assert await second.begin("CA1", "t9") == Begun("finished", "loaded", True, effect)


async def test_what_a_run_proved_is_known_to_every_worker(store: Store) -> None:
    first, second = _runs(store), _runs(store)
    await first.begin("CA1", "t9")
    await first.finish("CA1", "t9", "right", True, proof="pin")
    known = Begun("finished", "right", True, proof="pin")
    assert await first.begin("CA1", "t9") == known
    assert await second.begin("CA1", "t9") == known
