"""A call changes its worker only where another one takes it; who takes it knows what was known, and
owes the caller no word about it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.bridge.keeper import packed
from app.bridge.switchboard import Switchboard
from app.call.events import Entry, Snapshot
from app.call.facts import CallFacts
from app.carriers.twilio.door import OfferedCall
from app.live import Live, names, open_live
from app.live.fleet import WorkerState
from app.openai_sip_orphans import Orphans, going_on
from tests.live.redis_fixture import RedisProcess, running_redis

FACTS = CallFacts(
    origin="sip",
    from_number="+15550100001",
    to_number="+14155550199",
    sip_call_id="a@b",
    sip_headers={"X-Order": 'A-17"}} é'},
)
CALL = OfferedCall(
    call_sid="rtc_1",
    agent="desk",
    direction="inbound",
    from_number=FACTS.from_number,
    to_number=FACTS.to_number,
    facts=FACTS,
)
SAID = (Entry("caller", "i1", "Hello."), Entry("tool", "i2", call_id="t1", name="note"))
LEFT = Snapshot("rtc_1", "inbound", entries=SAID, unanswered=True, broke_off=True, cost_usd=0.5)


class Adopted:
    """What a worker has been given to carry."""

    def __init__(self) -> None:
        self.calls: list[tuple[OfferedCall, float, Snapshot | None]] = []

    async def __call__(self, call: OfferedCall, began_s: float, left: Snapshot | None) -> None:
        self.calls.append((call, began_s, left))


@pytest.fixture
def redis_process() -> Iterator[RedisProcess]:
    with running_redis() as process:
        yield process


@pytest.fixture
async def pair(redis_process: RedisProcess, tmp_path: Path) -> AsyncIterator[tuple[Live, Live]]:
    async with (
        open_live(redis_process.url, tmp_path, "w1") as one,
        open_live(redis_process.url, tmp_path, "w2") as two,
    ):
        yield one, two


def orphans(live: Live | None, max_calls: int = 10) -> tuple[Orphans, Adopted]:
    made = Orphans(live, Switchboard(max_calls))
    made.adopt = adopted = Adopted()
    return made, adopted


async def dead(orphans_of: Orphans, live: Live) -> None:
    """As if the worker of its call had died a while ago."""
    await live.outbox.flushed(5.0)
    await live.served.leave(CALL.call_sid)


async def test_who_takes_a_call_knows_what_was_known(pair: tuple[Live, Live]) -> None:
    one, two = pair
    first, _ = orphans(one)
    second, adopted = orphans(two)
    first.listed(CALL, 1_800_000_000.5)
    one.calls.save(CALL.call_sid, packed(LEFT))
    await one.outbox.flushed(5.0)
    await second.look()
    assert adopted.calls == [], "its worker lives"
    await dead(first, one)
    await second.look()
    await second.look()
    await asyncio.sleep(0)
    assert adopted.calls == [(CALL, 1_800_000_000.5, going_on(CALL, packed(LEFT)))]
    assert await first.lost(CALL.call_sid)
    await first.keep()
    assert first.elsewhere(CALL.call_sid)
    assert not second.elsewhere(CALL.call_sid)


def test_nothing_is_owed_to_a_caller_who_noticed_nothing() -> None:
    on = going_on(CALL, packed(LEFT))
    assert on is not None
    assert (on.moved, on.unanswered, on.broke_off) == (True, False, False)
    assert (on.entries, on.cost_usd) == (SAID, 0.5)
    for unread in (b"{", b"\xff"):
        assert going_on(CALL, unread) == Snapshot("rtc_1", "inbound", moved=True)
    assert going_on(CALL, None) is None


@pytest.mark.parametrize(
    ("ready", "calls", "left"), [(True, 3, True), (False, 3, False), (True, 10, False)]
)
async def test_a_call_is_left_only_where_another_worker_takes_it(
    pair: tuple[Live, Live], ready: bool, calls: int, left: bool
) -> None:
    one, two = pair
    first, _ = orphans(one)
    second, adopted = orphans(two)
    first.listed(CALL, 1.0)
    await one.outbox.flushed(5.0)
    await one.fleet.beat(WorkerState(1, 10, True, 0))
    assert not await first.leave(CALL.call_sid), "nobody else is there"
    await two.fleet.beat(WorkerState(calls, 10, ready, 0))
    assert await first.leave(CALL.call_sid) is left
    assert first.elsewhere(CALL.call_sid) is left
    await second.look()
    await asyncio.sleep(0)
    assert len(adopted.calls) == left


async def test_a_call_that_was_never_accepted_is_not_left(pair: tuple[Live, Live]) -> None:
    one, two = pair
    first, _ = orphans(one)
    await two.fleet.beat(WorkerState(0, 10, True, 0))
    assert not await first.leave(CALL.call_sid)


@pytest.mark.parametrize("shut", ["full", "draining"])
async def test_a_worker_without_a_place_takes_none(pair: tuple[Live, Live], shut: str) -> None:
    one, two = pair
    first, _ = orphans(one)
    second, adopted = orphans(two, max_calls=0 if shut == "full" else 10)
    second._board.draining = shut == "draining"
    first.listed(CALL, 1.0)
    await dead(first, one)
    await second.look()
    await asyncio.sleep(0)
    assert adopted.calls == []
    assert await two.served.lapsed() == [CALL.call_sid]


async def test_a_call_that_this_version_cannot_read_is_left_to_others(
    pair: tuple[Live, Live],
) -> None:
    one, two = pair
    second, adopted = orphans(two)
    one.served.listed(CALL.call_sid, b'{"agent":7}')
    await one.outbox.flushed(5.0)
    await one.served.leave(CALL.call_sid)
    for _ in range(2):
        await second.look()
        assert await two.served.lapsed() == [CALL.call_sid]
    assert adopted.calls == []


async def test_what_is_over_is_gone_also_from_redis(
    pair: tuple[Live, Live], redis_process: RedisProcess
) -> None:
    one, _ = pair
    first, _ = orphans(one)
    first.listed(CALL, 1.0)
    await one.outbox.flushed(5.0)
    assert "5550100001" in redis_process.say(f"GET {names.served(CALL.call_sid)}")
    await first.over(CALL.call_sid)
    await first.keep()
    await one.outbox.flushed(5.0)
    assert redis_process.say("KEYS *served*") == "*0\r\n"


async def test_at_its_end_a_worker_leaves_what_it_still_has(
    pair: tuple[Live, Live], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.openai_sip_orphans.CLOSE_S", 0.0)
    one, two = pair
    first, _ = orphans(one)
    first.listed(CALL, 1.0)
    await one.outbox.flushed(5.0)
    await two.fleet.beat(WorkerState(0, 10, True, 0))
    await first.close()
    assert first.elsewhere(CALL.call_sid)
    assert await two.served.claim(CALL.call_sid) is not None


async def test_after_redis_was_away_a_calls_own_worker_comes_first(
    pair: tuple[Live, Live], redis_process: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.openai_sip_orphans.LOOK_S", 0.02)
    monkeypatch.setattr("app.openai_sip_orphans.SETTLE_S", 600.0)
    one, two = pair
    first, _ = orphans(one)
    second, adopted = orphans(two)
    first.listed(CALL, 1.0)
    await dead(first, one)
    looking = asyncio.create_task(second.run())
    await asyncio.sleep(0.5)
    assert adopted.calls == [], "a worker that has just started cannot know"
    monkeypatch.setattr("app.openai_sip_orphans.SETTLE_S", 0.0)
    looking.cancel()
    looking = asyncio.create_task(second.run())
    async with asyncio.timeout(60):
        while not adopted.calls:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
    looking.cancel()


async def test_a_worker_on_its_own_has_nobody_to_leave_a_call_to() -> None:
    alone, adopted = orphans(None)
    alone.listed(CALL, 1.0)
    assert not await alone.leave(CALL.call_sid)
    assert not await alone.lost(CALL.call_sid)
    await alone.keep()
    await alone.look()
    await alone.over(CALL.call_sid)
    await alone.run()
    await alone.close()
    assert adopted.calls == []
