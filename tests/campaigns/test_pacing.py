"""Whatever asks in whatever order: in no second are there more calls than the account, a campaign
or a caller number may begin, nor ever more at once than there may be; and who waits knows why."""

import asyncio
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.campaigns.meter import Meter, Reading
from app.campaigns.pacing import AWAY_MS, STOPPED_MS, Pacing, Permit, Wait
from app.campaigns.permits import AccountLimits
from app.campaigns.plan import CallerIds, Limits, Plan
from app.campaigns.plan import Pacing as PlannedPacing
from app.campaigns.throttle import Answers, Throttle, throttled
from app.live.capacity import Load
from app.live.names import DIALING_CALLS, DIALING_SLOTS
from app.live.pace import RedisPace, slot_of
from app.records.database import Database, sql_url
from bench.campaign_books import BooksHere
from tests.live.redis_fixture import RedisProcess, running_redis
from tests.live.store import store_at

NOW_MS = 1_800_000_000_000
POOL = ("+12125550101", "+16175550102", "+493012345678")
TO = "+12125550199"


@dataclass
class Metered:
    """A meter by hand."""

    answers: Answers = field(default_factory=Answers)
    since_over: Answers = field(default_factory=Answers)
    begun_ms: int = 0

    async def read(self, campaign_id: str, limit: float, now_ms: int) -> Reading:
        return Reading(self.answers, throttled(self.answers, self.since_over, limit), self.begun_ms)


@dataclass
class Loaded:
    now: Load

    async def load(self) -> Load:
        return self.now


@dataclass
class Clock:
    now_ms: int = NOW_MS

    def __call__(self) -> int:
        return self.now_ms * 1_000


def _plan(
    calls_per_second: float = 100.0,
    concurrent: int = 10_000,
    numbers: tuple[str, ...] = POOL,
    ramp_minutes: float = 0.0,
) -> Plan:
    return Plan(
        agent="a",
        caller_ids=CallerIds(numbers=numbers),
        pacing=PlannedPacing(
            calls_per_second=calls_per_second, concurrent=concurrent, ramp_minutes=ramp_minutes
        ),
        limits=Limits(),
    )


WIDE = AccountLimits(calls_per_second=1000, number_calls_per_second=1000)


class Stage:
    """A pacing on books in memory and a clock that is moved by hand."""

    def __init__(self, limits: AccountLimits = WIDE, load: Load | None = None) -> None:
        self.clock, self.meter = Clock(), Metered()
        self.loaded = Loaded(load) if load else None
        self.books = BooksHere(self.clock, leases=False)
        self.pacing = Pacing(self.books, self.meter, limits, self.loaded)

    async def ask(self, plan: Plan, campaign: str = "c", to: str = TO) -> Permit | Wait:
        return await self.pacing.permit(campaign, plan, to, self.clock.now_ms)

    async def permit(self, plan: Plan, campaign: str = "c") -> Permit:
        """The first that comes when it is asked when it says."""
        for _ in range(10):
            answer = await self.ask(plan, campaign)
            if isinstance(answer, Permit):
                return answer
            assert answer.until_ms > self.clock.now_ms
            self.clock.now_ms = answer.until_ms
        raise AssertionError(f"no permit, although it was asked when it said: {answer}")

    async def wait(self, plan: Plan, campaign: str = "c") -> Wait:
        answer = await self.ask(plan, campaign)
        assert isinstance(answer, Wait), answer
        return answer


def _most(times_ms: list[int], window_ms: float) -> int:
    return max(sum(t <= u < t + window_ms for u in times_ms) for t in times_ms)


def _keeps(times_ms: list[int], limit: float) -> bool:
    window_ms = 1_000 if limit >= 1 else math.floor(1_000 / limit)
    return _most(times_ms, window_ms) <= max(1, math.floor(limit))


RATES = st.sampled_from([0.5, 0.8, 1.0, 1.5, 2.0, 5.0, 20.0])


