"""A carrier that does as it is told, a clock that stands, and workers' parts on a database."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select, update

from app.campaigns.dialling.claims import Claims
from app.campaigns.dialling.dial import Dial, Mood
from app.campaigns.dialling.hearing import Hearing
from app.campaigns.dialling.ledger import Ledger
from app.campaigns.dialling.rounds import Rounds
from app.campaigns.dialling.settling import Settling
from app.campaigns.dialling.words import Campaign, Contact, Permit, Timing, Wait
from app.campaigns.dialling.writes import Point, Writes
from app.campaigns.ports import (
    CallFate,
    FateUnknownError,
    Heard,
    LiveCalls,
    NotPlacedError,
    Order,
    Placed,
    Seen,
)
from app.policy.dialing.words import Allowed, Answer
from app.records.database import Database
from app.records.tables import attempts, campaigns, contacts, do_not_call
from tests.campaigns.lists import LINE, NOW_MS, listed, made, number, plan

NAME = "spring"
LEASE_MS = 30_000
TIMING = Timing(lease_ms=LEASE_MS, look_ms=20)
CAMPAIGN = Campaign(NAME, plan(NAME), True)


@dataclass(slots=True)
class Time:
    now_ms: int = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


@dataclass(slots=True)
class ToldCarrier:
    """`answers`: what comes of the next orders, in turn; a call where there is nothing. `knows`:
    what it is found to know."""

    answers: list[Exception | str] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    knows: list[Seen] = field(default_factory=list)
    forgets: bool = False
    """It knows only calls that live."""
    away: bool = False
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    """What happens while it looks for calls."""

    async def place(self, order: Order) -> Placed:
        self.orders.append(order)
        answer = self.answers.pop(0) if self.answers else f"CA{len(self.orders)}"
        if isinstance(answer, Exception):
            raise answer
        if answer == "never":
            await asyncio.Event().wait()
        return Placed(answer)

    async def calls(self, to: str, from_: str, since_ms: int) -> Sequence[Seen]:
        self.asked.append(to)
        if self.away:
            raise FateUnknownError("away")
        self.meanwhile()
        found = [seen for seen in self.knows if seen.created_at_ms >= since_ms]
        return LiveCalls(found) if self.forgets else found

    async def call(self, call_id: str) -> Seen | None:
        self.asked.append(call_id)
        if self.away:
            raise FateUnknownError("away")
        return next((seen for seen in self.knows if seen.call_id == call_id), None)

    async def end(self, call_id: str) -> None:
        raise AssertionError("no dialler hangs up")


@dataclass(slots=True)
class Paced:
    """`waits`: what it says at first, in turn; then it permits. `out`: contacts with a permit."""

    waits: list[Wait] = field(default_factory=list)
    out: list[int] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[None]] | None = None
    """What happens before a permit is given."""

    async def permit(self, campaign: Campaign, contact: Contact, now_ms: int) -> Permit | Wait:
        if self.waits:
            return self.waits.pop(0)
        if self.meanwhile is not None:
            await self.meanwhile()
        self.out.append(contact.contact_id)
        return Permit(LINE)

    async def placed(self, campaign: Campaign, contact: Contact, call_id: str) -> None:
        return None

    async def over(self, campaign: Campaign, contact: Contact) -> None:
        if contact.contact_id in self.out:
            self.out.remove(contact.contact_id)


class Crash(BaseException):
    """A process dies here: nothing of it goes on, so nothing catches it."""


@dataclass(slots=True)
class Points:
    """`crash`: dies there. `seen`: those that were passed."""

    crash: Point | None = None
    seen: list[Point] = field(default_factory=list)

    def __call__(self, point: Point) -> None:
        self.seen.append(point)
        if point == self.crash:
            raise Crash


class Stage:
    """The parts of one worker."""

    def __init__(
        self,
        database: Database,
        worker: str = "w1",
        *,
        clock: Time | None = None,
        carrier: ToldCarrier | None = None,
        timing: Timing = TIMING,
    ) -> None:
        self.database = database
        self.clock = clock or Time()
        self.carrier = carrier or ToldCarrier()
        self.points = Points()
        self.writes = Writes(database, self.points)
        self.claims = Claims(self.writes, worker, timing.lease_ms)
        self.ledger = Ledger(self.writes, worker)
        self.hearing = Hearing(self.writes)
        self.rounds = Rounds(self.writes, worker)
        self.settling = Settling(self.carrier, self.ledger, self.hearing, timing, self.clock)
        self.pace = Paced()
        self.answer: Answer = Allowed(NOW_MS + 10**9)
        self.mood = Mood(running={NAME})
        self.judged = 0
        self.dial = Dial(
            claims=self.claims,
            ledger=self.ledger,
            rounds=self.rounds,
            carrier=self.carrier,
            judge=self._judge,
            pace=self.pace,
            timing=timing,
            clock=self.clock,
            mood=self.mood,
            at=self.points,
        )

    async def _judge(self, campaign: Campaign, contact: Contact, now_ms: int) -> Answer:
        self.judged += 1
        return self.answer

    async def claimed(self) -> Contact:
        (contact,) = await self.claims.claim(NAME, 1, self.clock())
        return contact

    async def requested(self) -> tuple[Contact, str]:
        """A contact whose attempt was requested, and is unknown since."""
        contact = await self.claimed()
        self.carrier.answers = [FateUnknownError("timed out")]
        await self.dial.dial(CAMPAIGN, contact, None)
        return contact, (await rows(self.database))[-1]["attempt_id"]


async def running(database: Database, people: int = 1, **given: Any) -> None:
    """A campaign that runs, with so many contacts that are due."""
    await made(database)
    await listed(database, people, **given)
    await set_state(database, "running")


async def set_state(database: Database, state: str) -> None:
    async with database.writing() as connection:
        await connection.execute(update(campaigns).values(state=state))


async def opt_out(database: Database, who: str = number(1)) -> None:
    async with database.writing() as connection:
        row = {"number": who, "source": "sms", "at_ms": NOW_MS}
        await connection.execute(insert(do_not_call), [row])


async def rows(database: Database) -> list[Mapping[str, Any]]:
    """All attempts, in their order."""
    order = (attempts.c.contact_id, attempts.c.ordinal)
    async with database.reading() as connection:
        found = await connection.execute(select(attempts).order_by(*order))
        return [dict(row) for row in found.mappings()]


async def states(database: Database) -> list[str]:
    return [row["state"] for row in await rows(database)]


async def people(database: Database) -> list[Mapping[str, Any]]:
    async with database.reading() as connection:
        found = await connection.execute(select(contacts).order_by(contacts.c.contact_id))
        return [dict(row) for row in found.mappings()]


async def person(database: Database) -> Mapping[str, Any]:
    return (await people(database))[0]


def heard(
    attempt_id: str,
    fate: CallFate,
    *,
    call_id: str = "CA1",
    sequence: int = 1,
    at_ms: int = NOW_MS,
    answered_by: str = "",
    sip_code: int | None = None,
) -> Heard:
    return Heard(attempt_id, call_id, fate, sequence, at_ms, None, answered_by, sip_code)


TOO_MANY = NotPlacedError("too many requests", again_after_ms=2_000)
NO_SUCH = NotPlacedError("no such number", number_is_wrong=True)
