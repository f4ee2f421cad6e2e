"""What a call costs beside a bare pass-through bridge, and how many calls one core holds.

    python -m bench.speed [--calls 50,100] [--seconds 10] [--rounds 3] [--no-max]

The bridge under test has one core for itself, the load generator another. Within a round the
contenders take turns, in another order each time, and ratios are taken within a round, so that a
busy neighbour on the machine meets all of them. Percentiles are over all rounds' samples.

Earshot's agent leaves the floor to the model (`bench/bridge_agent.toml`), because the other bridges
have no ears of their own. What ours cost besides, `python -m bench.vad cost` shows.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import uvloop
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.load_capacity import Capacity, Watch, capacity
from bench.load_contenders import BARE, EARSHOT, PICOWS, Contender, Run, calm_run
from bench.load_figures import Faults, percentile
from bench.processes import pinned_to, two_cores

CONTENDERS = (BARE, EARSHOT, PICOWS)
MOST_TIMES_BARE = 1.3
"""What Earshot may cost, as a multiple of the bare bridge's CPU."""


@dataclass(frozen=True, slots=True)
class Row:
    """One contender at one number of calls: medians over the rounds, percentiles over all."""

    contender: str
    calls: int
    cpu_ms_per_call_s: float
    times_bare: float
    """CPU as a multiple of the bare bridge's in the same round."""
    rss_kb_per_call: float
    to_model_ms: tuple[float, float]
    """p50 and p99, phone to model, each caller frame."""
    to_phone_ms: tuple[float, float]
    """p50 and p99, model to phone, the first audio of each answer."""
    underruns: int
    longest_gap_ms: float
    padded_ms: int
    faults: Faults
    load_cpu_share: float
    """The load generator's, of its own core: the highest of the rounds."""
    load_late_ms: int


@dataclass(frozen=True, slots=True)
class Results:
    rows: tuple[Row, ...]
    capacities: tuple[Capacity, ...]


def measure(
    calls: Sequence[int] = (50, 100),
    seconds: float = 10.0,
    rounds: int = 3,
    *,
    search: bool = False,
    watch: Watch = lambda _: None,
) -> Results:
    """All the figures; `search` adds the most calls of one core. `watch` is told each step.

    Raises `ProcessError` if a bridge does not start, `DialError` or `WebhookFailed` if it does not
    take calls.
    """
    runs: list[Run] = []
    with pinned_to(two_cores()[1]):
        for number in range(rounds):
            for n_calls in calls:
                for contender in _turns(number):
                    watch(f"round {number + 1} of {rounds}: {contender.name}, {n_calls} calls")
                    runs.append(uvloop.run(calm_run(contender, n_calls, seconds)))
        found = [uvloop.run(capacity(c, watch)) for c in (BARE, EARSHOT)] if search else []
    rows = [row(runs, c.name, n_calls) for n_calls in calls for c in CONTENDERS]
    return Results(tuple(rows), tuple(found))


def _turns(number: int) -> Sequence[Contender]:
    """Another order in each round."""
    first = number % len(CONTENDERS)
    return CONTENDERS[first:] + CONTENDERS[:first]


def row(runs: Sequence[Run], contender: str, calls: int) -> Row:
    """The runs of one contender at one number of calls, in one line."""
    own = [r for r in runs if r.contender == contender and r.window.calls == calls]
    bare = [r for r in runs if r.contender == BARE.name and r.window.calls == calls]
    windows = [r.window for r in own]
    ratios = [
        mine.window.cpu_ms_per_call_s / theirs.window.cpu_ms_per_call_s
        for mine, theirs in zip(own, bare, strict=True)
    ]
    return Row(
        contender=contender,
        calls=calls,
        cpu_ms_per_call_s=statistics.median(w.cpu_ms_per_call_s for w in windows),
        times_bare=statistics.median(ratios),
        rss_kb_per_call=statistics.median(r.rss_bytes_per_call for r in own) / 1024,
        to_model_ms=_p50_p99_ms([s for w in windows for s in w.to_model_s]),
        to_phone_ms=_p50_p99_ms([s for w in windows for s in w.to_phone_s]),
        underruns=sum(w.underruns for w in windows),
        longest_gap_ms=max(w.longest_gap_s for w in windows) * 1_000,
        padded_ms=sum(w.padded_bytes for w in windows) // 8,
        faults=sum((r.faults for r in own), Faults()),
        load_cpu_share=max(w.load_cpu_share for w in windows),
        load_late_ms=max(w.load_late_ms for w in windows),
    )


