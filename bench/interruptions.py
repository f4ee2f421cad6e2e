"""`python -m bench.interruptions [ROUNDS] [twilio|pbx|sip]`: the figures of `bench.truncation`,
against targets."""

import sys
from collections import defaultdict
from collections.abc import Sequence

import uvloop
from rich.console import Console
from rich.table import Table

from app.observe.log import configure_logging
from bench.truncation import Carrier, Cut, Outcome, run

P95_TARGET_MS = 20
MOST_TARGET_MS = 60
SILENCE_TARGET_MS = 40
LAG_LIMIT_MS = 20
"""Beyond this the machine itself was late and the figures say more about it than about the bot."""


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def show(outcome: Outcome) -> int:
    """Print the tables; returns 0 if every target is met."""
    console = Console(width=100, highlight=False)
    console.print(_truncation_table(outcome))
    console.print(_silence_table(outcome))
    console.print(
        f"{outcome.interruptions} interruptions, {outcome.rejected} truncations rejected, "
        f"{len(outcome.problems)} calls not as scripted; "
        f"the telephone's clock was late by {outcome.worst_lag_ms:.0f} ms at worst"
    )
    for problem in outcome.problems[:10]:
        console.print(f"  {problem}")
    missed = _missed(outcome)
    for text in missed:
        console.print(f"  missed: {text}", style="bold")
    if outcome.worst_lag_ms > LAG_LIMIT_MS:
        console.print("  The machine was busy: run again on a quiet one before you believe this.")
    return 1 if missed else 0


def _missed(outcome: Outcome) -> list[str]:
    errors = [float(abs(c.error_ms)) for c in outcome.cuts if c.kind == "truncated"]
    unheard = [c for c in outcome.cuts if c.kind == "deleted" and c.played_ms > MOST_TARGET_MS]
    quiet = [s.beyond_delay_ms for s in outcome.silences if not s.jitter_ms]
    verdicts = (
        (percentile(errors, 0.95) <= P95_TARGET_MS, f"truncation p95 <= {P95_TARGET_MS} ms"),
        (max(errors, default=0) <= MOST_TARGET_MS, f"truncation at most {MOST_TARGET_MS} ms"),
        (outcome.rejected == 0, "no truncation rejected"),
        (not unheard, "only items that were not heard are deleted"),
        (
            percentile(quiet, 0.95) <= SILENCE_TARGET_MS,
            f"silence within the one-way delay + {SILENCE_TARGET_MS} ms at p95",
        ),
        (not outcome.problems, "every call as scripted"),
    )
    return [text for met, text in verdicts if not met]


def _truncation_table(outcome: Outcome) -> Table:
    shown = Table(title="Truncation: |truncated ms - ms really played|", title_justify="left")
    shown.add_column("case", no_wrap=True)
    shown.add_column("delay", no_wrap=True)
    for name in ("items", "p50", "p95", "max", "deleted", "heard of deleted"):
        shown.add_column(name, justify="right")
    groups: dict[tuple[str, str], list[Cut]] = defaultdict(list)
    for cut in outcome.cuts:
        groups[cut.case, "all"].append(cut)
    for cut in outcome.cuts:
        groups["all", f"{cut.delay_ms} ms"].append(cut)
    groups["all", "all"] = list(outcome.cuts)
    for (case, delay), cuts in groups.items():
        errors = [float(abs(c.error_ms)) for c in cuts if c.kind == "truncated"]
        deleted = [c for c in cuts if c.kind == "deleted"]
        shown.add_row(
            case,
            delay,
            str(len(errors)),
            f"{percentile(errors, 0.5):.0f} ms",
            f"{percentile(errors, 0.95):.0f} ms",
            f"{max(errors, default=0):.0f} ms",
            str(len(deleted)),
            f"{max((c.played_ms for c in deleted), default=0)} ms",
        )
    return shown


def _silence_table(outcome: Outcome) -> Table:
    title = "Interruption: speech_started to the last bot frame heard, less the one-way delay"
    shown = Table(title=title, title_justify="left")
    shown.add_column("network", no_wrap=True)
    for name in ("cuts", "p50", "p95", "max"):
        shown.add_column(name, justify="right")
    groups: dict[tuple[int, int], list[float]] = defaultdict(list)
    for silence in outcome.silences:
        groups[silence.jitter_ms, silence.delay_ms].append(silence.beyond_delay_ms)
    for (jitter_ms, delay_ms), silences in sorted(groups.items()):
        shown.add_row(
            f"{delay_ms} ms"
            + (f" and up to {jitter_ms} ms jitter" if jitter_ms else ", no jitter"),
            str(len(silences)),
            f"{percentile(silences, 0.5):.0f} ms",
            f"{percentile(silences, 0.95):.0f} ms",
            f"{max(silences):.0f} ms",
        )
    return shown


def main(argv: Sequence[str] = ()) -> int:
    """Print the tables; 0 if every target is met."""
    configure_logging("error")
    rounds = int(argv[0]) if argv else 3
    carrier: Carrier = "sip" if "sip" in argv else "pbx" if "pbx" in argv else "twilio"
    return show(uvloop.run(run(rounds, carrier)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
