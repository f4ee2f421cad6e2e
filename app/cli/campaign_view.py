"""How a campaign is doing, for eyes: a board at a terminal, aligned lines elsewhere.

A word or a sign says what is wrong; colour only repeats it (as in `earshot doctor`).
"""

from collections.abc import Iterator, Mapping
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from app.campaigns.progress import METER_DAYS, Progress
from app.campaigns.states import CampaignState
from app.campaigns.times import length_told
from app.cli.campaign_log_view import log_table, told_of
from app.cli.campaign_room import clock
from app.cli.columns import aligned

GOOD, WARN, BAD = "blue", "yellow", "bold magenta"
_STATES: Final[Mapping[str, str]] = {
    "draft": "dim", "scheduled": WARN, "running": GOOD, "paused": WARN, "stopped": BAD,
    "completed": GOOD,
}  # fmt: skip
_PEOPLE: Final = (
    ("done", "done", GOOD),
    ("never", "given up", "magenta"),
    ("held", "being dialled", WARN),
    ("waiting", "waiting", "dim"),
)
"""State, its name for people, its colour."""
_BAR: Final = 12
_BARS: Final = " ▁▂▃▄▅▆▇█"
_WIDE: Final = 100
"""From there on they have bars."""
_HIGH: Final = 30
_MOST_ROWS, _LEAST_ROWS = 8, 3
_NEAR: Final = 0.8
"""Of a limit: from there on it is told."""
_QUIET_MIN: Final = 5


def view(seen: Progress, width: int, height: int) -> RenderableType:
    """Fits a terminal of 80 × 24 and uses what a larger one has."""
    parts: list[RenderableType] = [_head(seen), Text(), _figures(seen, width)]
    parts += [Text(f"! {line}", style=WARN) for line in warnings(seen)]
    rows = _MOST_ROWS if height >= _HIGH else _LEAST_ROWS
    counted = {"What came of dials": seen.outcomes, "What conversations came to": seen.dispositions}
    tables = [
        _tally(title, counts, rows, bars=width >= _WIDE)
        for title, counts in counted.items()
        if counts
    ]
    if tables:
        parts += [Text(), _beside(tables)]
    parts += [Text(), Text("Log", style="dim"), log_table(seen.newest, seen.at_ms)]
    return Padding(Group(*parts), (0, 1))


def plain(seen: Progress) -> list[str]:
    """The same as lines of a name and its value."""
    campaign = seen.campaign
    rows = [
        ("campaign", campaign.campaign_id),
        ("state", f"{campaign.state} since {clock(campaign.changed_at_ms)} UTC"),
        ("agent", campaign.plan.agent),
        ("plan", campaign.plan_version),
        ("people", f"{seen.contacts:,}"),
        *((told, f"{seen.states[name]:,}") for name, told, _ in _PEOPLE if name in seen.states),
        *((name, value.plain) for name, value in _rows(seen) if name),
        *((f"dials {name}", f"{count:,}") for name, count in seen.outcomes.items()),
        *((f"disposition {name}", f"{count:,}") for name, count in seen.dispositions.items()),
        *(("warning", line) for line in warnings(seen)),
        *(
            ("log", f"{clock(each.at_ms)} {each.by} {each.what} {told_of(each)}")
            for each in seen.newest
        ),
    ]
    return aligned(rows)


def warnings(seen: Progress) -> Iterator[str]:
    """What an operator should look after, the worst first."""
    plan, rate = seen.campaign.plan, seen.abandonment_rate
    limit = plan.limits.abandonment
    if rate is not None and rate >= limit:
        yield f"Abandonment is {rate:.1%}, the limit {limit:.1%}: it dials as slowly as it can."
    elif rate is not None and rate >= _NEAR * limit:
        yield f"Abandonment is {rate:.1%}, near its limit of {limit:.1%}."
    spend = plan.limits.spend_usd
    if spend and seen.cost_usd >= _NEAR * spend:
        yield f"It has cost {_usd(seen.cost_usd)} of {_usd(spend)}; at the limit it pauses."
    running = seen.campaign.state is CampaignState.RUNNING
    quiet = not seen.in_progress and not sum(seen.dials_a_minute[-_QUIET_MIN:])
    settled = seen.at_ms - seen.campaign.changed_at_ms > _QUIET_MIN * 60_000
    if running and quiet and settled and seen.due:
        yield (
            f"{seen.due:,} are due and nobody was dialled for {_QUIET_MIN} min: "
            "does `earshot campaign work` run?"
        )


