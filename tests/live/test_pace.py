"""The books of dialling: of two workers that decide at once one decides again, so what was decided
by the books stands in them; slots live as long as somebody renews them; without Redis nobody
decides."""

import asyncio
from collections.abc import Callable

import pytest

from app.live.asking import RedisAwayError
from app.live.names import DIALING_CALLS, SLOT_TTL_S
from app.live.pace import Books, Entry, Hold, NumberBook, RedisPace, Slot, slot_of
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Store, store_at

ONE = "+12125550101"
SECOND_US = 1_000_000


class Clock:
    """Unix µs, moved by hand."""

    def __init__(self) -> None:
        self.now_us = 1_800_000_000 * SECOND_US

    def __call__(self) -> int:
        return self.now_us


def _entry(books: Books) -> Entry:
    return Entry(
        number=ONE,
        book=NumberBook(books.now_us, books.now_us, 7, books.numbers[ONE].today + 1),
        account_us=books.account_us + 1,
        campaign_us=books.campaign_us + 1,
    )


async def _begun(pace: RedisPace) -> Books:
    assert isinstance(await pace.take("c", [ONE], _entry), Hold)
    books = await pace.books("c", [ONE])
    assert books is not None
    return books


async def _taken(pace: RedisPace, campaign: str = "c") -> Slot:
    slot = await pace.take(campaign, [ONE], _entry)
    assert isinstance(slot, Slot)
    return slot


async def test_the_first_question_only_begins_the_books(store: Store) -> None:
    clock = Clock()
    books = await _begun(RedisPace(store.asker, clock))
    now_us = clock.now_us
    assert (books.since_us, books.account_us, books.campaign_us) == (now_us, now_us, now_us)
    assert books.numbers == {ONE: NumberBook(now_us)}
    assert (books.calls, books.campaign_calls) == (0, 0)


async def test_what_is_decided_stands_in_the_books(store: Store) -> None:
    clock = Clock()
    pace = RedisPace(store.asker, clock)
    begun = await _begun(pace)
    clock.now_us += SECOND_US
    slot = await _taken(pace)
    assert slot.number == ONE
    books = await pace.books("c", [ONE])
    assert books is not None
    assert books.since_us == begun.since_us
    assert (books.account_us, books.campaign_us) == (begun.account_us + 1, begun.campaign_us + 1)
    assert books.numbers[ONE] == NumberBook(clock.now_us, clock.now_us, 7, 1)
    assert (books.calls, books.campaign_calls) == (1, 1)
    other = await pace.books("d", [])
    assert other is not None
    assert (other.calls, other.campaign_calls, other.numbers) == (1, 0, {})


async def test_a_hold_writes_nothing(store: Store) -> None:
    pace = RedisPace(store.asker, Clock())
    begun = await _begun(pace)
    assert await pace.take("c", [ONE], lambda _: Hold(5, "no")) == Hold(5, "no")
    assert await pace.books("c", [ONE]) == begun


async def _count_to(limit: int, pace: RedisPace) -> int:
    """Takes until the number has made `limit` calls; how many it took itself."""

    def decide(books: Books) -> Entry | Hold:
        return Hold(0, "full") if books.numbers[ONE].today >= limit else _entry(books)

    taken = 0
    while isinstance(answer := await pace.take("c", [ONE], decide), Slot) or answer.why != "full":
        taken += isinstance(answer, Slot)
    return taken


async def test_workers_that_decide_at_once_never_decide_by_old_books(
    redis_process: RedisProcess,
) -> None:
    async with (
        store_at(redis_process) as one,
        store_at(redis_process) as two,
        store_at(redis_process) as three,
    ):
        workers = [RedisPace(each.asker) for each in (one, two, three)]
        assert sum(await asyncio.gather(*(_count_to(60, each) for each in workers))) == 60
        books = await workers[0].books("c", [ONE])
        assert books is not None
        assert (books.numbers[ONE].today, books.calls) == (60, 60)
        assert books.account_us == books.since_us + 60


