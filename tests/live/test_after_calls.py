"""A call's record is one worker's to write, over all workers and for as long as one of them lives;
what it needs outlives the worker that carried the call."""

import asyncio

from app.live import names
from app.live.after_calls import AfterLedger, Claim, Due, Left
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Clock, Store, store_at, until


def ledger(store: Store, clock: Clock | None = None) -> AfterLedger:
    return AfterLedger(store.asker, store.outbox, clock or Clock())


async def test_of_many_workers_one_writes_it_and_none_again(store: Store) -> None:
    workers = [ledger(store) for _ in range(5)]
    claims = await asyncio.gather(*(each.claim("CA1") for each in workers * 2))
    assert [claim.ours for claim in claims].count(True) == 1
    workers[0].done("CA1")
    await store.settle()
    assert not (await ledger(store).claim("CA1")).ours
    assert await ledger(store).claim("CA2") == Claim(True, 1)


async def test_what_was_left_is_found_by_another_worker_and_gone_when_done(store: Store) -> None:
    one, two = ledger(store), ledger(store)
    assert await two.left("CA1") == Left()
    one.note("CA1", b"about")
    one.keep("CA1", b"said")
    one.mark_over("CA1", b"over")
    await store.settle()
    assert await two.left("CA1") == Left(b"about", b"said", b"over", None)
    two.done("CA1")
    await store.settle()
    assert await one.left("CA1") == Left()


async def test_a_call_is_due_when_it_is_quiet_and_nobody_writes_its_record(store: Store) -> None:
    clock = Clock()
    one, two = ledger(store, clock), ledger(store, clock)
    for call in ("CA1", "CA2", "CA3"):
        one.note(call, call.encode())
    await store.settle()
    assert await two.due(60.0) == []
    clock.now_s += 61
    await store.redis.set(names.owner("CA2"), "w1")
    one.mark_over("CA3", b"over")
    await store.settle()
    began_s = clock.now_s - 61
    assert await two.due(60.0) == [
        Due("CA1", b"CA1", began_s, False, None),
        Due("CA2", b"CA2", began_s, True, None),
        Due("CA3", b"CA3", began_s, False, b"over"),
    ]
    await one.claim("CA1")
    one.done("CA3")
    await store.settle()
    assert [due.call_id for due in await two.due(60.0)] == ["CA2"]


async def test_when_the_writer_died_another_one_begins_and_knows_how_often(store: Store) -> None:
    clock = Clock()
    ledger(store, clock).note("CA1", b"about")
    await store.settle()
    clock.now_s += 100
    for tries in (1, 2, 3):
        assert await ledger(store).claim("CA1") == Claim(True, tries)
        assert await ledger(store, clock).due(60.0) == []
        await store.redis.delete(names.after_claim("CA1"))  # it expires
        assert len(await ledger(store, clock).due(60.0)) == 1


async def test_what_could_not_be_done_is_given_back(store: Store) -> None:
    one = ledger(store)
    assert (await one.claim("CA1")).ours
    assert not (await one.claim("CA1")).ours
    one.give_back("CA1")
    await store.settle()
    assert (await one.claim("CA1")).ours


async def test_after_a_day_a_call_is_forgotten(store: Store) -> None:
    clock = Clock()
    one = ledger(store, clock)
    one.note("CA1", b"about")
    await store.settle()
    clock.now_s += names.AFTER_TTL_S + 1
    assert await one.due(60.0) == []
    await store.settle()
    assert await store.redis.zcard(names.AFTER) == 0
    assert await store.redis.hlen(names.AFTER_ABOUT) == 0


async def test_claims_expire_sooner_than_a_day_and_later_than_any_record_takes(
    redis_process: RedisProcess,
) -> None:
    async with store_at(redis_process) as store:
        await ledger(store).claim("CA1")
        left_s = await store.redis.ttl(names.after_claim("CA1"))
        assert 150 < left_s <= names.AFTER_CLAIM_TTL_S


async def test_with_redis_away_each_process_writes_it_once(redis_process: RedisProcess) -> None:
    async with store_at(redis_process) as store:
        one = ledger(store)
        redis_process.freeze()
        assert (await one.claim("CA1")).ours
        assert not (await one.claim("CA1")).ours
        assert await one.left("CA1") == Left()
        assert await one.due(0.0) == []
        redis_process.kill()
        await until(lambda: store.outbox.waiting == 0 or store.outbox.away_since_s is not None)
