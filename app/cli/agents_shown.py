"""The agents' report for eyes: a table at a terminal, plain aligned lines elsewhere.

As in `earshot doctor`, a word and a sign say the status and colour only repeats it.
"""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.agent_report import (
    HIGH_PERCENT,
    WARN_PERCENT,
    AgentReport,
    Status,
    WholeReport,
)
from app.cli.columns import aligned

_STYLES: dict[Status, str] = {"ok": "blue", "warn": "yellow", "fail": "bold magenta"}
_SIGNS: dict[Status, str] = {"ok": "✓", "warn": "!", "fail": "✗"}
_BAR = 10
_HEADS = ("", "agent", "model, voice", "tools", "prompt", "tools", "of the limit")
_NARROW_HEADS = ("", "agent", "model, voice", "tools", "tokens")
_NARROW = 100
"""Columns of a terminal; on fewer the names of tools would be broken."""


def render(report: WholeReport, console: Console) -> None:
    if not console.is_terminal:
        console.print(plain(report), markup=False, highlight=False, soft_wrap=True, emoji=False)
        return
    console.print(_table(report.agents, narrow=console.width < _NARROW))
    console.print()
    for each in report.all:
        for kind, texts in (("fail", each.errors), ("warn", each.warnings)):
            for text in texts:
                style = _STYLES["fail" if kind == "fail" else "warn"]
                sign = _SIGNS["fail" if kind == "fail" else "warn"]
                console.print(Text(sign, style=style).append(f" {text}", "none"), soft_wrap=True)
    style = _STYLES["fail" if report.exit_code else "ok"]
    console.print(Text(summary(report), style=style))


def plain(report: WholeReport) -> str:
    """The same as aligned lines without colour."""
    lines = aligned([_row(agent) for agent in report.agents])
    for each in report.all:
        lines += [f"fail  {text}" for text in each.errors]
        lines += [f"warn  {text}" for text in each.warnings]
    return "\n".join([*lines, summary(report)])


def summary(report: WholeReport) -> str:
    n_errors = sum(len(each.errors) for each in report.all)
    n_warnings = sum(len(each.warnings) for each in report.all)
    parts = [_count(len(report.agents), "agent")]
    if report.routes is not None:
        parts.append(_count(report.routes.rules, "route"))
    return f"{', '.join(parts)}: {_count(n_errors, 'error')}, {_count(n_warnings, 'warning')}."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _row(agent: AgentReport) -> tuple[str, ...]:
    status = f"{agent.status:<4}"
    if not agent.version:
        return (status, agent.name, *("",) * 6)
    return (
        status,
        agent.name,
        agent.version,
        agent.model,
        agent.voice,
        f"about {agent.instruction_tokens} + {agent.tool_tokens} tokens",
        f"{agent.percent} %",
        ", ".join(agent.tools) or "-",
    )


def _table(agents: tuple[AgentReport, ...], *, narrow: bool) -> Table:
    """Two lines for each agent: the second one, dim, holds version and voice."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for at, head in enumerate(_NARROW_HEADS if narrow else _HEADS):
        tools = at == 3
        table.add_column(
            head,
            justify="right" if at in (4, 5) else "left",
            no_wrap=not tools,
            overflow="fold",
            ratio=1 if tools else None,
        )
    for agent in agents:
        style = _STYLES[agent.status]
        table.add_row(
            Text(f"{_SIGNS[agent.status]} {agent.status}", style=style),
            _over(Text(agent.name, style="bold"), agent.version),
            _over(Text(agent.model), agent.voice),
            Text(", ".join(agent.tools) or ("" if agent.errors else "no tools")),
            *_tokens(agent, narrow=narrow),
        )
    return table


def _over(first: Text, second: str) -> Text:
    return first.append(f"\n{second}", style="not bold dim") if second else first


def _tokens(agent: AgentReport, *, narrow: bool) -> tuple[Text, ...]:
    prompt, tools = f"~{agent.instruction_tokens}", f"~{agent.tool_tokens}"
    if not agent.version:
        return (Text(),)
    if narrow:
        return (Text(f"{prompt} + {tools}").append(f"\n{agent.percent} %", style=_fill(agent)),)
    return Text(prompt), Text(tools), _bar(agent)


def _bar(agent: AgentReport) -> Text:
    """How much of the room for instructions and tools is taken."""
    full = min(_BAR, round(agent.percent * _BAR / 100))
    style = _fill(agent)
    bar = Text("█" * full, style=style)
    bar.append("░" * (_BAR - full), style="dim")
    return bar.append(f" {agent.percent:>3} %", style=style)


def _fill(agent: AgentReport) -> str:
    high = agent.percent >= HIGH_PERCENT
    return "bold magenta" if high else "yellow" if agent.percent >= WARN_PERCENT else "blue"
