"""How often one person may be dialled, and from when on again.

A day is the person's own: it is counted by the clock of every zone they may be in, and the
strictest count decides. A week, and every cap of the law, is a rolling stretch of time.
"""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from app.policy.dialing.clocks import (
    HOUR_MS,
    LONGEST_DAY_MS,
    WEEK_MS,
    day_around,
    different,
    local_date,
)
from app.policy.dialing.law import LawRule
from app.policy.dialing.words import DialRule, DialRules, History

Freed = tuple[DialRule, str, int]
"""The cap, why it stands against a dial, and the first instant at which it does not any more."""


def reached(
    history: History,
    rules: DialRules,
    zones: tuple[ZoneInfo, ...],
    laws: tuple[LawRule, ...],
    at_ms: int,
) -> Iterator[Freed]:
    """Every cap that stands against a dial at that instant."""
    here, everywhere = history.here_ms, history.all_ms
    if not here and not everywhere:
        return
    for dials, most, rule, whose in (
        (here, rules.per_day, DialRule.CAP_DAY, "this campaign"),
        (everywhere, rules.all_per_day, DialRule.CAP_ALL_DAY, "all campaigns"),
    ):
        freed = _day_freed(dials, most, zones, at_ms)
        if freed > at_ms:
            yield rule, f"Dialled {most} times that day by {whose}, the most it may be.", freed
    for dials, most, rule, whose in (
        (here, rules.per_week, DialRule.CAP_WEEK, "this campaign"),
        (everywhere, rules.all_per_week, DialRule.CAP_ALL_WEEK, "all campaigns"),
    ):
        freed = _rolling_freed(dials, most, WEEK_MS, at_ms)
        if freed > at_ms:
            yield rule, f"Dialled {most} times in 7 days by {whose}, the most it may be.", freed
    for law in laws:
        yield from _law_caps(law, everywhere, zones, at_ms)


def _law_caps(
    law: LawRule, dials: tuple[int, ...], zones: tuple[ZoneInfo, ...], at_ms: int
) -> Iterator[Freed]:
    for cap in law.caps:
        freed = _rolling_freed(dials, cap.dials, cap.hours * HOUR_MS, at_ms)
        if freed > at_ms and any(law.holds_on(local_date(zone, at_ms)) for zone in zones):
            yield (
                DialRule.CAP_LAW,
                f"Dialled {cap.dials} times in {cap.hours} hours, the most by {law.name}.",
                freed,
            )


def _day_freed(dials: tuple[int, ...], most: int, zones: tuple[ZoneInfo, ...], at_ms: int) -> int:
    """`dials`: the newest first, and none of them later than that day."""
    if len(dials) < most or dials[most - 1] <= at_ms - LONGEST_DAY_MS:
        return at_ms
    freed = at_ms
    for zone in different(zones, at_ms // WEEK_MS):
        begin, end = day_around(zone, at_ms)
        if end > freed and dials[most - 1] >= begin:
            freed = end
    return freed


def _rolling_freed(dials: tuple[int, ...], most: int, length_ms: int, at_ms: int) -> int:
    """`dials`: the newest first. A dial counts until just before `length_ms` have passed."""
    return dials[most - 1] + length_ms if len(dials) >= most else at_ms
