"""`python -m bench.records [--calls 60] [--kills 5] [--seed N]`: a dying database harms no call.

So many calls at once, over real sockets, at one worker, while its PostgreSQL is killed (SIGKILL,
all of its processes) and started again. Afterwards every row is compared with the calls' files.
Exits 0 only if every call went as it was scripted and nothing is missing, doubled or different.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import uvloop
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from app.observe.log import configure_logging
from bench.postgres import NoPostgresError, PostgresProcess, postgres_server
from bench.records_calls import Held, hold

FIRST_S, ALIVE_S, DEAD_S = 2.0, (0.5, 2.5), (0.2, 2.5)
"""Before the first kill; between two; until the server is started again."""


@dataclass(slots=True)
class Killer:
    """Kills the server again and again, and starts it."""

    server: PostgresProcess
    kills: int
    chance: Random
    dead_s: list[float] = field(default_factory=list)

    async def __call__(self) -> None:
        await asyncio.sleep(FIRST_S)
        clock = asyncio.get_running_loop().time
        for _ in range(self.kills):
            await asyncio.to_thread(self.server.kill)
            killed_s = clock()
            await asyncio.sleep(self.chance.uniform(*DEAD_S))
            await asyncio.to_thread(self.server.start)
            self.dead_s.append(clock() - killed_s)
            await asyncio.sleep(self.chance.uniform(*ALIVE_S))


def harmed(held: Held) -> list[str]:
    """Calls that did not go as they were scripted, or ended for another reason."""
    odd = [report for report in held.reports if not report.as_scripted]
    ends = [timeline["end_reason"] for timeline in held.timelines]
    return [
        *(f"not as scripted: {r.ended_by}, {r.errors[:1]}, {r.unfinished[:1]}" for r in odd),
        *(f"ended as {end}" for end in ends if end != "agent_hung_up"),
    ]


def shown(held: Held, killer: Killer, problems: Sequence[str], hurt: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for name in ("", "wanted", "found"):
        table.add_column(name, justify="left" if not name else "right")
    turns = sum(len(timeline["turns"]) for timeline in held.timelines)
    rows = (
        ("calls held at once", "", len(held.reports)),
        ("turns in their files", "", turns),
        ("times the database was killed", f"{killer.kills}", len(killer.dead_s)),
        ("seconds without it, in all", "", f"{sum(killer.dead_s):.1f}"),
        ("calls harmed", "0", len(hurt)),
        ("differences between files and rows", "0", len(problems)),
        ("seconds from the last call's end until all was written", "", f"{held.written_s:.1f}"),
    )
    for row in rows:
        table.add_row(*map(str, row))
    return table


def main(argv: Sequence[str] | None = None) -> int:
    """0 if no call was harmed and nothing is missing, else 1."""
    parser = argparse.ArgumentParser(prog="bench.records", description=__doc__)
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=6)
    given = parser.parse_args(argv)
    configure_logging("error", "text")
    console = Console(width=100, highlight=False)
    try:
        with postgres_server() as server, tempfile.TemporaryDirectory(prefix="earshot-") as name:
            killer = Killer(server, given.kills, Random(given.seed))
            held = uvloop.run(hold(Path(name), server.database(), given.calls, killer))
    except NoPostgresError as error:
        console.print(str(error))
        return 1
    hurt = harmed(held)
    console.print(shown(held, killer, held.problems, hurt))
    for line in [*hurt[:10], *held.problems[:10]]:
        console.print(line, markup=False)
    missing = len(held.timelines) != given.calls
    return 1 if hurt or held.problems or missing else 0


if __name__ == "__main__":
    sys.exit(main())
