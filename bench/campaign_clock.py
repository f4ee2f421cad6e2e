"""`python -m bench.campaign_clock [--contacts N]`: a million contacts by a simulated clock.

Three campaigns in many time zones share an account's calls per second, its caller numbers and its
places, over days in which clocks change, until everybody was dialled once. The decisions are those
of `app.campaigns.pacing`, with its books in memory (bench/campaign_books.py), and of the policy
that ships, with its law. A checker that knows neither then goes through the log of dials.

Then two campaigns whose answers are abandoned, with the real meter on SQLite: one that dials faster
than answers can be spoken to, one whose answers fail until somebody mends it.

Exit 1: a limit or an hour was not kept, somebody was dialled twice or not at all, or the meter did
not come below its limit. Seed fixed.
"""

import argparse
import asyncio
import heapq
import logging
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import numpy as np

from app.campaigns.judging import policy
from app.campaigns.meter import DAY_MS, DAYS, Reading
from app.campaigns.pacing import Pacing
from app.campaigns.permits import AccountLimits
from app.campaigns.plan import CallerIds, Plan, Windows
from app.campaigns.plan import Pacing as PlannedPacing
from app.campaigns.throttle import Answers, throttled
from app.policy.dialing.words import Allowed, DialRules, History, Never, NotNow, Person
from app.policy.hours import Span
from bench.campaign_abandoned import BROKEN, OVERLOADED, abandoned
from bench.campaign_books import BooksHere
from bench.campaign_check import outside_hours, paces
from bench.campaign_people import POOL, SEED, People
from bench.campaign_run import Campaign, Clock, EvenLine, Run

CONTACTS: Final = 1_000_000
BEGIN_MS: Final = int(datetime(2026, 10, 31, 6, tzinfo=UTC).timestamp() * 1000)
"""The day before clocks change in America."""
LIMITS: Final = AccountLimits(calls_per_second=10, number_calls_per_second=1, at_once=1_200)
WORKDAYS: Final = (0, 1, 2, 3, 4)
EVERY_DAY: Final = tuple(range(7))


@dataclass(frozen=True, slots=True)
class Part:
    """A campaign: its share of the contacts in 1000, its hours, its pace."""

    name: str
    share: int
    spans: tuple[tuple[str, str], ...]
    weekdays: tuple[int, ...]
    pacing: PlannedPacing
    rest_s: float = 0.0
    per_day: int = 0

    def plan(self) -> Plan:
        ids = CallerIds(numbers=POOL, rest_s=self.rest_s, per_day=self.per_day)
        hours = tuple(f"{begin}-{end}" for begin, end in self.spans)
        return Plan(
            name=self.name, agent="a", caller_ids=ids, windows=Windows(hours=hours),
            pacing=self.pacing,
        )  # fmt: skip

    def rules(self) -> DialRules:
        spans = tuple(Span(_minutes(begin), _minutes(end)) for begin, end in self.spans)
        return DialRules(
            purpose="service", week=dict.fromkeys(self.weekdays, spans), skip_holidays=False,
            per_day=1, per_week=1, total=1, all_per_day=1, all_per_week=1, consent_required=False,
            from_numbers=POOL,
        )  # fmt: skip


PARTS: Final = (
    Part("evenings", 550, (("10:00", "11:30"), ("17:00", "19:45")), EVERY_DAY,
         PlannedPacing(calls_per_second=20, concurrent=800, ramp_minutes=30), rest_s=2),
    Part("workdays", 448, (("09:30", "12:00"), ("13:00", "16:15")), WORKDAYS,
         PlannedPacing(calls_per_second=6.5, concurrent=500), per_day=20_000),
    Part("trickle", 2, (("09:00", "20:00"),), WORKDAYS,
         PlannedPacing(calls_per_second=0.5, concurrent=20), rest_s=5),
)  # fmt: skip


