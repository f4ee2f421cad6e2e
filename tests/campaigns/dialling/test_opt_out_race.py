"""Whoever says that they want no more calls, in words, by the key or by STOP, is dialled no more by
any campaign, while workers of two campaigns dial them as fast as they can: what was on its way to
the carrier by then is all that may still ring."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.campaigns.dialling.hearing import Hearing
from app.campaigns.dialling.ledger import Hindrance, Ledger
from app.campaigns.dialling.words import Attempt, Campaign, Contact, Next, Timing
from app.campaigns.dialling.worker import Worker
from app.campaigns.dialling.writes import Writes
from app.campaigns.ports import Order, Placed
from app.gate import Gate
from app.opting_out import OptingOut
from app.persona import Personas
from app.policy.dialing.words import Allowed, Answer
from app.records.database import Database
from app.records.do_not_call import DoNotCall
from app.settings import Settings
from app.text.digests import Digests
from app.text.opt_out_file import OptOutFile
from app.text.opt_outs import KeptOptOuts
from tests.campaigns.dialling.stage import Paced, ToldCarrier, heard, people, rows, set_state
from tests.campaigns.lists import NOW_MS, listed, made, number

PEOPLE = 12
CAMPAIGNS = ("spring", "summer")
SPEED = 100
"""The clock's: a number that is being dialled by another campaign is looked at again after 60 s."""
TIMING = Timing(lease_ms=10**9, send_within_ms=10**9, look_ms=20, quiet_ringing_ms=10**9)


@dataclass(slots=True)
class Course:
    """What happened, in its order: ("look", attempt), ("dial", attempt), ("out", number)."""

    events: list[tuple[str, str]] = field(default_factory=list)
    called: dict[str, str] = field(default_factory=dict)
    """The number of each attempt that was dialled."""

    def late(self, who: str) -> list[str]:
        """Dials of this number whose last look at the list began when it was on it."""
        out = self.events.index(("out", who))
        return [
            attempt_id
            for attempt_id, called in self.called.items()
            if called == who and self.events.index(("look", attempt_id)) > out
        ]

    def dials(self, who: str) -> int:
        return list(self.called.values()).count(who)


class RacedCarrier(ToldCarrier):
    """Takes every order at once."""

    course: Course

    async def place(self, order: Order) -> Placed:
        self.course.called[order.attempt_id] = order.to
        self.course.events.append(("dial", order.attempt_id))
        return Placed(f"CA{order.attempt_id}")


async def any_time(campaign: Campaign, contact: Contact, now_ms: int) -> Answer:
    return Allowed(now_ms + 10**9)


async def at_once(campaign: Campaign, contact: Contact, attempt: Attempt, now_ms: int) -> Next:
    return Next("waiting", now_ms, contact.number, 0)


@contextlib.asynccontextmanager
async def dialled_over_and_over(database: Database, course: Course) -> AsyncIterator[None]:
    """By a worker for each core of a small office; with SQLite by the one there may be."""
    began_s = time.monotonic()
    carrier = RacedCarrier()
    carrier.course = course

    def clock() -> int:
        return NOW_MS + round((time.monotonic() - began_s) * 1_000 * SPEED)

    names = ("w1", "w2") if database.kind == "postgresql" else ("w1",)
    workers = [
        Worker(name, database, carrier, any_time, Paced(), clock, follow=at_once, timing=TIMING)
        for name in names
    ]
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    ending = asyncio.create_task(end_calls(database))
    try:
        yield
    finally:
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)
        for worker in workers:
            worker.stop()
        await asyncio.gather(*tasks)


async def end_calls(database: Database) -> None:
    """Nobody talks for long."""
    hearing = Hearing(Writes(database))
    while True:
        for row in await rows(database):
            if row["state"] == "placed":
                news = heard(row["attempt_id"], "completed", call_id=row["call_id"])
                await hearing.hear(news)
        await asyncio.sleep(0)


async def test_no_dial_begins_after_an_opt_out(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in CAMPAIGNS:
        await made(database, name)
        await listed(database, PEOPLE, name)
    await set_state(database, "running")
    course, asked = Course(), Ledger.hindrance

    async def looked(ledger: Ledger, attempt_id: str) -> Hindrance | None:
        course.events.append(("look", attempt_id))
        return await asked(ledger, attempt_id)

    monkeypatch.setattr(Ledger, "hindrance", looked)
    texts = KeptOptOuts(OptOutFile(tmp_path), None, Digests(["secret"]))
    gate = Gate(Personas(Settings(openai_api_key=SecretStr("sk-x"))))
    opting_out = OptingOut(DoNotCall(database, tmp_path), texts, gate)
    texts.told = opting_out.wrote
    dice = random.Random(6)

    async def opts_out(at: int) -> None:
        who = number(at)
        while course.dials(who) < 1 + at % 3:  # noqa: ASYNC110 - it is a race
            await asyncio.sleep(0.002)
        await asyncio.sleep(dice.random() * 0.05)
        match at % 3:
            case 0:
                assert await opting_out.said(who, "CA1", "receptionist")
            case 1:
                assert await opting_out.pressed(who, "CA1", "receptionist")
            case _:
                await texts.out(who, "sms")
        course.events.append(("out", who))

    async with dialled_over_and_over(database, course), asyncio.timeout(240):
        await asyncio.gather(*(opts_out(at) for at in range(1, PEOPLE + 1)))
        while any(  # noqa: ASYNC110 - the database tells nobody
            row["state"] != "never" for row in await people(database)
        ):
            await asyncio.sleep(0.02)
    for at in range(1, PEOPLE + 1):
        assert course.late(number(at)) == []
        assert course.dials(number(at)) >= 1
    assert {row["why_rule"] for row in await people(database)} == {"do_not_call"}