@settings(max_examples=60, deadline=None)
@given(
    account=RATES,
    number=RATES,
    campaigns=st.lists(st.tuples(RATES, st.integers(1, 4)), min_size=1, max_size=3),
    answers=st.builds(Answers, st.just(1000), st.integers(0, 40)),
    asks=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([0, 0, 1, 7, 60, 333, 990, 2500])),
        min_size=5,
        max_size=80,
    ),
    ends=st.integers(1, 6),
)
async def test_no_second_holds_more_calls_than_there_may_be(
    account: float,
    number: float,
    campaigns: list[tuple[float, int]],
    answers: Answers,
    asks: list[tuple[int, int]],
    ends: int,
) -> None:
    limits = AccountLimits(calls_per_second=account, number_calls_per_second=number)
    stage = Stage(limits)
    stage.meter.answers = answers
    plans = {f"c{n}": _plan(rate, most) for n, (rate, most) in enumerate(campaigns)}
    dials: dict[str, list[int]] = defaultdict(list)
    open_: list[tuple[str, str]] = []
    for which, later_ms in asks:
        campaign = f"c{which % len(plans)}"
        stage.clock.now_ms += later_ms
        answer = await stage.ask(plans[campaign], campaign)
        if isinstance(answer, Permit):
            for each in ("account", campaign, answer.from_number):
                dials[each].append(stage.clock.now_ms)
            open_.append((campaign, answer.slot))
        at_once = Counter(name for name, _ in open_)
        assert all(at_once[name] <= most for name, (_, most) in zip(plans, campaigns, strict=True))
        if len(open_) >= ends:
            await stage.pacing.done(open_.pop(0)[1])
    rates = {"account": account, **dict.fromkeys(POOL, number)}
    rates |= {name: rate for name, (rate, _) in zip(plans, campaigns, strict=True)}
    assert all(_keeps(times, rates[name]) for name, times in dials.items())


async def test_asked_when_it_says_it_dials_at_the_pace_of_the_plan() -> None:
    stage, plan = Stage(), _plan(5)
    await stage.permit(plan)
    begun_ms = stage.clock.now_ms
    for _ in range(100):
        await stage.permit(plan)
    assert 100 / 5 < (stage.clock.now_ms - begun_ms) / 1000 <= 100 / 5 * 1.06


async def test_the_calls_of_the_account_are_those_of_all_campaigns() -> None:
    stage = Stage(AccountLimits(calls_per_second=1, number_calls_per_second=9))
    await stage.permit(_plan(), "c")
    waiting = await stage.wait(_plan(), "d")
    assert waiting.why == "the account's calls per second"


async def test_a_campaign_has_no_more_calls_at_once_than_its_plan_says() -> None:
    stage, plan = Stage(), _plan(concurrent=2)
    first, second = await stage.permit(plan), await stage.permit(plan)
    stage.clock.now_ms += 5_000
    assert (await stage.wait(plan)).why == "the campaign has 2 calls at once, 2 may be"
    assert isinstance(await stage.ask(plan, "another"), Permit)
    await stage.pacing.done(first.slot)
    await stage.pacing.done(first.slot)
    stage.clock.now_ms += 5_000
    third = await stage.permit(plan)
    stage.clock.now_ms += 5_000
    await stage.wait(plan)
    assert stage.pacing.held >= {second.slot, third.slot}


async def test_places_are_kept_free_for_callers() -> None:
    stage = Stage(
        AccountLimits(calls_per_second=9, number_calls_per_second=9, at_once=10, kept_free=3),
        Load(others=4, seats=50),
    )
    permits = [await stage.permit(_plan()) for _ in range(3)]
    stage.clock.now_ms += 5_000
    assert (await stage.wait(_plan())).why == (
        "there are 10 places for calls; 7 are taken and 3 are kept free for callers"
    )
    assert stage.loaded is not None
    stage.loaded.now = Load(others=3, seats=50)
    stage.clock.now_ms += 5_000
    await stage.permit(_plan())
    stage.loaded.now = Load(others=0, seats=6)
    stage.clock.now_ms += 5_000
    assert "there are 6 places" in (await stage.wait(_plan())).why
    for permit in permits:
        await stage.pacing.done(permit.slot)


async def test_without_workers_to_carry_calls_nothing_is_dialled() -> None:
    stage = Stage(load=Load(others=0, seats=0))
    stage.clock.now_ms += 5_000
    await stage.ask(_plan())
    stage.clock.now_ms += 5_000
    assert "there are 0 places" in (await stage.wait(_plan())).why


async def test_the_pace_rises_from_a_tenth_after_the_start() -> None:
    stage, plan = Stage(), _plan(1, ramp_minutes=1000)
    stage.meter.begun_ms = NOW_MS
    await stage.permit(plan)
    waiting = await stage.wait(plan)
    assert waiting.until_ms - stage.clock.now_ms == pytest.approx(10_500, rel=0.03)
    pace = await stage.pacing.pace("c", plan, NOW_MS + 60_000_000)
    assert (pace.ramp, round(pace.calls_per_second, 2)) == (1.0, 0.95)


async def test_who_nears_the_limit_of_abandoned_calls_is_told_why_it_is_slow() -> None:
    stage, plan = Stage(), _plan(10, concurrent=10)
    stage.meter.answers = Answers(1000, 20)
    pace = await stage.pacing.pace("c", plan, NOW_MS)
    assert pace.throttle.level == "near"
    assert pace.calls_per_second == pytest.approx(6.67, abs=0.01)
    assert pace.at_once == 7
    await stage.permit(plan)
    assert (await stage.wait(plan)).why == (
        "the campaign's calls per second; 20 of 1000 live answers of 30 days were abandoned "
        "(2.00%, limit 3.00%): the pace is 70% of its full height"
    )


