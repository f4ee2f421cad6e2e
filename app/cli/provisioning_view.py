"""Plans for eyes: a sign and a word say what is done, colour repeats it; plain lines in pipes."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from app.cli.columns import aligned
from app.provisioning.planning import Action, Create, Delete, Plan, Update
from app.provisioning.resources import Present, Ref, Value
from app.provisioning.wanted import Ours

_SIGNS: Final = {
    Create: ("+", "make", "blue"),
    Update: ("~", "change", "yellow"),
    Delete: ("-", "take away", "bold magenta"),
}
_SECRET: Final = frozenset({"password"})
_NOTHING: Final = "nothing"


def show_plan(plan: Plan, group: str, console: Console) -> None:
    """`group`: the command, for hints."""
    for action in plan.actions:
        _lines(_head(action), _details(action), console)
    for problem in plan.problems:
        text = Text(f"! {problem.key.kind} {problem.key.shown}: {problem.text}")
        text.stylize("bold magenta", 0, 1)
        _print(text, console)
    for one in plan.left:
        _print(Text(f"  left as it is: {one.key.kind} {one.key.shown}", style="dim"), console)
    _print(_totals(plan), console)
    if plan.left:
        hint = f"What is left as it is goes with `earshot {group} apply --delete`."
        _print(Text(hint, style="dim"), console)


def show_done(action: Action, console: Console) -> None:
    """One line for an action that was carried out."""
    _, word, _ = _SIGNS[type(action)]
    text = Text(f"✓ {word}: {action.key.kind} {action.key.shown}")
    text.stylize("blue", 0, 1)
    _print(text, console)


def show_numbers(found: Sequence[Present], ours: Ours, console: Console) -> None:
    """One line for each number of the account."""
    if not found:
        _print(Text("The account has no numbers."), console)
        return
    rows = [(one.key.name, _answered_by(one, ours)) for one in found]
    for line in aligned(rows):
        _print(Text(line), console)


def _answered_by(number: Present, ours: Ours) -> str:
    """What Twilio looks at first comes first."""
    fields = number.fields
    if fields.get("trunk_sid"):
        return f"an elastic trunk ({fields['trunk_sid']})"
    if fields.get("voice_application_sid"):
        return f"a TwiML app ({fields['voice_application_sid']})"
    url = fields.get("voice_url", "")
    if not url:
        return "nobody"
    return f"this bot: {url}" if url.partition("?")[0] == ours.voice("") else url


def _head(action: Action) -> Text:
    sign, word, style = _SIGNS[type(action)]
    text = Text(f"{sign} {word} {action.key.kind} {action.key.shown}")
    text.stylize(style, 0, len(sign) + 1 + len(word))
    return text


def _details(action: Action) -> Iterator[tuple[str, str]]:
    match action:
        case Create():
            for name, value in action.wanted.fields.items():
                if value:
                    yield name, _shown(name, value)
        case Update():
            for change in action.changes:
                if change.name in _SECRET:
                    yield change.name, "set again"
                else:
                    yield change.name, f"{change.old or _NOTHING} -> {change.new or _NOTHING}"
        case Delete():
            return


def _shown(name: str, value: Value) -> str:
    if name in _SECRET:
        return "from the environment"
    return value.key.name if isinstance(value, Ref) else value


def _totals(plan: Plan) -> Text:
    if plan.is_done:
        return Text("Nothing to do: all is as you want it.", style="blue")
    of_kind = {
        word: sum(isinstance(a, kind) for a in plan.actions)
        for kind, (_, word, _) in _SIGNS.items()
    }
    counts = [f"{count} to {word}" for word, count in of_kind.items() if count]
    problems = len(plan.problems)
    said = [*counts, *([f"{problems} to be mended by you"] if problems else [])]
    return Text(", ".join(said), style="bold")


def _lines(head: Text, details: Iterator[tuple[str, str]], console: Console) -> None:
    _print(head, console)
    rows = list(details)
    for line in aligned(rows) if rows else ():
        _print(Text(f"    {line}"), console)


def _print(text: Text, console: Console) -> None:
    """Long addresses are there to be copied: lines of a pipe are not broken."""
    if console.is_terminal:
        console.print(text, overflow="fold")
    else:
        console.print(text.plain, markup=False, highlight=False, soft_wrap=True, emoji=False)
