"""Each call counts once: by a campaign's slot, or by its stream; seats are those of workers that
take calls."""

import pytest

from app.live.asking import RedisAwayError
from app.live.calls import LiveCalls
from app.live.capacity import FRESH_S, Capacity, Load
from app.live.fleet import Fleet, WorkerState
from app.live.pace import Books, Entry, NumberBook, RedisPace, Slot
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Clock, Store, store_at


def _capacity(store: Store, clock: Clock) -> tuple[Capacity, Fleet]:
    fleet = Fleet(store.asker, "w1", clock)
    return Capacity(store.asker, fleet, clock), fleet


def _decide(books: Books) -> Entry:
    book = NumberBook(books.now_us)
    return Entry(number="+1", book=book, account_us=books.now_us, campaign_us=books.now_us)


async def _bound(store: Store, call_id: str) -> None:
    pace = RedisPace(store.asker)
    await pace.take("c", ["+1"], _decide)
    slot = await pace.take("c", ["+1"], _decide)
    assert isinstance(slot, Slot)
    await pace.bind(slot.slot, call_id)


async def test_with_nobody_there_are_no_seats(store: Store) -> None:
    capacity, _ = _capacity(store, Clock())
    assert await capacity.load() == Load(others=0, seats=0)


async def test_seats_are_those_of_ready_workers(store: Store) -> None:
    clock = Clock()
    capacity, fleet = _capacity(store, clock)
    await fleet.beat(WorkerState(3, 50, True, 0))
    await Fleet(store.asker, "w2", clock).beat(WorkerState(0, 50, False, 0))
    assert (await capacity.load()).seats == 50


async def test_a_campaigns_call_is_not_counted_by_its_stream_too(store: Store) -> None:
    clock = Clock()
    capacity, fleet = _capacity(store, clock)
    calls = LiveCalls(store.asker, store.outbox, "w1", clock)
    for call_id in ("CA-in", "CA-out"):
        calls.save(call_id, b"state")
    await store.settle()
    await fleet.beat(WorkerState(2, 50, True, 0))
    await fleet.reserve("CA-coming")
    assert (await capacity.load()).others == 3
    await _bound(store, "CA-out")
    assert (await capacity.load()).others == 2
    await _bound(store, "CA-ringing")
    assert (await capacity.load()).others == 2


async def test_a_call_that_nobody_carries_any_more_stops_counting(store: Store) -> None:
    clock = Clock()
    capacity, _ = _capacity(store, clock)
    LiveCalls(store.asker, store.outbox, "w1", clock).save("CA1", b"state")
    await store.settle()
    assert (await capacity.load()).others == 1
    clock.now_s += FRESH_S + 1
    await _bound(store, "CA1")
    assert (await capacity.load()).others == 0


async def test_with_redis_away_nobody_knows(redis_process: RedisProcess) -> None:
    async with store_at(redis_process) as store:
        capacity, _ = _capacity(store, Clock())
        redis_process.kill()
        with pytest.raises(RedisAwayError):
            await capacity.load()