async def test_above_the_limit_there_is_one_call_at_a_time_then_none() -> None:
    stage, plan = Stage(), _plan(10)
    stage.meter.answers = Answers(100, 5)
    permit = await stage.permit(plan)
    stage.clock.now_ms += 60_000
    assert "1 calls at once, 1 may be" in (await stage.wait(plan)).why
    await stage.pacing.done(permit.slot)
    stage.meter.since_over = Answers(2, 2)
    stage.clock.now_ms += 60_000
    waiting = await stage.wait(plan)
    assert waiting.until_ms == stage.clock.now_ms + STOPPED_MS
    assert "nothing is dialled" in waiting.why
    stopped = await stage.pacing.pace("c", plan, stage.clock.now_ms)
    assert (stopped.calls_per_second, stopped.at_once) == (0.0, 0)


async def test_with_the_database_away_nothing_is_dialled(tmp_path: Path) -> None:
    database = Database(sql_url(f"postgresql://nobody@/none?host={tmp_path}"))
    pacing = Pacing(BooksHere(Clock()), Meter(database), WIDE, None)
    answer = await pacing.permit("c", _plan(), TO, NOW_MS)
    await database.close()
    assert answer == Wait(
        NOW_MS + AWAY_MS,
        "nothing is dialled without the database, which knows the abandoned calls",
    )


@pytest.fixture
def redis_process() -> Iterator[RedisProcess]:
    with running_redis() as process:
        yield process


async def test_with_redis_away_nothing_is_dialled_and_nobody_fails(
    redis_process: RedisProcess,
) -> None:
    async with store_at(redis_process) as store:
        pacing = Pacing(RedisPace(store.asker), Metered(), WIDE, None)
        permit = await _patiently(pacing, _plan())
        redis_process.kill()
        answer = await pacing.permit("c", _plan(), TO, NOW_MS)
        assert isinstance(answer, Wait)
        assert answer.until_ms == NOW_MS + AWAY_MS
        assert answer.why.startswith("nothing is dialled without Redis, which counts the calls: ")
        await pacing.placed(permit.slot, "CA1")
        await pacing.done(permit.slot)
        assert not pacing.held
        redis_process.start()
        await _patiently(pacing, _plan())


async def _patiently(pacing: Pacing, plan: Plan, name: str = "") -> Permit:
    """A permit by Redis' own clock."""
    async with asyncio.timeout(60):
        while True:
            answer = await pacing.permit("c", plan, TO, NOW_MS, name=name)
            if isinstance(answer, Permit):
                return answer
            await asyncio.sleep((answer.until_ms - NOW_MS) / 1000)


async def test_workers_on_one_redis_keep_one_limit(redis_process: RedisProcess) -> None:
    """Three workers that ask as often as they can, by Redis' own clock."""
    limits = AccountLimits(calls_per_second=40, number_calls_per_second=1000)
    times_us: list[int] = []

    async def work(process: RedisProcess) -> None:
        async with store_at(process) as store:
            pace = RedisPace(store.asker)
            pacing = Pacing(pace, Metered(), limits, None)
            while len(times_us) < 90:
                answer = await pacing.permit("c", _plan(100), TO, NOW_MS)
                if isinstance(answer, Permit):
                    books = await pace.books("c", [answer.from_number])
                    assert books is not None
                    times_us.append(books.numbers[answer.from_number].dialled_us)

    await asyncio.gather(*(work(redis_process) for _ in range(3)))
    assert _most([each // 1000 for each in times_us], 1_000) <= 40


async def test_slots_are_kept_while_their_process_lives_and_any_may_give_them_back(
    redis_process: RedisProcess,
) -> None:
    async with store_at(redis_process) as one, store_at(redis_process) as two:
        pacing = Pacing(RedisPace(one.asker), Metered(), WIDE, None)
        other = Pacing(RedisPace(two.asker), Metered(), WIDE, None)
        permit = await _patiently(pacing, _plan(), "contact-7")
        assert permit.slot == slot_of("c", "contact-7")
        await pacing.placed(permit.slot, "CA1")
        assert await one.redis.hgetall(DIALING_CALLS) == {permit.slot.encode(): b"CA1"}
        until = await one.asker.ask("ZSCORE", DIALING_SLOTS, permit.slot)
        await pacing.renew()
        later = await one.asker.ask("ZSCORE", DIALING_SLOTS, permit.slot)
        assert float(later) > float(until)
        await other.done(slot_of("c", "contact-7"))
        await pacing.renew()
        assert not pacing.held
        assert await one.redis.zcard(DIALING_SLOTS) == 0


def test_a_full_throttle_has_nothing_to_say() -> None:
    assert Throttle("full").why == ""
