"""Campaigns whose live answers are abandoned, by a simulated clock, with the real meter on SQLite:
the pace falls until the rate is below the limit, and the campaign's log says why."""

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert, select

from app.campaigns.meter import THROTTLE, Meter
from app.campaigns.pacing import Pacing
from app.campaigns.permits import AccountLimits
from app.campaigns.plan import CallerIds, Limits, Plan
from app.campaigns.plan import Pacing as PlannedPacing
from app.campaigns.throttle import Answers
from app.policy.dialing.words import Allowed, Person
from app.records.database import Database, sql_url
from app.records.tables import attempts, campaign_log, campaigns, contacts
from bench.campaign_books import BooksHere
from bench.campaign_people import POOL, SEED, People
from bench.campaign_run import Campaign, Clock, Fate, Run

BEGIN_MS: Final = int(datetime(2026, 9, 7, 14, tzinfo=UTC).timestamp() * 1000)
NAME: Final = "c"
MINUTE_MS: Final = 60_000
FAR_MS: Final = 10**15


@dataclass(frozen=True, slots=True)
class Scene:
    """`bears`: live answers in 10 s that are spoken to in time; more wait. `broken`: the part of
    answers that wait whatever the pace, until `mended_ms` after the begin; then it is resumed."""

    name: str
    contacts: int
    bears: int = 10**6
    broken: float = 0.0
    mended_ms: int = 0
    limit: float = 0.03


OVERLOADED: Final = Scene("dialled faster than answers can be spoken to", 2_500, bears=12)
BROKEN: Final = Scene(
    "four of ten answers wait, mended after half an hour",
    1_500,
    broken=0.4,
    mended_ms=30 * MINUTE_MS,
)


@dataclass(slots=True)
class StrainedLine:
    """A third of all dials are answered."""

    scene: Scene
    rng: random.Random
    answered_ms: list[int] = field(default_factory=list)

    def fate(self, at_ms: int) -> Fate:
        if self.rng.random() > 1 / 3:
            return Fate(6_000)
        after_ms = 2_000 + int(self.rng.random() * 4_000)
        self.answered_ms = [each for each in self.answered_ms if each > at_ms - 20_000]
        busy = sum(abs(each - at_ms - after_ms) < 5_000 for each in self.answered_ms)
        self.answered_ms.append(at_ms + after_ms)
        fails = at_ms < BEGIN_MS + self.scene.mended_ms and self.rng.random() < self.scene.broken
        audio_ms = 3_000 if fails or busy >= self.scene.bears else 400
        return Fate(after_ms + 6_000, after_ms, audio_ms)