def _head(seen: Progress) -> RenderableType:
    campaign = seen.campaign
    left = Text(campaign.campaign_id, style="bold")
    left.append(f"  {campaign.state}", style=f"not bold {_STATES[campaign.state]}")
    left.append(f" since {clock(campaign.changed_at_ms, seen.at_ms)}", style="not bold dim")
    left.append(f"  {campaign.plan.agent}", style="not bold")
    right = Text(f"{clock(seen.at_ms)} UTC", style="dim")
    table = Table.grid(expand=True)
    table.add_column(overflow="ellipsis", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_row(left, right)
    return table


def _figures(seen: Progress, width: int) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("people", _people(seen, width))
    for name, value in _rows(seen):
        table.add_row(name, value)
    return table


def _people(seen: Progress, width: int) -> Text:
    """How far the list is, and what the colours mean."""
    text = Text(f"{seen.contacts:,}  ")
    room = max(10, min(40, width - 40))
    for name, _, style in _PEOPLE if seen.contacts else ():
        share = round(room * seen.states.get(name, 0) / seen.contacts)
        text.append(("░" if name == "waiting" else "█") * share, style=style)
    text.append("\n")
    for name, told, style in _PEOPLE:
        if count := seen.states.get(name, 0):
            text.append(f"{count:,} {told}  ", style=style)
    return text


def _rows(seen: Progress) -> Iterator[tuple[str, Text]]:
    plan = seen.campaign.plan
    yield "due", Text(f"{seen.due:,} now{_next(seen)}")
    pace = seen.dials_a_minute[-1]
    most = plan.pacing.calls_per_second * 60
    text = Text(f"{pace:,} dials a minute of {most:,.0f}; {seen.in_progress} in progress of ")
    text.append(f"{plan.pacing.concurrent}")
    yield "pace", text
    if any(seen.dials_a_minute):
        yield (
            "",
            Text(spark(seen.dials_a_minute), style=GOOD).append(
                f" {len(seen.dials_a_minute)} min", style="dim"
            ),
        )
    rate = seen.connect_rate
    share = "" if rate is None else f"  {rate:.1%} of the dials that rang"
    yield "reached", Text(f"{seen.reached:,}{share}")
    yield "abandoned", _abandoned(seen)
    if seen.texts:
        yield "messages", Text(", ".join(f"{n:,} {name}" for name, n in seen.texts.items()))
    limit = plan.limits.spend_usd
    each = f"  {_usd(seen.cost_usd / seen.reached)} a person reached" if seen.reached else ""
    yield "cost", Text(f"{_usd(seen.cost_usd)}{f' of {_usd(limit)}' if limit else ''}{each}")


def _next(seen: Progress) -> str:
    if seen.next_due_at_ms is None:
        return ""
    return f", the next in {length_told(seen.next_due_at_ms - seen.at_ms)}"


def _abandoned(seen: Progress) -> Text:
    rate, limit = seen.abandonment_rate, seen.campaign.plan.limits.abandonment
    if rate is None:
        return Text(f"0  limit {limit:.1%}")
    style = BAD if rate >= limit else WARN if rate >= _NEAR * limit else ""
    text = Text(f"{seen.abandoned:,}  ")
    text.append(f"{rate:.1%}", style=style)
    return text.append(
        f" of {seen.answered:,} live answers in {METER_DAYS} days, limit {limit:.1%}"
    )


def _tally(title: str, counts: Mapping[str, int], rows: int, *, bars: bool) -> Table:
    """The most frequent; the last row is all others."""
    total = sum(counts.values())
    table = Table(
        box=None, pad_edge=False, padding=(0, 2, 0, 0), title=Text(title, style="dim"),
        title_justify="left", show_header=False,
    )  # fmt: skip
    table.add_column(no_wrap=True, max_width=28, overflow="ellipsis")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    most = max(counts.values(), default=1)
    for name, count in list(counts.items())[:rows]:
        bar = Text("█" * max(1, round(_BAR * count / most)) if bars else "", style=GOOD)
        table.add_row(Text(name), f"{count:,}", _share(count, total), bar)
    rest = sum(list(counts.values())[rows:])
    if rest:
        table.add_row(Text("others", style="dim"), f"{rest:,}", _share(rest, total), "")
    return table


def _share(count: int, total: int) -> str:
    percent = round(100 * count / total)
    return f"{percent}%" if percent else "<1%"


def _beside(tables: list[Table]) -> RenderableType:
    grid = Table.grid(padding=(0, 4, 0, 0))
    for _ in tables:
        grid.add_column()
    grid.add_row(*tables)
    return grid


def spark(counts: tuple[int, ...]) -> str:
    """A bar for each count, as high as it is; none for 0."""
    most = max(counts)
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // most) if most else 0] for count in counts)


def _usd(amount: float) -> str:
    return f"${amount:,.2f}"