@dataclass
class TallyHere:
    """A meter in memory, for calls that are rarely abandoned: it never has to know since when the
    rate is over its limit."""

    begun_ms: int
    days: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    async def note(self, campaign: str, dialled_ms: int, answered_ms: int, abandoned: bool) -> None:
        day = self.days.setdefault((campaign, answered_ms // DAY_MS), [0, 0])
        day[0] += 1
        day[1] += abandoned

    async def read(self, campaign_id: str, limit: float, now_ms: int) -> Reading:
        today = now_ms // DAY_MS
        days = [self.days.get((campaign_id, today - ago), (0, 0)) for ago in range(DAYS)]
        answers = Answers(sum(day[0] for day in days), sum(day[1] for day in days))
        return Reading(answers, throttled(answers, Answers(), limit), self.begun_ms)


def simulated(contacts: int, seed: int = SEED) -> tuple[Run, People, TallyHere]:
    """A run that is still to go; campaign n has the contacts of part n."""
    people, clock, tally = People(contacts, seed), Clock(BEGIN_MS), TallyHere(BEGIN_MS)
    bounds = [contacts * sum(part.share for part in PARTS[:n]) // 1000 for n in range(4)]
    campaigns = [
        Campaign(part.name, part.plan(), [(BEGIN_MS, n) for n in range(*bounds[at : at + 2])])
        for at, part in enumerate(PARTS)
    ]
    for campaign in campaigns:
        heapq.heapify(campaign.contacts)
    rules = {part.name: part.rules() for part in PARTS}
    pacing = Pacing(BooksHere(clock.us, leases=False), tally, LIMITS, None)
    nobody, may_dial = History(), policy().may_dial

    def judge(campaign: str, person: Person, now_ms: int) -> Allowed | NotNow | Never:
        return may_dial(person, nobody, rules[campaign], now_ms)

    line = EvenLine(random.Random(seed))
    return Run(clock, campaigns, pacing, judge, people.person, line, tally), people, tally


def faults(run: Run, people: People) -> Iterator[str]:
    """By the log alone."""
    log = run.log
    at_ms, contact = np.array(log.at_ms), np.array(log.contact)
    times = np.bincount(contact, minlength=len(people))
    if (times != 1).any():
        yield f"{(times == 0).sum()} contacts never dialled, {(times > 1).sum()} more than once"
    rates = [part.pacing.calls_per_second for part in PARTS]
    for what, which, limits in (
        ("account", np.zeros_like(at_ms), [LIMITS.calls_per_second]),
        ("campaign", np.array(log.campaign), rates),
        ("number", np.array(log.number), [LIMITS.number_calls_per_second] * len(run.numbers)),
    ):
        for index, (most, may, window_ms) in enumerate(paces(at_ms, which, limits)):
            if most > may:
                yield f"{what} {index}: {most} calls within {window_ms} ms, {may} may be"
    for index, part in enumerate(PARTS):
        mine = np.flatnonzero(np.array(log.campaign) == index)
        dials = ((int(at_ms[n]), people.corner(int(contact[n])).zones) for n in mine)
        if wrong := outside_hours(dials, part.spans, part.weekdays):
            yield f"{part.name}: {wrong} dials outside its hours"


def report(run: Run, tally: TallyHere, cpu_s: float) -> Iterator[str]:
    log = run.log
    at_ms = np.array(log.at_ms)
    days = (at_ms[-1] - at_ms[0]) / DAY_MS
    yield f"{len(at_ms)} dials in {days:.1f} simulated days; {cpu_s:.0f} s of CPU"
    yield f"{log.most_at_once} calls at once at most, {LIMITS.at_once} may be"
    yield f"{'':12}{'dials':>9}{'most in any window':>20}{'may be':>8}{'window':>9}"
    which = np.array(log.campaign)
    for name, mine, limit in (
        ("account", np.zeros_like(which), LIMITS.calls_per_second),
        *((p.name, which - n, p.pacing.calls_per_second) for n, p in enumerate(PARTS)),
    ):
        [(most, may, window_ms)] = paces(at_ms, mine, [limit])
        yield f"{name:12}{(mine == 0).sum():9}{most:20}{may:8}{window_ms:6} ms"
    per_number = np.bincount(np.array(log.number), minlength=len(run.numbers))
    yield f"caller numbers: {per_number.min()} to {per_number.max()} dials each"
    abandoned_ = sum(day[1] for day in tally.days.values())
    yield f"live answers: {sum(day[0] for day in tally.days.values())}, abandoned {abandoned_}"
    yield "told to wait:"
    yield from (f"  {times:9} {why}" for why, times in sorted(log.waits.items()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contacts", type=int, default=CONTACTS)
    contacts: int = parser.parse_args().contacts
    logging.disable(logging.WARNING)
    begun_s = time.process_time()
    run, people, tally = simulated(contacts)
    asyncio.run(run.go())
    wrong = list(faults(run, people))
    print("\n".join(report(run, tally, time.process_time() - begun_s)), flush=True)
    for scene in (OVERLOADED, BROKEN):
        told = asyncio.run(abandoned(scene))
        print("\n" + "\n".join(told.lines()), flush=True)
        wrong += told.faults()
    print("\n" + ("\n".join(f"MISSED: {each}" for each in wrong) or "every limit was kept"))
    return 1 if wrong else 0


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


if __name__ == "__main__":
    sys.exit(main())
