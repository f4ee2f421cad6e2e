"""How well the bot's own voice on the caller's line is told from a caller, and what it costs.

    python -m bench.echo [--cases 400] [--passages 200] [--seed 1] [--windows 200,300,400]

Single windows first: each is the first that the judge hears of its line, 40 to 800 ms late through
a random hybrid. Then whole passages, judged again and again. Exits with 1 if a target is missed.
CPU is process time, so a busy neighbour does not count.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from app.speech.echo import ECHO_SHARE, WINDOW_MS, EchoJudge
from bench.echo_line import Condition, cases
from bench.echo_passages import NEVER_MS, Passage, passages
from telecodecs import FRAME_BYTES, FRAME_MS

MOST_MS = 3.0
"""CPU of one judgement, the mean of a condition."""
SHARES = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9)
PLAYED_CALLS = 20_000


@dataclass(frozen=True, slots=True)
class Goal:
    """What must come out at `ECHO_SHARE` and `WINDOW_MS`: a share of the cases."""

    condition: Condition
    at_least: float = 0.0
    at_most: float = 1.0

    def is_kept(self, found: float) -> bool:
        return self.at_least <= found <= self.at_most

    def __str__(self) -> str:
        if self.at_least > 0.0:
            return f">= {self.at_least:.1%}"
        return f"<= {self.at_most:.1%}" if self.at_most < 1.0 else ""


@dataclass(frozen=True, slots=True)
class Figures:
    goal: Goal
    window_ms: int
    shares: tuple[float, ...]
    cpu_ms: float
    """Of one judgement."""

    def called_echo(self, least: float = ECHO_SHARE) -> float:
        """The share of the windows that count as echo from this share of energy on."""
        return sum(share >= least for share in self.shares) / len(self.shares)

    @property
    def missed(self) -> bool:
        if self.window_ms != WINDOW_MS:
            return False
        return self.cpu_ms > MOST_MS or not self.goal.is_kept(self.called_echo())


ECHOES = (
    Goal(Condition("echo, 6 to 30 dB weaker"), at_least=0.98),
    Goal(Condition("echo, 30 to 40 dB weaker", (30.0, 40.0))),
    Goal(Condition("echo, noise at 20 dB", noise_db=20.0), at_least=0.98),
    Goal(Condition("echo, noise at 10 dB", noise_db=10.0), at_least=0.90),
    Goal(Condition("echo, noise at 5 dB", noise_db=5.0)),
    Goal(Condition("echo, clipped and coded twice", crushed=True)),
    Goal(Condition("echo of a bot cut 60 ms ago", cut_ms=60)),
    Goal(Condition("echo of a bot heard for 150 ms", bot_spoke_ms=150)),
)
CALLERS = (
    Goal(Condition("both, caller 6 dB weaker", caller_db=-6.0)),
    Goal(Condition("both, as loud", caller_db=0.0), at_most=0.02),
    Goal(Condition("both, caller 6 dB louder", caller_db=6.0), at_most=0.02),
    Goal(Condition("caller since 120 ms, as loud", caller_db=0.0, caller_spoke_ms=120)),
    Goal(Condition("caller since 120 ms, 6 dB louder", caller_db=6.0, caller_spoke_ms=120)),
    Goal(Condition("caller, no echo", None, caller_db=0.0), at_most=0.005),
    Goal(Condition("caller, noise at 10 dB", None, 10.0, 0.0), at_most=0.005),
    Goal(Condition("caller, bot since 150 ms", None, caller_db=0.0, bot_spoke_ms=150)),
    Goal(Condition("caller with the bot's own voice", None, caller_db=0.0, who="same")),
    Goal(Condition("cough, hum, mm-hm", None, caller_db=0.0, who="noises")),
)
PASSAGES = (
    Goal(Condition("echo"), at_most=0.02),
    Goal(Condition("echo, noise at 20 dB", noise_db=20.0), at_most=0.02),
    Goal(Condition("echo, noise at 10 dB", noise_db=10.0), at_most=0.05),
)
"""How many of them may be taken for a caller, at any time."""
INTERRUPTED = (
    Condition("caller as loud", caller_db=0.0),
    Condition("caller 6 dB louder", caller_db=6.0),
    Condition("caller as loud, noise at 10 dB", noise_db=10.0, caller_db=0.0),
    Condition("caller 6 dB weaker", caller_db=-6.0),
)


def measure(goal: Goal, window_ms: int, n: int, seed: int) -> Figures:
    """`n` windows of one condition."""
    shares, cpu_s = [], 0.0
    for case in cases(goal.condition, window_ms, n, seed):
        judge = case.judge()
        began_s = time.process_time()
        verdict = judge.judge(case.caller, case.at_ms)
        cpu_s += time.process_time() - began_s
        shares.append(verdict.share)
    return Figures(goal, window_ms, tuple(shares), cpu_s * 1000 / n)


def played_us() -> float:
    """CPU of one `played`, in µs."""
    judge, frame = EchoJudge(), bytes(FRAME_BYTES)
    began_s = time.process_time()
    for number in range(PLAYED_CALLS):
        judge.played(frame, number * FRAME_MS)
    return (time.process_time() - began_s) / PLAYED_CALLS * 1e6


def windows_table(found: Sequence[Figures]) -> Table:
    """A row for each condition, a column for each window."""
    windows = sorted({figures.window_ms for figures in found})
    made = _table(f"Windows called echo (share >= {ECHO_SHARE})")
    for window_ms in windows:
        made.add_column(f"{window_ms} ms", justify="right")
    made.add_column("target", justify="right", no_wrap=True)
    made.add_column("CPU ms", justify="right")
    for name in dict.fromkeys(figures.goal.condition.name for figures in found):
        row = {f.window_ms: f for f in found if f.goal.condition.name == name}
        at = row.get(WINDOW_MS) or next(iter(row.values()))
        figures = [f"{row[window_ms].called_echo():.1%}" for window_ms in windows]
        made.add_row(name, *figures, str(at.goal), f"{at.cpu_ms:.1f}")
    return made


def shares_table(found: Sequence[Figures]) -> Table:
    """What another threshold would do."""
    made = _table(f"Called echo at another share, windows of {WINDOW_MS} ms")
    for least in SHARES:
        made.add_column(f"{least:g}", justify="right")
    for figures in found:
        if figures.window_ms == WINDOW_MS:
            row = [f"{figures.called_echo(least):.1%}" for least in SHARES]
            made.add_row(figures.goal.condition.name, *row)
    return made


def taken_for_a_caller(found: Sequence[Passage], *, twice: bool = False) -> float:
    """The share of the passages in which a judgement, or two in a row, said so."""
    times = [passage.twice_ms if twice else passage.caller_ms for passage in found]
    return sum(time_ms < NEVER_MS for time_ms in times) / len(times)


def passages_table(found: Sequence[tuple[Goal, list[Passage]]]) -> Table:
    made = _table("Echoes of 2 s taken for a caller at any time")
    for name in ("one judgement", "two in a row", "target", "judgements"):
        made.add_column(name, justify="right")
    for goal, held in found:
        figures = [taken_for_a_caller(held), taken_for_a_caller(held, twice=True)]
        each = statistics.mean(passage.judgements for passage in held)
        row = [f"{figure:.1%}" for figure in figures]
        made.add_row(goal.condition.name, *row, str(goal), f"{each:.0f}")
    return made


def interrupted_table(found: Sequence[tuple[Condition, list[Passage]]]) -> Table:
    made = _table("Time until a caller who speaks into an echo is noticed, ms")
    for name in ("p50", "p90", "p50, two in a row", "p90, two in a row"):
        made.add_column(name, justify="right")
    for condition, held in found:
        once = sorted(passage.caller_ms for passage in held)
        twice = sorted(passage.twice_ms for passage in held)
        row = [times[int(len(times) * q)] for times in (once, twice) for q in (0.5, 0.9)]
        made.add_row(condition.name, *("never" if ms == NEVER_MS else str(ms) for ms in row))
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="bench.echo", description=__doc__)
    parser.add_argument("--cases", type=int, default=400, help="windows of each condition")
    parser.add_argument("--passages", type=int, default=200, help="passages of each condition")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--windows", default="200,300,400", help="lengths in ms")
    given = parser.parse_args(argv)
    windows = [int(window) for window in given.windows.split(",")]
    console = Console()
    found = [
        measure(goal, window_ms, given.cases, given.seed)
        for goal in (*ECHOES, *CALLERS)
        for window_ms in windows
    ]
    console.print(windows_table(found), shares_table(found))
    echoes = [
        (goal, list(passages(goal.condition, given.passages, given.seed))) for goal in PASSAGES
    ]
    console.print(passages_table(echoes))
    callers = [(one, list(passages(one, given.passages, given.seed))) for one in INTERRUPTED]
    console.print(interrupted_table(callers))
    console.print(f"played: {played_us():.1f} µs", highlight=False)
    missed = [f"{f.goal.condition.name}, {f.window_ms} ms" for f in found if f.missed]
    missed += [
        goal.condition.name for goal, held in echoes if not goal.is_kept(taken_for_a_caller(held))
    ]
    for name in missed:
        console.print(f"missed: {name}", highlight=False)
    return 1 if missed else 0


def _table(title: str) -> Table:
    made = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    made.add_column("")
    return made


if __name__ == "__main__":
    sys.exit(main())
