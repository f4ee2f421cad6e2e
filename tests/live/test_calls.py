"""Where a call stands can be read on any worker, the newest state wins, and a call that has ended
is in progress no more."""

from app.live.calls import LiveCall, LiveCalls
from app.live.names import ENDED_TTL_S, STATE_TTL_S
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Clock, Store, store_at, until


def _calls(store: Store, worker_id: str = "w1", clock: Clock | None = None) -> LiveCalls:
    return LiveCalls(store.asker, store.outbox, worker_id, clock or Clock())


async def test_another_worker_reads_the_newest_state(store: Store) -> None:
    ours, other = _calls(store), _calls(store, "w2")
    assert await other.load("CA1") is None
    for state in (b"one", b"two"):
        ours.save("CA1", state)
    await store.settle()
    assert await other.load("CA1") == b"two"
    assert STATE_TTL_S - 5 < await store.redis.ttl("{call:CA1}:state") <= STATE_TTL_S


async def test_the_ending_is_known_and_the_state_stays_for_a_while(store: Store) -> None:
    ours, other = _calls(store), _calls(store, "w2")
    ours.save("CA1", b"state")
    ours.end("CA1", "handed_on", "a plan\nof two lines")
    await store.settle()
    assert await other.ending_of("CA1") == ("handed_on", "a plan\nof two lines")
    assert await other.load("CA1") == b"state"
    for key in ("{call:CA1}:state", "{call:CA1}:ending"):
        assert ENDED_TTL_S - 5 < await store.redis.ttl(key) <= ENDED_TTL_S
    assert await other.ending_of("CA2") is None


async def test_a_call_that_came_back_has_no_ending_any_more(store: Store) -> None:
    calls = _calls(store)
    calls.end("CA1", "carrier_lost")
    calls.save("CA1", b"state")
    await store.settle()
    assert await calls.ending_of("CA1") is None
    assert [call.call_id for call in await calls.in_progress()] == ["CA1"]


async def test_calls_in_progress_are_listed_by_their_last_write(store: Store) -> None:
    clock = Clock()
    one, two = _calls(store, "w1", clock), _calls(store, "w2", clock)
    began_s = clock.now_s
    for worker, call_id in ((one, "CA1"), (two, "CA2"), (one, "CA3")):
        worker.save(call_id, b"state")
        clock.now_s += 1
    one.save("CA1", b"state")
    one.end("CA3", "caller_hung_up")
    await store.settle()
    assert await two.in_progress() == [
        LiveCall("CA2", "w2", began_s + 1, began_s + 1),
        LiveCall("CA1", "w1", began_s, began_s + 3),
    ]


async def test_a_call_that_nobody_wrote_of_for_hours_is_forgotten(store: Store) -> None:
    clock = Clock()
    calls = _calls(store, clock=clock)
    calls.save("CA1", b"state")
    await store.settle()
    clock.now_s += STATE_TTL_S + 1
    calls.save("CA2", b"state")
    await store.settle()
    assert [call.call_id for call in await calls.in_progress()] == ["CA2"]
    await store.settle()
    assert await store.redis.zrange("{calls}:seen", 0, -1) == [b"CA2"]
    assert await store.redis.hkeys("{calls}:about") == [b"CA2"]


async def test_with_redis_away_nothing_is_known_and_what_was_saved_meanwhile_is_written(
    redis_process: RedisProcess,
) -> None:
    async with store_at(redis_process) as store:
        calls = _calls(store)
        calls.save("CA1", b"before")
        await store.settle()
        redis_process.freeze()
        assert await calls.load("CA1") is None
        assert await calls.ending_of("CA1") is None
        assert await calls.in_progress() == []
        redis_process.kill()
        calls.save("CA1", b"meanwhile")
        await until(lambda: store.outbox.away_since_s is not None)
        redis_process.start()
        await store.settle()
    async with store_at(redis_process) as store:
        assert await _calls(store).load("CA1") == b"meanwhile"
