"""No limit is ever passed: not by asking at once, not by several workers, not while the store is
away or has forgotten; what is refused costs nothing of a limit."""

import asyncio
import math
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.policy.destination_rules import DestinationRules
from app.policy.destinations import By, Cleared, Purpose, judge
from app.policy.limits import DAY_S, HOUR_S, Action, CountsHere, LimitRules, Limits
from app.policy.verdicts import Allowed, Refused, Rule

WIDE = LimitRules(
    dials_per_call=99, dials_per_caller_hour=99, dials_per_caller_day=99,
    dials_per_destination_hour=99, dials_per_destination_day=99, dials_per_country_hour=99,
    sms_per_call=99, sms_per_number_day=99, sms_per_day=99,
)  # fmt: skip


def to(number: str, key: str = "") -> Cleared:
    rules = DestinationRules(countries=("US", "DE"), targets={key: number} if key else {})
    cleared = judge(rules, key or number, purpose=Purpose.DIAL, by=By.OPERATOR)
    assert isinstance(cleared, Cleared)
    return cleared


DIAL = Action("dial", "CA1", "desk", "+12015550177", to("+12015550123"))
SMS = replace(DIAL, kind="sms")


@dataclass
class Store:
    """What all workers share; `away` and it does not answer."""

    totals: dict[str, int] = field(default_factory=dict)
    away: bool = False
    asked: list[str] = field(default_factory=list)

    async def add(self, key: str, ttl_s: int, n: int) -> int | None:
        assert ttl_s > 0
        await asyncio.sleep(0)
        self.asked.append(key)
        if self.away:
            return None
        self.totals[key] = self.totals.get(key, 0) + n
        return self.totals[key]


async def admitted(
    limits: Limits, rules: LimitRules, actions: list[Action], now_s: float = 0
) -> int:
    verdicts = [await limits.admit(rules, action, now_s) for action in actions]
    return sum(isinstance(verdict, Allowed) for verdict in verdicts)


@pytest.mark.parametrize(
    ("limit", "rule", "action", "other"),
    [
        ("dials_per_call", Rule.DIALS_PER_CALL, DIAL, replace(DIAL, call_id="CA2")),
        ("dials_per_caller_hour", Rule.DIALS_PER_CALLER, DIAL, replace(DIAL, caller="")),
        ("dials_per_caller_day", Rule.DIALS_PER_CALLER, DIAL, replace(DIAL, caller="")),
        ("dials_per_destination_hour", Rule.DIALS_PER_DESTINATION, DIAL,
         replace(DIAL, to=to("+12015550124"))),
        ("dials_per_destination_day", Rule.DIALS_PER_DESTINATION, DIAL,
         replace(DIAL, to=to("+12015550124"))),
        ("dials_per_country_hour", Rule.DIALS_PER_COUNTRY, DIAL,
         replace(DIAL, to=to("+4930123456"))),
        ("sms_per_call", Rule.SMS_PER_CALL, SMS, replace(SMS, call_id="CA2")),
        ("sms_per_number_day", Rule.SMS_PER_NUMBER, SMS, replace(SMS, to=to("+12015550124"))),
        ("sms_per_day", Rule.SMS_PER_DAY, SMS, replace(SMS, agent="other")),
    ],
)  # fmt: skip
async def test_each_limit_counts_its_own(
    limit: str, rule: Rule, action: Action, other: Action
) -> None:
    limits, rules = Limits(Store()), replace(WIDE, **{limit: 2})
    assert await admitted(limits, rules, [action] * 2) == 2
    refused = await limits.admit(rules, action, 0)
    assert isinstance(refused, Refused)
    assert refused.rule == rule
    assert await admitted(limits, rules, [other]) == 1


async def test_nought_is_none_at_all() -> None:
    assert await admitted(Limits(Store()), replace(WIDE, dials_per_call=0), [DIAL]) == 0


async def test_configured_targets_count_by_call_and_caller_only() -> None:
    rules = replace(WIDE, dials_per_destination_hour=1, dials_per_country_hour=1)
    desk = replace(DIAL, to=to("+12015550123", "desk"))
    assert await admitted(Limits(Store()), rules, [desk] * 3) == 3


