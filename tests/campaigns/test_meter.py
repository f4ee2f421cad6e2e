"""Each live answer counts once, on the day of its answer, whatever is said of it how often; a rate
over the limit leads to one call at a time, to a halt, and back, and the campaign's log says so."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from app.campaigns.meter import DAY_MS, DAYS, Meter, UnknownAttemptError
from app.campaigns.throttle import Answers
from app.records.database import Database, DatabaseAwayError, sql_url
from app.records.tables import abandonment, attempts, campaign_log, campaigns, contacts

NOW_MS = 1_800_000_000_000 // DAY_MS * DAY_MS + DAY_MS // 2
LIMIT = 0.03


class Campaign:
    """One with contacts, whose attempts are written as they are made."""

    def __init__(self, database: Database, name: str = "c") -> None:
        self.database, self.name, self.meter = database, name, Meter(database)
        self.made = 0

    async def begin(self) -> None:
        row = {"campaign_id": self.name, "state": "running", "plan": {}, "plan_version": "1"}
        async with self.database.writing() as connection:
            times = {"created_at_ms": NOW_MS, "changed_at_ms": NOW_MS - 500}
            await connection.execute(insert(campaigns).values(**row, **times))
            contact: dict[str, Any] = {
                "contact_id": 1 if self.name == "c" else 2,
                "campaign_id": self.name,
                "number": "+12125550101",
                "numbers": [],
                "zones": [],
                "variables": {},
                "row": 1,
                "state": "waiting",
                "due_at_ms": 0,
            }
            await connection.execute(insert(contacts).values(**contact))

    async def attempt(self, intended_at_ms: int = NOW_MS, answered_at_ms: int | None = None) -> str:
        self.made += 1
        attempt_id = f"{self.name}-{self.made}"
        row: dict[str, Any] = {
            "attempt_id": attempt_id,
            "contact_id": 1 if self.name == "c" else 2,
            "campaign_id": self.name,
            "ordinal": self.made,
            "number": "+12125550101",
            "from_number": "+12125550102",
            "state": "ended",
            "intended_at_ms": intended_at_ms,
            "answered_at_ms": answered_at_ms,
            "worker": "w1",
        }
        async with self.database.writing() as connection:
            await connection.execute(insert(attempts).values(**row))
        return attempt_id

    async def answered(self, *verdicts: bool, at_ms: int = NOW_MS) -> None:
        for verdict in verdicts:
            await self.meter.note(await self.attempt(at_ms), at_ms, verdict)

    async def logged(self, what: str, at_ms: int) -> None:
        entry = {"campaign_id": self.name, "at_ms": at_ms, "by": "me", "what": what, "detail": {}}
        async with self.database.writing() as connection:
            await connection.execute(insert(campaign_log).values(**entry))

    async def levels(self) -> list[str]:
        query = select(campaign_log.c.detail).where(campaign_log.c.what == "throttle")
        async with self.database.reading() as connection:
            rows = await connection.execute(query.order_by(campaign_log.c.entry_id))
            return [row.detail["level"] for row in rows]


@pytest.fixture
async def campaign(database: Database) -> AsyncIterator[Campaign]:
    made = Campaign(database)
    await made.begin()
    yield made


async def test_a_verdict_counts_once_and_the_newest_word_holds(campaign: Campaign) -> None:
    meter, attempt_id = campaign.meter, await campaign.attempt()
    for verdict, expected in (
        (False, Answers(1, 0)),
        (False, Answers(1, 0)),
        (True, Answers(1, 1)),
        (True, Answers(1, 1)),
        (None, Answers(0, 0)),
        (None, Answers(0, 0)),
        (True, Answers(1, 1)),
        (False, Answers(1, 0)),
    ):
        await meter.note(attempt_id, NOW_MS, verdict)
        assert await meter.answers("c", NOW_MS) == expected


async def test_the_sums_are_those_of_the_attempts_whatever_came_at_once(
    campaign: Campaign,
) -> None:
    rng = random.Random(6)
    ids = [await campaign.attempt() for _ in range(8)]
    said = [
        (attempt_id, rng.choice((True, False, None)), rng.randrange(3) * DAY_MS)
        for attempt_id in ids * 5
    ]
    rng.shuffle(said)
    await asyncio.gather(
        *(campaign.meter.note(each, NOW_MS - ago_ms, verdict) for each, verdict, ago_ms in said)
    )
    async with campaign.database.reading() as connection:
        rows = (await connection.execute(select(attempts))).all()
        days = (await connection.execute(select(abandonment))).all()
    by_day = {
        (row.day, row.answered, row.abandoned) for row in days if row.answered or row.abandoned
    }
    expected = set()
    for day in {row.answered_at_ms // DAY_MS for row in rows}:
        verdicts = [row.abandoned for row in rows if row.answered_at_ms // DAY_MS == day]
        known = [verdict for verdict in verdicts if verdict is not None]
        expected.add((day, len(known), sum(known)))
    assert by_day == {each for each in expected if each[1]}


async def test_the_attempts_own_time_of_the_answer_counts(campaign: Campaign) -> None:
    early_ms = NOW_MS - 3 * DAY_MS
    attempt_id = await campaign.attempt(answered_at_ms=early_ms)
    await campaign.meter.note(attempt_id, NOW_MS, True)
    assert await campaign.meter.answers("c", early_ms) == Answers(1, 1)


async def test_a_day_leaves_the_meter_after_thirty(campaign: Campaign) -> None:
    await campaign.answered(True, at_ms=NOW_MS - DAYS * DAY_MS)
    await campaign.answered(False, at_ms=NOW_MS - (DAYS - 1) * DAY_MS)
    assert await campaign.meter.answers("c", NOW_MS) == Answers(1, 0)


async def test_campaigns_are_metered_apart(campaign: Campaign, database: Database) -> None:
    other = Campaign(database, "d")
    await other.begin()
    await campaign.answered(True)
    await other.answered(False)
    assert await campaign.meter.answers("c", NOW_MS) == Answers(1, 1)
    assert await campaign.meter.answers("d", NOW_MS) == Answers(1, 0)


async def test_an_attempt_that_was_never_written_is_our_fault(campaign: Campaign) -> None:
    with pytest.raises(UnknownAttemptError, match="expected an attempt that was written"):
        await campaign.meter.note("nobody", NOW_MS, True)


async def test_above_the_limit_one_at_a_time_then_a_halt_then_again_after_a_resume(
    campaign: Campaign, caplog: pytest.LogCaptureFixture
) -> None:
    async def level(after_s: int) -> tuple[str, bool]:
        throttle = (await campaign.meter.read("c", LIMIT, NOW_MS + after_s * 1000)).throttle
        return throttle.level, throttle.alone

    assert await level(0) == ("full", False)
    await campaign.answered(False, False, True)
    assert await level(1) == ("over", True)
    # Was in the air then: says nothing of calls one at a time.
    await campaign.answered(True, True)
    assert await level(2) == ("over", True)
    await campaign.answered(True, True, at_ms=NOW_MS + 2000)
    assert await level(3) == ("stopped", True)
    assert await level(3600) == ("stopped", True)
    await campaign.logged("resume", NOW_MS + 3_601_000)
    assert await level(3602) == ("over", True)
    await campaign.answered(*[False] * 300, at_ms=NOW_MS + 3_602_000)
    assert await level(3603) == ("near", False)
    assert await campaign.levels() == ["over", "stopped", "over", "near"]
    told = [record for record in caplog.records if record.levelname == "WARNING"]
    assert [record.message for record in told] == [
        "too many answers of a campaign were abandoned"
    ] * 3
    assert {record.fields["campaign"] for record in told} == {"c"}  # type: ignore[attr-defined]


async def test_a_change_is_logged_once_by_all_workers(campaign: Campaign) -> None:
    await campaign.answered(True)
    workers = [Meter(campaign.database) for _ in range(4)]
    readings = await asyncio.gather(*(each.read("c", LIMIT, NOW_MS) for each in workers))
    assert {reading.throttle.level for reading in readings} == {"over"}
    assert await campaign.levels() == ["over"]


async def test_it_knows_since_when_the_campaign_goes(campaign: Campaign) -> None:
    assert (await campaign.meter.read("c", LIMIT, NOW_MS)).begun_ms == NOW_MS - 500
    for what, at_ms in (("start", 1), ("pause", 2), ("resume", 3), ("note", 4)):
        await campaign.logged(what, NOW_MS + at_ms)
    assert (await campaign.meter.read("c", LIMIT, NOW_MS)).begun_ms == NOW_MS + 3
    assert (await campaign.meter.read("unknown", LIMIT, NOW_MS)).begun_ms == NOW_MS


async def test_who_writes_the_answer_first_does_not_lose_it(campaign: Campaign) -> None:
    """The carrier's news and the verdict may come in either order."""
    attempt_id = await campaign.attempt()
    await campaign.meter.note(attempt_id, NOW_MS, False)
    async with campaign.database.writing() as connection:
        row = await connection.execute(select(attempts.c.answered_at_ms))
        assert row.scalar_one() == NOW_MS
        await connection.execute(update(attempts).values(state="ended"))
    assert await campaign.meter.answers("c", NOW_MS) == Answers(1, 0)


async def test_a_database_that_is_away_is_told(tmp_path: Any) -> None:
    away = Database(sql_url(f"postgresql://nobody@/none?host={tmp_path}"))
    with pytest.raises(DatabaseAwayError):
        await Meter(away).read("c", LIMIT, NOW_MS)
    await away.close()