@dataclass(slots=True)
class Told:
    """`course`: minutes since the begin, dials, rate so far in 30 days, level; `log`: entries."""

    scene: Scene
    course: list[tuple[int, int, Answers, str]] = field(default_factory=list)
    log: list[tuple[int, str, str]] = field(default_factory=list)
    dials: int = 0

    def lines(self) -> Iterator[str]:
        yield f"{self.scene.name}: {self.dials} dials"
        yield f"{'minute':>8}{'dials':>7}{'answered':>10}{'abandoned':>11}{'rate':>8}  level"
        step = max(1, len(self.course) // 12)
        for minute, dials, answers, level in (*self.course[:5], *self.course[5::step]):
            counted = f"{answers.answered:10}{answers.abandoned:11}{answers.rate:8.2%}"
            yield f"{minute:8}{dials:7}{counted}  {level}"
        yield from (f"  minute {minute}: {level}: {why}" for minute, level, why in self.log[:6])
        if len(self.log) > 6:
            yield f"  … and {len(self.log) - 6} changes more"

    def faults(self) -> Iterator[str]:
        levels = [level for _, level, _ in self.log]
        last = self.course[-1][2]
        if "over" not in levels:
            yield f"{self.scene.name}: the rate was never over the limit, so nothing was shown"
        if last.rate >= self.scene.limit or self.dials != self.scene.contacts:
            yield f"{self.scene.name}: ended at {last.rate:.2%} after {self.dials} dials"
        if any(not why for _, level, why in self.log if level != "full"):
            yield f"{self.scene.name}: a level without a reason"
        if (self.scene.broken > 0) is not ("stopped" in levels):
            yield f"{self.scene.name}: a halt is for answers that fail one at a time, got {levels}"


class _Notes:
    """Live answers become attempts, so that the real meter can count them."""

    def __init__(self, database: Database, meter: Meter) -> None:
        self._database, self._meter, self._made = database, meter, 0

    async def note(self, campaign: str, dialled_ms: int, answered_ms: int, abandoned: bool) -> None:
        self._made += 1
        row = {
            "attempt_id": str(self._made), "contact_id": 1, "campaign_id": campaign,
            "ordinal": self._made, "number": "+1", "from_number": "+1", "state": "ended",
            "intended_at_ms": dialled_ms, "answered_at_ms": answered_ms, "worker": "w",
        }  # fmt: skip
        async with self._database.writing() as connection:
            await connection.execute(insert(attempts).values(**row))
        await self._meter.note(str(self._made), answered_ms, abandoned)


async def abandoned(scene: Scene) -> Told:
    """The whole scene."""
    with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder:
        database = Database(sql_url(f"sqlite:///{Path(folder) / 'bench.db'}"))
        await database.upgrade()
        try:
            return await _played(scene, database)
        finally:
            await database.close()


async def _played(scene: Scene, database: Database) -> Told:
    await _begin(database)
    clock, meter, told = Clock(BEGIN_MS), Meter(database), Told(scene)
    limits = AccountLimits(calls_per_second=10, number_calls_per_second=5)
    plan = Plan(
        name=NAME, agent="a", caller_ids=CallerIds(numbers=POOL),
        pacing=PlannedPacing(calls_per_second=5, concurrent=100, ramp_minutes=5),
        limits=Limits(abandonment=scene.limit),
    )  # fmt: skip
    pacing = Pacing(BooksHere(clock.us, leases=False), meter, limits, None)
    line = StrainedLine(scene, random.Random(SEED))
    campaign = Campaign(NAME, plan, [(0, n) for n in range(scene.contacts)])
    run = Run(
        clock, [campaign], pacing, _anybody, People(scene.contacts).person, line,
        _Notes(database, meter),
    )  # fmt: skip

    async def look() -> None:
        minute = (clock.now_ms - BEGIN_MS) // MINUTE_MS
        pace = await pacing.pace(NAME, plan, clock.now_ms)
        answers = await meter.answers(NAME, clock.now_ms)
        told.course.append((minute, len(run.log.at_ms), answers, pace.throttle.level))
        if campaign.contacts:
            run.at(clock.now_ms + MINUTE_MS, look)

    async def resume() -> None:
        await _log(database, clock.now_ms, "resume", {})

    run.at(BEGIN_MS, look)
    if scene.mended_ms:
        run.at(BEGIN_MS + scene.mended_ms, resume)
    await run.go()
    await look()
    told.dials, told.log = len(run.log.at_ms), await _levels(database)
    return told


def _anybody(campaign: str, person: Person, now_ms: int) -> Allowed:
    return Allowed(FAR_MS)


async def _begin(database: Database) -> None:
    campaign = {
        "campaign_id": NAME, "state": "running", "plan": {}, "plan_version": "1",
        "created_at_ms": BEGIN_MS, "changed_at_ms": BEGIN_MS,
    }  # fmt: skip
    contact: dict[str, Any] = {
        "contact_id": 1, "campaign_id": NAME, "number": "+1", "numbers": [], "zones": [],
        "variables": {}, "row": 1, "state": "done", "due_at_ms": 0,
    }  # fmt: skip
    async with database.writing() as connection:
        await connection.execute(insert(campaigns).values(**campaign))
        await connection.execute(insert(contacts).values(**contact))
    await _log(database, BEGIN_MS, "start", {})


async def _log(database: Database, at_ms: int, what: str, detail: dict[str, Any]) -> None:
    row = {"campaign_id": NAME, "at_ms": at_ms, "by": "bench", "what": what, "detail": detail}
    async with database.writing() as connection:
        await connection.execute(insert(campaign_log).values(**row))


async def _levels(database: Database) -> list[tuple[int, str, str]]:
    query = select(campaign_log.c.at_ms, campaign_log.c.detail)
    async with database.reading() as connection:
        rows = await connection.execute(
            query.where(campaign_log.c.what == THROTTLE).order_by(campaign_log.c.entry_id)
        )
        return [
            ((row.at_ms - BEGIN_MS) // MINUTE_MS, row.detail["level"], row.detail["why"])
            for row in rows
        ]