async def test_a_window_ends() -> None:
    store = Store(away=True)
    limits, rules = Limits(store), replace(WIDE, dials_per_caller_hour=1, dials_per_caller_day=2)
    assert await admitted(limits, rules, [DIAL], 0.0) == 1
    assert await admitted(limits, rules, [DIAL], HOUR_S - 1.0) == 0
    assert await admitted(limits, rules, [DIAL], HOUR_S) == 1
    assert await admitted(limits, rules, [DIAL], 2 * HOUR_S) == 0
    assert await admitted(limits, rules, [DIAL], DAY_S) == 1


async def test_of_many_at_once_the_limit_is_admitted() -> None:
    store, rules = Store(), replace(WIDE, dials_per_call=3)
    workers = [Limits(store) for _ in range(4)]
    verdicts = await asyncio.gather(*(workers[n % 4].admit(rules, DIAL, 0) for n in range(40)))
    assert 1 <= sum(isinstance(verdict, Allowed) for verdict in verdicts) <= 3
    assert await admitted(workers[0], rules, [DIAL] * 3) <= 2


async def test_while_the_store_is_away_the_same_limits_hold_here() -> None:
    store = Store()
    limits, rules = Limits(store), replace(WIDE, dials_per_call=3)
    assert await admitted(limits, rules, [DIAL] * 2) == 2
    store.away = True
    assert await admitted(limits, rules, [DIAL] * 5) == 1
    store.away, store.totals = False, {}
    assert await admitted(limits, rules, [DIAL]) == 0


async def test_what_is_refused_is_taken_back() -> None:
    store, rules = Store(), replace(WIDE, dials_per_country_hour=1)
    limits = Limits(store)
    assert await admitted(limits, rules, [DIAL] * 4) == 1
    assert set(store.totals.values()) == {1, 0}
    assert store.totals["dial:call:CA1"] == 1


async def test_money_is_counted_by_call_and_day() -> None:
    limits = Limits(Store())
    rules = replace(WIDE, spend_per_call_usd=1.0, spend_per_day_usd=1.5)
    dear = replace(DIAL, cost_usd=0.6)
    assert await admitted(limits, rules, [dear, dear]) == 1
    assert await admitted(limits, rules, [replace(dear, call_id="CA2")] * 2) == 1
    third = replace(dear, call_id="CA3")
    refused = await limits.admit(rules, third, 0)
    assert isinstance(refused, Refused)
    assert refused.rule == Rule.SPEND_PER_DAY
    await limits.spent(rules, dear, -0.6, 0)
    assert await admitted(limits, rules, [third]) == 1
    await limits.spent(rules, third, 0.7, 0)
    assert await admitted(limits, rules, [replace(DIAL, call_id="CA3")]) == 0


@pytest.mark.parametrize("cost", [math.nan, math.inf, -math.inf])
async def test_a_cost_that_is_none_is_too_dear(cost: float) -> None:
    assert await admitted(Limits(Store()), WIDE, [replace(DIAL, cost_usd=cost)]) == 0


async def test_with_too_many_to_remember_new_ones_are_refused() -> None:
    """A dial is counted under six keys."""
    assert await admitted(Limits(Store(), most_kept=5), WIDE, [DIAL]) == 0
    assert await admitted(Limits(Store(), most_kept=6), WIDE, [DIAL]) == 1


def test_what_is_over_makes_room() -> None:
    here = CountsHere(most=1)
    assert here.add("a", 10, 1, 0.0) == 1
    assert here.add("b", 10, 1, 5.0) is None
    assert here.add("b", 10, 1, 10.0) == 1
    assert len(here) == 1


@given(st.lists(st.tuples(st.integers(0, 5000), st.booleans(), st.sampled_from(["CA1", "CA2"]))))
def test_whatever_the_store_does_no_window_admits_more(steps: list[tuple[int, bool, str]]) -> None:
    rules = replace(WIDE, dials_per_call=2, dials_per_caller_hour=3)

    async def run() -> None:
        store = Store()
        limits, now_s, calls, began, within = Limits(store), 0.0, {"CA1": 0, "CA2": 0}, -math.inf, 0
        for wait_s, store.away, call_id in steps:
            now_s += wait_s / 10
            if now_s >= began + HOUR_S:
                began, within = math.inf, 0
            if await admitted(limits, rules, [replace(DIAL, call_id=call_id)], now_s):
                began = min(began, now_s) if within == 0 else began
                calls[call_id] += 1
                within += 1
            assert within <= 3
            assert max(calls.values()) <= 2

    asyncio.run(run())
