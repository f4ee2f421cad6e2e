"""Exactly once, proved by kill -9: dialler workers die at every step of the dial path, then at
random, and afterwards the ledger is held beside the carrier's own log.

    python -m bench.dialling [--postgres] [--contacts 10000] [--kills 200] [--seed 6]

SQLite has one worker, PostgreSQL four. The campaign is paused and resumed meanwhile, workers are
stopped by SIGTERM, and numbers are put on the do-not-call list. Exits 1 where somebody was dialled
twice for one attempt or lost, where ledger and log differ, or where a step was never died at.
"""

import argparse
import asyncio
import multiprocessing
import random
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final, Literal, get_args

from sqlalchemy import insert, select, update

from app.campaigns.dialling.writes import Point, Step
from app.campaigns.loading import plan_data
from app.campaigns.plan import CallerIds, Plan
from app.campaigns.plan import Step as PlanStep
from app.records.database import Database, sql_url
from app.records.tables import campaigns, contacts, do_not_call
from bench import dialling_carrier
from bench.dialling_audit import Audit, audit, read
from bench.dialling_worker import FIRST_DUE_MS, FROM, LIMIT_MS, Job, run
from bench.postgres import postgres_server

CAMPAIGN: Final = "bench"
_WHEN: Final[tuple[Literal["before", "after"], ...]] = ("before", "after")
UNREACHED: Final[frozenset[Point]] = frozenset(
    {
        ("before", "ask"),
        *((when, step) for when in _WHEN for step in ("forget", "text")),
    }
)
"""No harm can come before a question; this carrier forgets no call; no text messages are sent here
(tests/campaigns/dialling/test_texts.py has their deaths)."""
POINTS: Final[frozenset[Point]] = (
    frozenset((when, step) for when in _WHEN for step in get_args(Step)) - UNREACHED
)
SELDOM: Final[frozenset[Point]] = frozenset(
    (when, step)
    for when, step in POINTS
    if step in ("adopt", "give_up", "withdraw", "put_back", "refuse", "complete")
)
"""What the first worker, who dies at everything, may never come to: all others die there too."""
LEAVING: Final[frozenset[Point]] = frozenset({("before", "let_go"), ("after", "let_go")})
PLAN: Final = Plan(
    agent="receptionist",
    caller_ids=CallerIds(numbers=(FROM,)),
    steps=(
        PlanStep(on=("busy", "no_answer", "failed"), after="1s"),
        PlanStep(on=("invalid_number",), then="other_number", after="1s", times=5),
    ),
)
HALTS: Final = 6
"""How often, at the least, the campaign is paused, and people are put on the do-not-call list."""
RARE: Final[frozenset[Step]] = frozenset({"withdraw", "ask", "adopt", "give_up"})
"""What a short run may do without."""
TRIES: Final = 10
READY_S: Final = 30.0
STUCK_S: Final = 60.0
"""So long nothing may happen at all."""


@dataclass(slots=True)
class Told:
    audit: Audit
    took_s: float
    died_at: set[Point] = field(default_factory=set)
    killed: int = 0
    stopped: int = 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--contacts", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=6)
    given = parser.parse_args()
    with database_url(postgres=given.postgres) as url:
        workers = 4 if given.postgres else 1
        told = hold(url, workers, given.contacts, given.kills, given.seed)
    return show(told, given.contacts)


@contextmanager
def database_url(*, postgres: bool) -> Iterator[str]:
    with ExitStack() as stack:
        if postgres:
            yield stack.enter_context(postgres_server()).database()
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="earshot-"))
            yield f"sqlite:///{folder}/earshot.db"


def hold(url: str, workers: int, people: int, kills: int, seed: int) -> Told:
    """Dial them all, with deaths on the way."""
    asyncio.run(_fill(url, people))
    port = free_port()
    carrier = forked(dialling_carrier.run, seed, LIMIT_MS / 1_000, port)
    await_port(port)
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="earshot-") as folder:
        crew = Crew(url, workers, port, Path(folder), random.Random(seed))
        try:
            pauses = crew.work(people, kills)
        finally:
            crew.end()
        log = dialling_carrier.ask(port, "log")
        carrier.terminate()
        carrier.join()
    found = audit(asyncio.run(read(url)), log, PLAN, pauses)
    took_s = time.monotonic() - began_s
    return Told(found, took_s, crew.died_at, crew.killed, crew.stopped)


