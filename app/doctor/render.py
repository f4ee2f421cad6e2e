"""The doctor's report for eyes: a table at a terminal, plain aligned lines elsewhere.

A word and a sign say the status; colour only repeats it (blue, yellow, magenta: apart for
colour-blind eyes).
"""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.doctor.report import Check, Report, Status

_STYLES: dict[Status, str] = {
    "ok": "blue",
    "warn": "yellow",
    "fail": "bold magenta",
    "skip": "dim",
}
_SIGNS: dict[Status, str] = {"ok": "\u2713", "warn": "!", "fail": "\u2717", "skip": "-"}


def render(report: Report, console: Console) -> None:
    """Print the report; without a terminal as plain text."""
    if not console.is_terminal:
        console.print(plain(report), markup=False, highlight=False, soft_wrap=True, emoji=False)
        return
    width = max((len(check.name) for check in report.checks), default=0)
    for group, checks in report.groups.items():
        console.print(Text(group, style="bold"))
        console.print(_table(checks, width))
        console.print()
    style = _STYLES["fail" if report.exit_code else "ok"]
    console.print(Text(report.summary, style=style))


def plain(report: Report) -> str:
    """The report as aligned lines without colour."""
    width = max((len(check.name) for check in report.checks), default=0)
    lines = []
    for group, checks in report.groups.items():
        lines.append(group)
        for check in checks:
            lines.append(f"  {check.status:<4}  {check.name:<{width}}  {check.seen}")
            if check.mend:
                lines.append(f"  {'':<4}  {'':<{width}}  -> {check.mend}")
        lines.append("")
    return "\n".join([*lines, report.summary])


def _table(checks: list[Check], name_width: int) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(width=8, no_wrap=True)
    table.add_column(width=name_width, no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        style = _STYLES[check.status]
        sign = Text(f"  {_SIGNS[check.status]} {check.status}", style=style)
        seen = Text(check.seen, style="dim" if check.status == "skip" else "")
        if check.mend:
            seen.append(f"\n\u2192 {check.mend}", style=style)
        table.add_row(sign, Text(check.name), seen)
    return table