def _p50_p99_ms(values_s: list[float]) -> tuple[float, float]:
    return percentile(values_s, 0.5) * 1_000, percentile(values_s, 0.99) * 1_000


def cost_table(rows: Sequence[Row]) -> Table:
    title = "Speed: the bridge on one core, its load on another; ms as p50/p99"
    table = _table(
        title,
        (
            "calls",
            "CPU ms/\ncall-s",
            "times\nbare",
            "RSS kB\n/call",
            "to model\nms",
            "to phone\nms",
            "under-\nruns",
            "lost\nbytes",
        ),
    )
    for r in rows:
        table.add_row(
            r.contender,
            str(r.calls),
            f"{r.cpu_ms_per_call_s:.2f}",
            f"{r.times_bare:.2f}",
            f"{r.rss_kb_per_call:.0f}",
            f"{r.to_model_ms[0]:.1f}/{r.to_model_ms[1]:.1f}",
            f"{r.to_phone_ms[0]:.1f}/{r.to_phone_ms[1]:.1f}",
            str(r.underruns),
            str(r.faults.lost_bytes),
        )
    return table


def capacity_table(found: Sequence[Capacity]) -> Table:
    title = "The most calls of one core: p99 <= 20 ms, no underrun, no loss"
    table = _table(title, ("calls", "CPU\nthen", "did not\nhold", "because", "load's\nCPU"))
    for c in found:
        table.add_row(
            c.contender,
            str(c.calls),
            f"{c.cpu_share:.0%}",
            str(c.failed_at or "-"),
            c.why,
            f"{c.load_cpu_share:.0%}",
        )
    return table


def _table(title: str, columns: Sequence[str]) -> Table:
    """Narrow enough for a terminal of 80 columns."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("bridge", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def remarks(rows: Sequence[Row]) -> list[str]:
    """What the tables do not say by themselves."""
    lines = []
    for r in rows:
        if r.contender == EARSHOT.name:
            kept = "kept" if r.times_bare <= MOST_TIMES_BARE else "missed"
            lines.append(
                f"{r.calls} calls: {r.times_bare:.2f} times the bare bridge's CPU "
                f"(at most {MOST_TIMES_BARE}: {kept})"
            )
        if r.faults:
            lines.append(f"{r.contender}, {r.calls} calls: {r.faults}")
        if r.underruns:
            lines.append(f"{r.contender}, {r.calls} calls: longest gap {r.longest_gap_ms:.0f} ms")
        if r.padded_ms:
            lines.append(
                f"{r.contender}, {r.calls} calls: {r.padded_ms} ms of silence for late caller audio"
            )
    share, late_ms = max(r.load_cpu_share for r in rows), max(r.load_late_ms for r in rows)
    lines.append(
        f"load generator: at most {share:.0%} of its core, 99.9 % of its turns within {late_ms} ms"
    )
    if len(set(two_cores())) == 1:
        lines.append("only one core was there: the bridge and its load had to share it")
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables. 0 unless Earshot lost something."""
    parser = argparse.ArgumentParser(prog="bench.speed", description=__doc__)
    parser.add_argument("--calls", default="50,100", help="numbers of calls, with commas")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each window")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--max",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="search for the most calls of one core",
    )
    given = parser.parse_args(argv)
    if not sys.platform.startswith("linux"):
        print("bench.speed needs Linux: it reads /proc and pins processes to cores")
        return 1
    console = Console()
    calls = [int(number) for number in given.calls.split(",")]
    with console.status("speed") as status:
        results = measure(calls, given.seconds, given.rounds, search=given.max, watch=status.update)
    console.print(cost_table(results.rows))
    for line in remarks(results.rows):
        console.print(line, highlight=False)
    if results.capacities:
        console.print(capacity_table(results.capacities))
    return 1 if any(r.faults for r in results.rows if r.contender == EARSHOT.name) else 0


if __name__ == "__main__":
    sys.exit(main())