class Crew:
    """The workers, and who kills them."""

    def __init__(
        self, url: str, workers: int, carrier: int, folder: Path, chance: random.Random
    ) -> None:
        self._url = url
        self._carrier = carrier
        self._folder = folder
        self._chance = chance
        self._listeners = tuple(free_port() for _ in range(workers))
        self._living: dict[int, tuple[BaseProcess, Path]] = {}
        self._born = 0
        self._looked_s = 0.0
        self.died_at: set[Point] = set()
        self.killed = 0
        self.stopped = 0

    def work(self, people: int, kills: int) -> list[tuple[int, int]]:
        """Until all is dialled: first a death at every step, then `kills` at random, spread over
        the run, with pauses and opt-outs. Returns when the campaign was paused."""
        pauses: list[tuple[int, int]] = []
        next_kill, asked, changed_s, halts = 0.0, 0, time.monotonic(), 0
        while not self._over():
            self._replace()
            time.sleep(0.1)
            before, asked = asked, dialling_carrier.ask(self._carrier, "count")
            if asked != before:
                changed_s = time.monotonic()
            elif time.monotonic() - changed_s > STUCK_S:
                raise RuntimeError(f"nothing was dialled for {STUCK_S:g} s; {asked} orders so far")
            if self.killed < kills and asked >= next_kill:
                self._kill()
                next_kill = asked + self._chance.uniform(0.2, 1.5) * people / max(kills, 1)
            if asked > people * (halts + 1) / max(HALTS, people // 400):
                halts += 1
                asyncio.run(_opt_out(self._url, people, self._chance))
                pauses.append(self._halt())
        return pauses

    def _over(self) -> bool:
        """Looked at seldom: it takes a connection each time."""
        if time.monotonic() < self._looked_s + 1.0:
            return False
        over = asyncio.run(_over(self._url))
        self._looked_s = time.monotonic()
        return over

    def _replace(self) -> None:
        """Where a worker died, another one comes; the first dies too, at a step that is left."""
        for place in range(len(self._listeners)):
            if place in self._living:
                process, note = self._living[place]
                if process.is_alive():
                    continue
                process.join()
                self._read(note)
            self._born += 1
            note = self._folder / f"died-{self._born}"
            job = Job(
                url=self._url,
                name=f"worker-{self._born}",
                carrier=self._carrier,
                listen=self._listeners[place],
                listeners=self._listeners,
                die_at=(POINTS if place == 0 else SELDOM) - self.died_at,
                died=note,
            )
            self._living[place] = forked(run, job), note

    def _read(self, note: Path) -> None:
        if note.exists():
            when, step = note.read_text().split()
            self.died_at |= {point for point in POINTS if point == (when, step)}

    def _kill(self) -> None:
        """By SIGKILL; now and then by SIGTERM, which must lose nobody either. Also for as long as
        nobody has died while leaving."""
        place = self._chance.choice(sorted(self._living))
        leaving = not self.died_at >= LEAVING
        if leaving and self.stopped % 2 == 0:
            place = 0
        process, _ = self._living[place]
        if not process.is_alive():
            return  # it has just died at a step
        if self._chance.random() < (0.5 if leaving else 0.15):
            process.terminate()
            self.stopped += 1
            return
        process.kill()
        self.killed += 1

    def _halt(self) -> tuple[int, int]:
        began_ms = asyncio.run(_state(self._url, "paused"))
        time.sleep(0.8)
        ended_ms = _now_ms()
        asyncio.run(_state(self._url, "running"))
        return began_ms, ended_ms

    def end(self) -> None:
        """Those who are left leave; some die while they do."""
        self._stop_all()
        for _ in range(TRIES):
            if self.died_at >= LEAVING:
                return
            self._replace()
            time.sleep(0.5)
            self._stop_all()

    def _stop_all(self) -> None:
        for process, note in self._living.values():
            if process.is_alive():  # the number of one that is dead may be another's by now
                process.terminate()
                process.join(5)
            if process.is_alive():
                process.kill()
                process.join()
            self._read(note)
        self._living.clear()


async def _fill(url: str, people: int) -> None:
    database = Database(sql_url(url))
    await database.upgrade()
    campaign = {
        "campaign_id": CAMPAIGN,
        "state": "running",
        "plan": plan_data(PLAN),
        "plan_version": "1",
        "created_at_ms": 0,
        "changed_at_ms": 0,
    }
    async with database.writing() as connection:
        await connection.execute(insert(campaigns), [campaign])
        await connection.execute(insert(contacts), [_contact(n) for n in range(people)])
    await database.close()


def _contact(number: int) -> dict[str, object]:
    """Every tenth person has a second number."""
    numbers = [f"+1555{number:07}", *([f"+1666{number:07}"] if number % 10 == 0 else [])]
    return {
        "campaign_id": CAMPAIGN,
        "number": numbers[0],
        "numbers": numbers,
        "zones": ["America/New_York"],
        "variables": {},
        "row": number,
        "state": "waiting",
        "due_at_ms": FIRST_DUE_MS,
    }


async def _over(url: str) -> bool:
    database = Database(sql_url(url))
    async with database.reading() as connection:
        state = (await connection.execute(select(campaigns.c.state))).scalar_one()
    await database.close()
    return bool(state == "completed")


async def _state(url: str, state: str) -> int:
    """When it was committed, Unix ms. A completed campaign stays so."""
    database = Database(sql_url(url))
    async with database.writing() as connection:
        moved = update(campaigns).where(campaigns.c.state != "completed")
        await connection.execute(moved.values(state=state))
    at_ms = _now_ms()
    await database.close()
    return at_ms


async def _opt_out(url: str, people: int, chance: random.Random) -> None:
    """One in two hundred, whatever becomes of them just now."""
    numbers = [f"+1555{n:07}" for n in chance.sample(range(people), max(people // 200, 1))]
    database = Database(sql_url(url))
    async with database.writing() as connection:
        known = select(do_not_call.c.number).where(do_not_call.c.number.in_(numbers))
        there = set((await connection.execute(known)).scalars())
        rows = [
            {"number": number, "source": "own", "at_ms": _now_ms()}
            for number in numbers
            if number not in there
        ]
        if rows:
            await connection.execute(insert(do_not_call), rows)
    async with database.writing() as connection:
        late = update(do_not_call).where(do_not_call.c.number.in_([r["number"] for r in rows]))
        await connection.execute(late.values(at_ms=_now_ms()))
    await database.close()


def show(told: Told, people: int) -> int:
    print(f"{people} contacts, {told.took_s:.0f} s")
    figures = {
        f"steps died at, of {len(POINTS)}": len(told.died_at),
        "kill -9 at random": told.killed,
        "stopped by SIGTERM": told.stopped,
        **told.audit.figures,
    }
    for name, count in figures.items():
        print(f"  {name:<46} {count}")
    for name, found in told.audit.problems.items():
        print(f"  {name:<46} {len(found)} {list(found[:3]) if found else ''}")
    missing = sorted(POINTS - told.died_at)
    for when, step in missing:
        print(f"  nobody died {when} {step}")
    return int(bool(missing) or any(told.audit.problems.values()))


def forked(work: Callable[..., None], *given: object) -> BaseProcess:
    """From a process that has loaded everything and has no threads, which this one may have."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "bench.dialling_worker", "bench.dialling_carrier"])
    process = context.Process(target=work, args=given, daemon=True)
    process.start()
    return process


def await_port(port: int) -> None:
    """Until something listens there."""
    limit_s = time.monotonic() + READY_S
    while time.monotonic() < limit_s:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the carrier did not listen within {READY_S:g} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
