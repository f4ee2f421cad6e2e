"""How often and for how much money calls and messages may go out: by call, caller, destination,
country and day.

Counting comes before allowing, so two that ask at once cannot both be the last one. What is refused
is taken back. Counts are kept by all workers together; each worker keeps its own beside them, and
goes by the higher of both: a store that is away or forgot opens nothing.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

from app.policy.destinations import Cleared
from app.policy.verdicts import Allowed, Refused, Rule, refuse

HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S
CALL_S: Final = DAY_S
"""Longer than any call."""
MOST_KEPT: Final = 50_000
MICRO: Final = 1_000_000
"""Money is counted in millionths of a dollar."""


class Counters(Protocol):
    """Counts of all workers. A window begins with its first count and ends `ttl_s` later."""

    async def add(self, key: str, ttl_s: int, n: int) -> int | None:
        """The total after adding; None when the store does not answer. `key` can hold a number and
        must not be kept or logged as it is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRules:
    """The most there may be; 0: none at all. A target by its key counts by call and caller only."""

    dials_per_call: int = 5
    dials_per_caller_hour: int = 10
    dials_per_caller_day: int = 30
    dials_per_destination_hour: int = 10
    dials_per_destination_day: int = 30
    dials_per_country_hour: int = 60
    sms_per_call: int = 3
    sms_per_number_day: int = 5
    sms_per_day: int = 200
    spend_per_call_usd: float = 5.0
    """What dialling and messages of one call may cost together."""
    spend_per_day_usd: float = 100.0


@dataclass(frozen=True, slots=True)
class Action:
    """One dial or message that is about to be."""

    kind: Literal["dial", "sms"]
    call_id: str
    agent: str
    """Spend and messages of a day are counted for each agent."""
    caller: str
    """As the carrier gives it; all who withhold it count together."""
    to: Cleared
    cost_usd: float = 0.0
    """What it is expected to cost."""


@dataclass(frozen=True, slots=True)
class _Count:
    key: str
    ttl_s: int
    n: int
    most: int
    rule: Rule


_Kept: TypeAlias = tuple[float, int]
"""When it ends, in seconds of the caller's clock, and the count."""


class CountsHere:
    """The counts of this process. Full, it admits no new key: that is refused."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: dict[str, _Kept] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, key: str, ttl_s: int, n: int, now_s: float) -> int | None:
        """The total after adding; None when there is no room for another key."""
        end_s, total = self._kept.get(key, (0.0, 0))
        if end_s <= now_s:
            end_s, total = now_s + ttl_s, 0
            if n <= 0:
                return 0
            if not self._room_for(key, now_s):
                return None
        self._kept[key] = (end_s, total + n)
        return total + n

    def _room_for(self, key: str, now_s: float) -> bool:
        if key in self._kept or len(self._kept) < self._most:
            return True
        self._kept = {kept: value for kept, value in self._kept.items() if value[0] > now_s}
        return len(self._kept) < self._most


class Limits:
    """One for a process; what an agent may is passed in. `now_s`: any clock that only goes on."""

    def __init__(self, counters: Counters, most_kept: int = MOST_KEPT) -> None:
        self._counters = counters
        self._here = CountsHere(most_kept)

    async def admit(self, rules: LimitRules, action: Action, now_s: float) -> Allowed | Refused:
        """Count it, if every limit allows it. Whatever then becomes of it stays counted."""
        counted: list[_Count] = []
        for count in _counts(rules, action):
            counted.append(count)
            total = await self._add(count, count.n, now_s)
            if total is None or total > count.most:
                for taken in counted:
                    await self._add(taken, -taken.n, now_s)
                return refuse(count.rule)
        return Allowed()

    async def spent(self, rules: LimitRules, action: Action, usd: float, now_s: float) -> None:
        """Add what it cost beyond what was expected, when it is known (less than 0: it cost
        less)."""
        for count in _money(rules, action, usd):
            await self._add(count, count.n, now_s)

    async def _add(self, count: _Count, n: int, now_s: float) -> int | None:
        here = self._here.add(count.key, count.ttl_s, n, now_s)
        everywhere = await self._counters.add(count.key, count.ttl_s, n)
        return None if here is None else max(here, everywhere or 0)


def _counts(rules: LimitRules, action: Action) -> Iterator[_Count]:
    yield from _dials(rules, action) if action.kind == "dial" else _messages(rules, action)
    yield from _money(rules, action, action.cost_usd)


def _dials(rules: LimitRules, action: Action) -> Iterator[_Count]:
    call, caller, to = action.call_id, action.caller, action.to
    yield _Count(f"dial:call:{call}", CALL_S, 1, rules.dials_per_call, Rule.DIALS_PER_CALL)
    for name, ttl_s, most in (
        ("hour", HOUR_S, rules.dials_per_caller_hour),
        ("day", DAY_S, rules.dials_per_caller_day),
    ):
        yield _Count(f"dial:caller:{name}:{caller}", ttl_s, 1, most, Rule.DIALS_PER_CALLER)
    if to.key:
        return
    for name, ttl_s, most in (
        ("hour", HOUR_S, rules.dials_per_destination_hour),
        ("day", DAY_S, rules.dials_per_destination_day),
    ):
        key = f"dial:to:{name}:{to.address}"
        yield _Count(key, ttl_s, 1, most, Rule.DIALS_PER_DESTINATION)
    if to.country:
        key = f"dial:country:{to.country}"
        yield _Count(key, HOUR_S, 1, rules.dials_per_country_hour, Rule.DIALS_PER_COUNTRY)


def _messages(rules: LimitRules, action: Action) -> Iterator[_Count]:
    yield _Count(f"sms:call:{action.call_id}", CALL_S, 1, rules.sms_per_call, Rule.SMS_PER_CALL)
    key = f"sms:to:{action.to.address}"
    yield _Count(key, DAY_S, 1, rules.sms_per_number_day, Rule.SMS_PER_NUMBER)
    yield _Count(f"sms:agent:{action.agent}", DAY_S, 1, rules.sms_per_day, Rule.SMS_PER_DAY)


def _money(rules: LimitRules, action: Action, usd: float) -> Iterator[_Count]:
    for name, of, ttl_s, most_usd, rule in (
        ("call", action.call_id, CALL_S, rules.spend_per_call_usd, Rule.SPEND_PER_CALL),
        ("day", action.agent, DAY_S, rules.spend_per_day_usd, Rule.SPEND_PER_DAY),
    ):
        most = math.floor(most_usd * MICRO)
        # What cannot be a cost is more than there may be.
        n = math.ceil(usd * MICRO) if math.isfinite(usd) else most + 1
        yield _Count(f"usd:{name}:{of}", ttl_s, n, most, rule)
