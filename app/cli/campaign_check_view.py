"""What `earshot campaign check` found, for eyes: at a terminal, and as aligned lines elsewhere.

As in `earshot doctor`, a word and a sign say the status and colour only repeats it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from app.campaigns.dry_run import DryRun, RuleTally, When
from app.campaigns.sense import Finding, Status
from app.campaigns.store import Campaign
from app.cli.campaign_room import clock
from app.cli.columns import aligned

_STYLES: Final[Mapping[Status, str]] = {"ok": "blue", "warn": "yellow", "fail": "bold magenta"}
_SIGNS: Final[Mapping[Status, str]] = {"ok": "✓", "warn": "!", "fail": "✗"}
_WHEN: Final[Mapping[str, str]] = {"now": "blue", "later": "yellow", "never": "magenta"}
_BAR: Final = 30
NOT_ADVICE: Final = "Rules of law are kept as far as they are written down here. No legal advice."


@dataclass(frozen=True, slots=True)
class Checked:
    """`must`: what the law may want of calls, by name, in sentences."""

    campaign: Campaign
    found: Sequence[Finding]
    run: DryRun
    must: Mapping[str, str]

    @property
    def fails(self) -> int:
        return sum(finding.status == "fail" for finding in self.found)


def view(checked: Checked, width: int) -> RenderableType:
    run = checked.run
    parts: list[RenderableType] = [_head(checked), Text(), _findings(checked.found), Text()]
    parts += [_counts(run, width)]
    for when in ("later", "never"):
        if rules := _of(run, when):
            parts += [Text(), Text(f"Why {when}", style="dim"), _rules(rules, run.at_ms)]
    if run.must:
        parts += [Text(), Text("What the law wants of those now", style="dim"), _must(checked)]
    parts += [Text(), Text(NOT_ADVICE, style="dim"), _verdict(checked)]
    return Padding(Group(*parts), (0, 1))


def plain(checked: Checked) -> list[str]:
    run, campaign = checked.run, checked.campaign
    lines = [
        f"{campaign.campaign_id}, {campaign.state}, plan {campaign.plan_version}, "
        f"at {clock(run.at_ms)} UTC"
    ]
    lines += aligned([(each.status, each.about, each.text) for each in checked.found])
    lines += aligned([("people", f"{run.contacts:,}"), *_totals(run)])
    rows = [
        (when, rule, f"{tally.count:,}", _again(tally, run.at_ms), example.number, example.reason)
        for when in ("later", "never")
        for rule, tally in _of(run, when)
        for example in tally.examples
    ]
    lines += aligned(rows) if rows else []
    lines += [f"must  {count:,}  {name}  {text}" for name, count, text in _musts(checked)]
    return [*lines, NOT_ADVICE, _verdict(checked).plain]


def _head(checked: Checked) -> RenderableType:
    campaign = checked.campaign
    left = Text(campaign.campaign_id, style="bold")
    left.append(f"  {campaign.state}  plan {campaign.plan_version}", style="not bold")
    table = Table.grid(expand=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_column(no_wrap=True, justify="right")
    table.add_row(left, Text(f"asked for {clock(checked.run.at_ms)} UTC", style="dim"))
    return table


def _findings(found: Sequence[Finding]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in found:
        sign = Text(f"{_SIGNS[each.status]} {each.status}", style=_STYLES[each.status])
        table.add_row(sign, Text(each.about), Text(each.text))
    return table


def _totals(run: DryRun) -> Iterator[tuple[str, str]]:
    for name in ("now", "later", "never", "done"):
        count: int = getattr(run, name)
        if count or name != "done":
            yield name, f"{count:,}"


def _counts(run: DryRun, width: int) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True)
    table.add_row(Text("people", style="dim"), Text(f"{run.contacts:,}", style="bold"))
    for name, told in _totals(run):
        count: int = getattr(run, name)
        share = count / run.contacts if run.contacts else 0.0
        style = _WHEN.get(name, "")
        bar = Text("█" * round(min(_BAR, width // 3) * share), style=style)
        table.add_row(Text(name, style=style), told, f"{share:.0%}", bar)
    return table


def _of(run: DryRun, when: When | str) -> list[tuple[str, RuleTally]]:
    """The rules, the most frequent first."""
    found = [
        (name.partition(" ")[2], tally) for name, tally in run.rules.items() if tally.when == when
    ]
    return sorted(found, key=lambda pair: -pair[1].count)


def _rules(rules: Sequence[tuple[str, RuleTally]], at_ms: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(overflow="fold")
    for name, tally in rules:
        first = tally.examples[0]
        told = Text(first.reason)
        if again := _again(tally, at_ms):
            told.append(f"  {again}", style="yellow")
        told.append(f"\n{', '.join(example.number for example in tally.examples)}", style="dim")
        if tally.count > len(tally.examples):
            told.append(", …", style="dim")
        table.add_row(Text(name), f"{tally.count:,}", told)
    return table


def _again(tally: RuleTally, at_ms: int) -> str:
    return f"from {clock(tally.first_again_ms, at_ms)} UTC" if tally.first_again_ms else ""


def _musts(checked: Checked) -> Iterator[tuple[str, int, str]]:
    counts = sorted(checked.run.must.items(), key=lambda pair: -pair[1])
    for name, count in counts:
        yield name, count, checked.must.get(name, "")


def _must(checked: Checked) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(overflow="fold")
    for name, count, text in _musts(checked):
        table.add_row(Text(name), f"{count:,}", Text(text))
    return table


def _verdict(checked: Checked) -> Text:
    if fails := checked.fails:
        things = "thing" if fails == 1 else "things"
        return Text(f"✗ {fails} {things} to mend before it starts.", style=_STYLES["fail"])
    run = checked.run
    if not run.contacts:
        return Text("! Nobody is on its list: earshot campaign import", style=_STYLES["warn"])
    if not run.now and not run.later:
        return Text("! Nobody on its list would ever be dialled.", style=_STYLES["warn"])
    if any(finding.status == "warn" for finding in checked.found):
        return Text("! It can be started; mind the warnings.", style=_STYLES["warn"])
    return Text("✓ Nothing stands against starting it.", style=_STYLES["ok"])
