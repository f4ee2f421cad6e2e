"""Why somebody is not dialled, for the operator's eyes. Numbers are shown, and never logged."""

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from app.campaigns.asking import WhyNot
from app.campaigns.people import Dial
from app.cli.campaign_room import clock
from app.cli.columns import aligned
from app.policy.dialing.words import Allowed, Never, NotNow

_SIGNS: Final = {"blue": "✓", "yellow": "…", "bold magenta": "✗"}


def why_view(why: WhyNot) -> RenderableType:
    head = Text(why.contact.number, style="bold").append(f"  {_state(why)}", style="not bold")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, told, style in _rows(why):
        sign = f"{_SIGNS[style]} " if style else ""
        table.add_row(name, Text(f"{sign}{told}", style=style))
    parts: list[RenderableType] = [head, Text(), table]
    if why.dials:
        parts += [Text(), _dials(why)]
    return Padding(Group(*parts), (0, 1))


def why_lines(why: WhyNot) -> list[str]:
    rows = [("who", f"{why.contact.number}  {_state(why)}")]
    rows += [(name, told) for name, told, _ in _rows(why)]
    rows += [("dial", "  ".join(_dial(dial))) for dial in why.dials]
    return aligned(rows)


def _state(why: WhyNot) -> str:
    contact = why.contact
    dials = f"{contact.attempts} {'dial' if contact.attempts == 1 else 'dials'}"
    due = f", due {clock(contact.due_at_ms)} UTC" if contact.state == "waiting" else ""
    return f"{contact.campaign_id}: {contact.state}, {dials}{due}"


def _rows(why: WhyNot) -> Iterator[tuple[str, str, str]]:
    """Name, what is told, colour."""
    for sentence in why.besides:
        yield "state", sentence, "yellow"
    at = f"asked for {clock(why.at_ms)} UTC"
    match why.answer:
        case Allowed(until_ms=until_ms):
            yield at, f"no rule stands against it until {clock(until_ms)} UTC", "blue"
        case NotNow(rule=rule, reason=reason, again_ms=again_ms):
            yield at, f"{rule}: {reason} From {clock(again_ms)} UTC.", "yellow"
        case Never(rule=rule, reason=reason):
            yield at, f"{rule}: {reason}", "bold magenta"
    contact = why.contact
    if contact.why_rule and contact.why_at_ms is not None:
        yield f"kept from {clock(contact.why_at_ms)} UTC", f"{contact.why_rule}: {contact.why}", ""
    yield "zones", ", ".join(contact.zones) or "none is known", ""


def _dial(dial: Dial) -> tuple[str, ...]:
    return (
        f"{clock(dial.intended_at_ms)} UTC",
        dial.number,
        dial.outcome or dial.state,
        dial.answered_by or "",
        dial.disposition or "",
        dial.detail or "",
    )


def _dials(why: WhyNot) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for dial in why.dials:
        table.add_row(*map(Text, _dial(dial)))
    return table
