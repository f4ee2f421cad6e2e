"""Figures of `bench.relay` beside their targets, and how they are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console, RenderableType
from rich.table import Table

LAG_LIMIT_MS: Final = 20
"""Beyond this the machine itself was late and the figures say more about it than about the bot."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that must hold."""

    what: str
    wanted: str
    found: str
    met: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """What one section found."""

    title: str
    targets: tuple[Target, ...]
    tables: tuple[RenderableType, ...] = ()
    notes: tuple[str, ...] = ()
    """Single faults, for whoever looks for their cause."""
    lag_ms: float = 0.0
    """How late the telephone's clock was at worst."""
    lag_middle_ms: float = 0.0
    """The median of the calls: whether it was one hiccup or the whole run."""

    @property
    def met(self) -> bool:
        return all(target.met for target in self.targets)


def percentile(values: Sequence[float], share: float) -> float:
    """0.0 where there is nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def none_of(what: str, found: int) -> Target:
    """Must not happen."""
    return Target(what, "0", f"{found}", found == 0)


def at_least(what: str, wanted: int, found: int) -> Target:
    return Target(what, f">= {wanted}", f"{found}", found >= wanted)


def p95_within(what: str, wanted_ms: float, values_ms: Sequence[float]) -> Target:
    """The 95th percentile; without any value the target is missed, as nothing was shown."""
    found_ms = percentile(values_ms, 0.95)
    met = bool(values_ms) and found_ms <= wanted_ms
    found = f"{found_ms:.0f} ms of {len(values_ms)}" if values_ms else "nothing measured"
    return Target(what, f"p95 <= {wanted_ms:.0f} ms", found, met)


def p95_words_within(what: str, wanted: int, errors: Sequence[int]) -> Target:
    """The 95th percentile of how many words these are off, either way."""
    off = sorted(abs(error) for error in errors)
    p95 = off[min(len(off) - 1, int(0.95 * len(off)))] if off else 0
    found = f"{p95} of {len(off)}" if off else "nothing measured"
    return Target(what, f"p95 <= {wanted}", found, bool(off) and p95 <= wanted)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """The first column names, the others count."""
    shown = Table(title=title, title_justify="left")
    shown.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        shown.add_column(column, justify="right")
    for row in rows:
        shown.add_row(*row)
    return shown


def spread(name: str, values_ms: Sequence[float]) -> list[str]:
    """A row: how many, p50, p95, the most."""
    if not values_ms:
        return [name, "0", "-", "-", "-"]
    shares = [f"{percentile(values_ms, share):.0f} ms" for share in (0.5, 0.95)]
    return [name, str(len(values_ms)), *shares, f"{max(values_ms):.0f} ms"]


SPREAD: Final = ("count", "p50", "p95", "max")


def show(findings: Findings, console: Console) -> None:
    """Targets beside figures, then what stands behind them."""
    rows = [
        [t.what, t.wanted, t.found, "met" if t.met else "[bold]MISSED[/bold]"]
        for t in findings.targets
    ]
    console.print(table(findings.title, ("target", "wanted", "found", ""), rows))
    for shown in findings.tables:
        console.print(shown)
    for note in findings.notes[:12]:
        console.print(f"  {note}", highlight=False, markup=False)
    if len(findings.notes) > 12:
        console.print(f"  and {len(findings.notes) - 12} more")
    console.print(
        f"the telephone's clock was late by {findings.lag_ms:.0f} ms at worst, "
        f"in the middle call by {findings.lag_middle_ms:.0f} ms"
    )
    if findings.lag_ms > LAG_LIMIT_MS:
        console.print("  The machine was busy: run again on a quiet one before you believe this.")
    console.print()
