"""What our own recording costs, and keeping keys from being heard.

    python -m bench.recording [--calls 50] [--seconds 10] [--rounds 3]

CPU of the whole bridge a call-second, beside the same bridge without either, as a ratio within each
round. The bridge has one core for itself, the load generator another. Exits 0 if recording costs no
more than `MOST_TIMES` of it.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import uvloop
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.load_contenders import AGENT, EARSHOT, Contender, Run, calm_run
from bench.processes import pinned_to, two_cores

MOST_TIMES: Final = 1.25
PLAIN: Final = "neither"
KEYS: Final = 'tools = ["collect_digits"]\n'
TABLE: Final = '[recording]\nby = "own"\n'
ADDED: Final = {
    PLAIN: ("", ""),
    "tones taken out": (KEYS, ""),
    "recorded": ("", TABLE),
    "both": (KEYS, TABLE),
}
"""What each agent's file has besides that of bench.speed."""


def contenders(folder: Path) -> list[Contender]:
    """A bridge for each of `ADDED`, their agents' files in `folder`."""
    made = []
    head, _, tables = AGENT.read_text("utf-8").partition("\n[")
    for number, (name, (keys, table)) in enumerate(ADDED.items()):
        path = folder / f"agent{number}.toml"
        path.write_text(f"{head}\n{keys}\n{table}\n[{tables}", encoding="utf-8")
        env = {**EARSHOT.env, "EARSHOT_AGENT": str(path)}
        made.append(Contender(name, EARSHOT.module, EARSHOT.arguments, env))
    return made


def measure(calls: int, seconds: float, rounds: int) -> list[Run]:
    """Within a round the contenders take turns, in another order each time."""
    runs: list[Run] = []
    with tempfile.TemporaryDirectory() as folder, pinned_to(two_cores()[1]):
        bridges = contenders(Path(folder))
        for number in range(rounds):
            for bridge in bridges[number % len(bridges) :] + bridges[: number % len(bridges)]:
                run = _run(bridge, calls, seconds)
                runs.append(run)
                shown = f"{run.window.cpu_ms_per_call_s:.2f} ms"
                print(f"round {number + 1}: {bridge.name}: {shown}", file=sys.stderr, flush=True)
    return runs


def _run(bridge: Contender, calls: int, seconds: float) -> Run:
    """Once more on a machine that was too busy for the calls to begin."""
    try:
        return uvloop.run(calm_run(bridge, calls, seconds))
    except TimeoutError:
        return uvloop.run(calm_run(bridge, calls, seconds))


def costs(runs: Sequence[Run], name: str) -> tuple[float, float, float]:
    """CPU in ms a call-second, times that of the plain bridge, kB of memory a call: medians."""
    own = [run for run in runs if run.contender == name]
    plain = [run for run in runs if run.contender == PLAIN]
    ratios = [
        mine.window.cpu_ms_per_call_s / theirs.window.cpu_ms_per_call_s
        for mine, theirs in zip(own, plain, strict=True)
    ]
    cpu = statistics.median(run.window.cpu_ms_per_call_s for run in own)
    kilobytes = statistics.median(run.rss_bytes_per_call for run in own) / 1024
    return cpu, statistics.median(ratios), kilobytes


def main(argv: Sequence[str] | None = None) -> int:
    """0 if recording costs no more than it may."""
    parser = argparse.ArgumentParser(prog="bench.recording", description=__doc__)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each window")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(argv)
    runs = measure(given.calls, given.seconds, given.rounds)
    table = Table(title=f"{given.calls} calls", title_justify="left", box=SIMPLE_HEAD)
    for column in ("", "CPU ms/call-s", "times neither", "RSS kB/call", "underruns", "lost bytes"):
        table.add_column(column, justify="right" if column else "left")
    for name in ADDED:
        cpu, times, kilobytes = costs(runs, name)
        own = [run for run in runs if run.contender == name]
        underruns = sum(run.window.underruns for run in own)
        lost = sum(run.faults.lost_bytes for run in own)
        shown = (f"{cpu:.2f}", f"{times:.2f}", f"{kilobytes:.0f}", f"{underruns}", f"{lost}")
        table.add_row(name, *shown)
    Console(width=100, highlight=False).print(table)
    return 0 if costs(runs, "recorded")[1] <= MOST_TIMES else 1


if __name__ == "__main__":
    sys.exit(main())