async def test_another_workers_change_makes_it_decide_again(store: Store) -> None:
    pace, other = RedisPace(store.asker), RedisPace(store.asker)
    await _begun(pace)
    seen: list[int] = []

    def decide(books: Books) -> Entry:
        seen.append(books.calls)
        return _entry(books)

    books_of = pace.books

    async def books(campaign_id: str, numbers: list[str]) -> Books | None:
        found = await books_of(campaign_id, numbers)
        if not seen:
            await other.take("c", [ONE], _entry)
        return found

    pace.books = books  # type: ignore[method-assign, assignment]
    await _taken_by(pace, decide)
    assert seen == [0, 1]


async def _taken_by(pace: RedisPace, decide: Callable[[Books], Entry | Hold]) -> None:
    assert isinstance(await pace.take("c", [ONE], decide), Slot)


async def test_a_slot_is_free_when_it_is_given_back_however_often(store: Store) -> None:
    pace = RedisPace(store.asker)
    await _begun(pace)
    slot, other = await _taken(pace), await _taken(pace, "d")
    await pace.bind(slot.slot, "CA1")
    for _ in range(2):
        await pace.free(slot.slot)
        books = await pace.books("c", [])
        assert books is not None
        assert (books.calls, books.campaign_calls) == (1, 0)
    assert await store.redis.hlen(DIALING_CALLS) == 0
    await pace.free(other.slot)


async def test_slots_of_the_dead_end_and_those_of_the_living_do_not(store: Store) -> None:
    clock = Clock()
    pace, dead = RedisPace(store.asker, clock), RedisPace(store.asker, clock)
    await _begun(pace)
    mine, theirs = await _taken(pace), await _taken(dead)
    await dead.bind(theirs.slot, "CA1")
    for _ in range(4):
        clock.now_us += SLOT_TTL_S * SECOND_US // 2
        await pace.keep([mine.slot])
    books = await pace.books("c", [])
    assert books is not None
    assert (books.calls, books.campaign_calls) == (1, 1)
    assert await store.redis.hlen(DIALING_CALLS) == 0
    clock.now_us += SLOT_TTL_S * SECOND_US
    books = await pace.books("c", [])
    assert books is not None
    assert (books.calls, books.campaign_calls) == (0, 0)


async def test_who_stood_still_keeps_its_slots_if_nobody_forgot_them(store: Store) -> None:
    clock = Clock()
    pace = RedisPace(store.asker, clock)
    await _begun(pace)
    mine = await _taken(pace)
    clock.now_us += 2 * SLOT_TTL_S * SECOND_US
    assert await pace.keep([mine.slot]) == {mine.slot}
    books = await pace.books("c", [])
    assert books is not None
    assert books.calls == 1


async def test_a_slot_that_another_process_gave_back_is_not_renewed(store: Store) -> None:
    pace, other = RedisPace(store.asker), RedisPace(store.asker)
    await _begun(pace)
    slot = await pace.take("c", [ONE], _entry, "contact-7")
    assert slot == Slot(slot_of("c", "contact-7"), ONE)
    await other.free(slot_of("c", "contact-7"))
    assert await pace.keep([slot.slot]) == set()
    books = await pace.books("c", [])
    assert books is not None
    assert (books.calls, books.campaign_calls) == (0, 0)


async def test_no_key_holds_a_number_and_all_share_a_slot(store: Store) -> None:
    pace = RedisPace(store.asker)
    await _begun(pace)
    await _taken(pace)
    keys = [str(key) for key in await store.redis.keys("*")]
    assert len(keys) == 5
    assert all(key.startswith("b'{dialing}:") and "555" not in key for key in keys)


async def test_with_redis_away_nothing_is_decided(redis_process: RedisProcess) -> None:
    async with store_at(redis_process) as store:
        pace = RedisPace(store.asker)
        await _begun(pace)
        slot = await _taken(pace)
        redis_process.kill()
        with pytest.raises(RedisAwayError):
            await pace.take("c", [ONE], _entry)
        with pytest.raises(RedisAwayError):
            await pace.free(slot.slot)
        redis_process.start()
        assert isinstance(await pace.take("c", [ONE], _entry), Slot)


async def test_redis_clock_is_the_one_that_counts(store: Store) -> None:
    seconds, micros = await store.redis.time()
    now_us = await RedisPace(store.asker).now_us()
    assert now_us >= seconds * SECOND_US + micros
