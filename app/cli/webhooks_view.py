"""Webhooks for eyes: two lines for each at a terminal, plain aligned ones elsewhere, JSON for
machines.

A sign and a word say the state; colour only repeats it (as in `earshot doctor`).
"""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from rich.console import Console, Group, RenderableType
from rich.json import JSON
from rich.padding import Padding
from rich.text import Text

from app.cli.columns import aligned
from app.outgoing.sending import Attempt
from app.outgoing.store import Delivery, State

_STYLES: dict[State, str] = {"waiting": "yellow", "delivered": "blue", "dead": "bold magenta"}
_SIGNS: dict[State, str] = {"waiting": "…", "delivered": "✓", "dead": "✗"}
_NOTHING = "No webhook was sent from this data folder."
_COLUMNS = ("state", "when", "event", "message", "call", "endpoint", "tries", "last answer")
_BRIEF, _WITHOUT_CALL, _WITH_CALL = 2, 4, 5
"""So many columns on the first line at a terminal."""
_WIDE = 120
"""Columns of a terminal that has room for the call's id."""
_INDENT = 2


def nothing(console: Console) -> None:
    console.print(Text(_NOTHING, style="dim" if console.is_terminal else ""))


def deliveries(
    found: Sequence[Delivery],
    counts: Mapping[State, int],
    disabled: Mapping[str, str],
    now_s: float,
    console: Console,
) -> None:
    """The list, its totals, and what became of endpoints."""
    if not counts:
        nothing(console)
        return
    rows = [_cells(each, now_s) for each in found]
    if console.is_terminal:
        shown = _WITH_CALL if console.width >= _WIDE else _WITHOUT_CALL
        listed = _designed(found, rows, shown)
        console.print(Group(*listed, Text(), _totals(counts), *_gone(disabled)))
        return
    for line in aligned([_COLUMNS, *rows]):
        _plainly(console, line)
    _plainly(console, "")
    for text in (_totals(counts), *_gone(disabled)):
        _plainly(console, text.plain)


def message(found: Sequence[Delivery], now_s: float, console: Console) -> None:
    """One message with all its deliveries, and its body if it is still kept."""
    first = found[0]
    head = f"{first.type}  {first.message_id}  {first.call_id or 'no call'}  {first.agent}"
    rows = [_cells(each, now_s) for each in found]
    body = first.body.decode("utf-8", "replace")
    if not console.is_terminal:
        for line in (head, *aligned([_COLUMNS, *rows]), body or "(the body is forgotten)"):
            _plainly(console, line)
        return
    shown: RenderableType = JSON(body) if body else Text("the body is forgotten", style="dim")
    listed = _designed(found, rows, _BRIEF)
    console.print(Group(Text(head, style="bold"), *listed, Padding(shown, (1, 2))))


def attempt_line(url: str, attempt: Attempt, took_ms: int, *, as_text: bool) -> str:
    """What came of `earshot webhooks test` at one endpoint."""
    if as_text:
        told = {"url": url, "delivered": attempt.delivered, "status": attempt.status}
        return json.dumps({**told, "reason": attempt.reason, "took_ms": took_ms})
    sign = _SIGNS["delivered" if attempt.delivered else "dead"]
    said = f"HTTP {attempt.status}" if attempt.delivered else attempt.reason
    return f"{sign} {url}  {said}, {took_ms} ms"


def as_json(delivery: Delivery) -> dict[str, object]:
    """A delivery for machines; times in Unix seconds. No word of what was sent."""
    return {
        "message_id": delivery.message_id,
        "type": delivery.type,
        "call_id": delivery.call_id,
        "agent": delivery.agent,
        "url": delivery.url,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "created_s": delivery.created_s,
        "due_s": delivery.due_s,
        "status": delivery.status,
        "reason": delivery.reason,
    }


def _designed(
    found: Sequence[Delivery], rows: Sequence[Sequence[str]], shown: int
) -> list[RenderableType]:
    """Two lines for each: ids are long, and are there to be copied whole."""
    lines: list[RenderableType] = []
    for each, line, row in zip(found, aligned([row[:shown] for row in rows]), rows, strict=True):
        style = _STYLES[each.state]
        first = Text(line)
        first.stylize(style, 0, len(row[0]))
        *_, endpoint, tries, last = row
        tried = f"{tries} {'try' if each.attempts == 1 else 'tries'}"
        second = Text(f"{endpoint}  ", overflow="fold")
        second.append(f"{tried}: {last}" if each.attempts else last, style)
        lines += [first, Padding(second, (0, 0, 0, _INDENT))]
    return lines


def _cells(each: Delivery, now_s: float) -> tuple[str, ...]:
    url = urlsplit(each.url)
    return (
        f"{_SIGNS[each.state]} {each.state}",
        _ago(now_s - each.created_s),
        each.type,
        each.message_id,
        each.call_id or "-",
        f"{url.netloc}{url.path}",
        str(each.attempts),
        _last(each, now_s),
    )


def _last(each: Delivery, now_s: float) -> str:
    if each.state == "delivered":
        return f"HTTP {each.status}"
    if each.state == "dead":
        return each.reason
    if not each.attempts:
        return "not sent yet"
    return f"{each.reason}; again {_in(each.due_s - now_s)}"


def _totals(counts: Mapping[State, int]) -> Text:
    said = [f"{counts.get(state, 0)} {state}" for state in ("waiting", "dead", "delivered")]
    text = Text(", ".join(said), style="bold" if counts.get("dead") else "")
    if counts.get("dead"):
        text.append("  (earshot webhooks retry --all)", style="not bold dim")
    return text


def _gone(disabled: Mapping[str, str]) -> list[Text]:
    return [Text(f"nothing is sent to {url}: {why}") for url, why in disabled.items()]


def _plainly(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True, emoji=False)


def _ago(seconds: float) -> str:
    return f"{_length(seconds)} ago"


def _in(seconds: float) -> str:
    return f"in {_length(seconds)}" if seconds > 0 else "now"


def _length(seconds: float) -> str:
    for unit, length_s in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length_s:
            return f"{seconds / length_s:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"
