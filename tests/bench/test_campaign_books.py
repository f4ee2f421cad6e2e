"""The books of the simulated run answer as those in Redis do, whatever is asked: so what the run
shows of pacing holds for Redis."""

from typing import TypeAlias

from fakeredis import FakeAsyncRedis
from hypothesis import given, settings
from hypothesis import strategies as st

from app.campaigns.caller_ids import Rotation
from app.campaigns.permits import AccountLimits, Demand, Room, permitted
from app.campaigns.spacing import interval_us
from app.live.asking import Asker
from app.live.pace import Hold, RedisPace, Slot
from bench.campaign_books import BooksHere

SECOND_US = 1_000_000
POOL = ("+12125550101", "+16175550102", "+493012345678")

Step: TypeAlias = tuple[str, str, int, int]
STEPS = st.tuples(
    st.sampled_from(["take", "take", "take", "free", "keep"]),
    st.sampled_from(["c", "d"]),
    st.integers(0, 3),
    st.sampled_from([0, 1, 10_000, 90_000, 400_000, SECOND_US, 3 * SECOND_US, 40 * SECOND_US]),
)


class Clock:
    def __init__(self) -> None:
        self.now_us = 1_800_000_000 * SECOND_US

    def __call__(self) -> int:
        return self.now_us


def _demand(campaign: str, to: int) -> Demand:
    return Demand(
        to=("+12125550199", "+491711234567", "+16175550133", "nobody")[to],
        pool=POOL if campaign == "c" else POOL[1:],
        rotation=Rotation(interval_us=interval_us(1), rest_us=2 * SECOND_US, per_day=5),
        calls_per_second=3 if campaign == "c" else 0.5,
        share=0.8,
        at_once=4,
    )


async def _done(books: RedisPace | BooksHere, step: Step, named: list[str]) -> object:
    what, campaign, which, _ = step
    demand = _demand(campaign, which)
    match what:
        case "take":
            return await books.take(
                campaign,
                demand.pool,
                lambda found: permitted(found, demand, AccountLimits(calls_per_second=4), Room(6)),
                f"n{which}",
            )
        case "free":
            await books.free(f"{campaign}/n{which}")
            return None
        case _:
            return await books.keep(named)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEPS, max_size=60))
async def test_both_answer_alike(steps: list[Step]) -> None:
    clock, redis = Clock(), FakeAsyncRedis()
    there, here = RedisPace(Asker(redis), clock), BooksHere(clock)
    named = ["c/n0", "c/n1", "d/n2"]
    try:
        for step in steps:
            clock.now_us += step[3]
            answer = await _done(there, step, named)
            assert await _done(here, step, named) == answer
            assert answer is None or isinstance(answer, Slot | Hold | set)
    finally:
        await redis.aclose()
