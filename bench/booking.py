"""`python -m bench.booking`: a booking is made exactly once, wherever its worker is killed.

A real booking service (HTTP, SQLite, a process of its own), a real Redis server, and workers that
are processes of their own. In each run one worker is killed (`kill -9`) at one step of a tool call,
and the next worker takes the call over from Redis. Counted are the bookings at the service, and
what the model was told. Then whole calls: `earshot serve` with three workers, telephones and a
model, whose workers are killed one after the other while their callers' tools run.

`--quick`: fewer runs. Exit 1: something was booked twice or not at all, or the model was not told.
"""

import argparse
import asyncio
import http.client
import os
import random
import select
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console

from app.demo.stage import free_port
from bench.booking_calls import whole_calls
from bench.booking_server import decoded
from bench.booking_worker import HOLDS, STEPS, Job, Step, fork, loaded
from bench.processes import PinnedProcess, two_cores
from bench.relay_figures import Target, none_of, table
from bench.relay_fleet import Redis

RUNS: Final = 1_000
RUNS_QUICK: Final = 80
UNSURE_RUNS: Final = 80
UNSURE_RUNS_QUICK: Final = 16
SEED: Final = 5
LIMIT_S: Final = 40.0
WRONG_SHOWN: Final = 20


@dataclass
class Tally:
    """What came of the runs that were killed at one step."""

    runs: int = 0
    bookings: Counter[int] = field(default_factory=Counter)
    """By how often it was booked."""
    told: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Service:
    """The booking service, as the bench speaks to it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: expected 200, got {answer.status}")
        return body


@contextmanager
def service(folder: Path) -> Iterator[Service]:
    port = free_port()
    argv = [sys.executable, "-m", "bench.booking_server", str(port), str(folder)]
    core = two_cores()[1]
    with PinnedProcess(argv, {}, core=core, port=port, log=folder / "service.log"):
        yield Service(port)


def one_run(job: Job, there: Service, dice: random.Random) -> str:
    """Kill one worker at its step, let the next one take over. What the model was told then."""
    step = job.stop_at
    assert step is not None, "every run has a step at which a worker dies"
    pid, reads = fork(job)
    if step in HOLDS:
        there.ask("GET", f"/arrived/{job.run}")
    else:
        _line(reads)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(reads)
    late = step in HOLDS and dice.random() < 0.5
    if step in HOLDS and not late:
        there.ask("POST", f"/go/{job.run}")
    following = Job(
        job.run, job.redis_url, job.service_url, job.folder, None, job.idempotent, resumes=True
    )
    pid, reads = fork(following)
    if late:
        time.sleep(dice.uniform(0.05, 0.4))
        there.ask("POST", f"/go/{job.run}")
    told = _line(reads)
    os.close(reads)
    os.waitpid(pid, 0)
    return told


def _line(reads: int) -> str:
    """What a worker reports; "": it ended without a word, or did not in time."""
    ready, _, _ = select.select([reads], [], [], LIMIT_S)
    return os.read(reads, 65_536).decode().strip() if ready else ""


def killed_at_every_step(
    runs: int, redis_url: str, there: Service, folder: Path, *, idempotent: bool
) -> dict[Step, Tally]:
    dice = random.Random(SEED)
    told: dict[str, tuple[Step, str]] = {}
    for number in range(runs):
        step = STEPS[number % len(STEPS)]
        name = f"{'run' if idempotent else 'unsure'}-{number}"
        url = f"http://127.0.0.1:{there.port}"
        job = Job(name, redis_url, url, folder, step, idempotent, resumes=False)
        told[name] = step, one_run(job, there, dice)
        if sys.stderr.isatty():
            print(f"\r{number + 1}/{runs}", end="", file=sys.stderr)
    booked = decoded(there.ask("GET", "/runs"))
    tallies: dict[Step, Tally] = {step: Tally() for step in STEPS}
    for name, (step, said) in told.items():
        _count(tallies[step], name, said, booked.get(name, []), idempotent=idempotent)
    return tallies


def _count(tally: Tally, name: str, said: str, booked: list[str], *, idempotent: bool) -> None:
    tally.runs += 1
    tally.bookings[len(booked)] += 1
    sure = len(booked) == 1 and booked[0] in said
    unsure = "not known whether" in said
    tally.told["the result" if sure else "that nobody knows" if unsure else "something else"] += 1
    right = sure if idempotent else (sure or (unsure and len(booked) <= 1))
    if not right:
        tally.wrong.append(f"{name}: booked {booked}, the model was told {said!r}")


def shown(title: str, tallies: dict[Step, Tally], console: Console) -> tuple[Target, ...]:
    columns = ("killed", "runs", "booked once", "twice", "never", "result told", "told unknown")
    rows = [
        [
            step,
            str(t.runs),
            str(t.bookings[1]),
            str(sum(n for times, n in t.bookings.items() if times > 1)),
            str(t.bookings[0]),
            str(t.told["the result"]),
            str(t.told["that nobody knows"]),
        ]
        for step, t in tallies.items()
    ]
    console.print(table(title, columns, rows))
    wrong = [line for tally in tallies.values() for line in tally.wrong]
    for line in wrong[:WRONG_SHOWN]:
        console.print(line)
    runs = sum(tally.runs for tally in tallies.values())
    return (none_of(f"{title}: wrong, of {runs} runs", len(wrong)),)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-calls", action="store_true", help="leave the whole calls out")
    given = parser.parse_args()
    console = Console(width=100)
    loaded()
    targets: tuple[Target, ...] = ()
    with tempfile.TemporaryDirectory(prefix="earshot-booking-") as name:
        folder = Path(name)
        redis = Redis(folder / "redis")
        redis.start()
        try:
            with service(folder) as there:
                for idempotent, title, runs in (
                    (True, "Idempotent", RUNS_QUICK if given.quick else RUNS),
                    (False, "Not idempotent", UNSURE_RUNS_QUICK if given.quick else UNSURE_RUNS),
                ):
                    tallies = killed_at_every_step(
                        runs, redis.url, there, folder, idempotent=idempotent
                    )
                    targets += shown(title, tallies, console)
        finally:
            redis.kill()
    if not given.no_calls:
        targets += asyncio.run(whole_calls(quick=given.quick, console=console))
    rows = [[t.what, t.wanted, t.found, "met" if t.met else "MISSED"] for t in targets]
    console.print(table("Targets", ("", "wanted", "found", ""), rows))
    return 0 if all(target.met for target in targets) else 1


if __name__ == "__main__":
    sys.exit(main())
