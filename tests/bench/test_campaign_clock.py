"""The simulated run keeps every limit, and its checkers find what does not; abandoned answers slow
a campaign down until their rate is below the limit, and the log says why."""

from datetime import UTC, datetime

import numpy as np
import pytest

from app.campaigns.throttle import Answers
from bench.campaign_abandoned import Scene, Told, abandoned
from bench.campaign_check import most_in_any_window, outside_hours, paces
from bench.campaign_clock import faults, report, simulated

HOURS = (("09:00", "12:00"), ("13:00", "17:00"))


async def test_everybody_is_dialled_once_within_every_limit() -> None:
    run, people, tally = simulated(3_000)
    await run.go()
    assert list(faults(run, people)) == []
    assert report(run, tally, 1.0)
    assert len(run.log.at_ms) == 3_000


async def test_a_dial_too_many_or_at_a_wrong_hour_is_found() -> None:
    run, people, _ = simulated(600)
    await run.go()
    run.log.at_ms[5] = run.log.at_ms[4] = run.log.at_ms[3]
    run.log.contact[7] = run.log.contact[8]
    run.log.number[5] = run.log.number[4] = run.log.number[3]
    told = "\n".join(faults(run, people))
    assert "contacts never dialled, 1 more than once" in told
    assert "number " in told
    assert "calls within 1000 ms, 1 may be" in told
    run.log.at_ms[20] -= 12 * 3_600_000
    assert "dials outside its hours" in "\n".join(faults(run, people))


@pytest.mark.parametrize(
    ("at_ms", "most"),
    [([], 0), ([0, 1000, 2000], 1), ([0, 999, 1000, 1998], 3), ([5, 5, 5], 3), ([900, 0, 500], 3)],
)
def test_windows_are_counted_wherever_they_begin(at_ms: list[int], most: int) -> None:
    assert most_in_any_window(np.array(at_ms, dtype=np.int64), 1_000) == most


def test_a_pace_below_one_has_a_longer_window() -> None:
    at_ms, which = np.array([0, 1_500, 1_900]), np.array([0, 0, 1])
    assert list(paces(at_ms, which, [0.5, 2.0])) == [(2, 1, 2_000), (1, 2, 1_000)]


@pytest.mark.parametrize(
    ("at", "zones", "wrong"),
    [
        ("2026-10-24 08:59:59", ("UTC",), 1),
        ("2026-10-24 09:00:00", ("UTC",), 0),
        ("2026-10-24 11:59:59", ("UTC",), 0),
        ("2026-10-24 12:00:00", ("UTC",), 1),
        ("2026-10-24 07:00:00", ("Europe/Berlin",), 0),
        ("2026-10-25 07:59:59", ("Europe/Berlin",), 1),
        ("2026-10-25 08:00:00", ("Europe/Berlin",), 0),
        ("2026-10-31 13:00:00", ("America/New_York",), 0),
        ("2026-11-01 13:59:59", ("America/New_York",), 1),
        ("2026-10-24 13:30:00", ("America/New_York", "America/Chicago"), 1),
        ("2026-10-24 14:00:00", ("America/New_York", "America/Chicago"), 0),
    ],
)
def test_hours_are_those_of_every_zone(at: str, zones: tuple[str, ...], wrong: int) -> None:
    at_ms = int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() * 1000)
    assert outside_hours(iter([(at_ms, zones)]), HOURS, range(7)) == wrong
    weekday = datetime.fromisoformat(at).weekday()
    others = [day for day in range(7) if day != weekday]
    assert outside_hours(iter([(at_ms, zones)]), HOURS, others) == 1


async def test_abandoned_answers_slow_a_campaign_until_the_rate_is_below_the_limit() -> None:
    told = await abandoned(Scene("overloaded", 1_300, bears=13))
    assert list(told.faults()) == []
    assert {level for _, level, _ in told.log} >= {"over", "near"}
    assert max(answers.rate for _, _, answers, _ in told.course) >= 0.03
    assert told.course[-1][2].rate < 0.03
    [first, *_] = [why for _, level, why in told.log if level == "over"]
    assert "limit 3.00%): one call at a time until the rate is below the limit" in first


async def test_answers_that_fail_one_at_a_time_halt_it_until_it_is_resumed() -> None:
    told = await abandoned(Scene("broken", 200, broken=0.5, mended_ms=240_000, limit=0.1))
    assert list(told.faults()) == []
    halted = [why for _, level, why in told.log if level == "stopped"]
    assert halted
    assert all("nothing is dialled; find out why answers wait" in why for why in halted)


def test_a_rate_that_stays_above_the_limit_is_a_fault() -> None:
    told = Told(Scene("x", 10, bears=1), [(0, 10, Answers(10, 1), "over")], [(0, "over", "")], 9)
    assert list(told.faults()) == [
        "x: ended at 10.00% after 9 dials",
        "x: a level without a reason",
    ]
