"""`earshot replay`"""

import sys
from pathlib import Path

import click
from rich.console import Console

from app.bridge.call_record import EVENTS_FILE, call_folder
from app.bridge.journal import Difference, hidden_keys
from app.bridge.journal import replay as replay_journal
from app.call.call import Call
from app.cli.configured import configured
from app.cli.failure import Failure, told_plainly


@click.command("replay")
@click.argument("call")
def command(call: str) -> None:
    """Run a recorded call through the heart again and compare every command.

    CALL is a CallSid below the data folder, or the path of an events.jsonl file. Exits 1 at the
    first difference.
    """
    with told_plainly():
        path = Path(call)
        if not path.is_file():
            path = call_folder(configured().data_dir, call) / EVENTS_FILE
        if not path.is_file():
            raise Failure(f"No recorded call at {path}. Name a CallSid or an events.jsonl file.")
        heart, difference, count = replay_journal(path)
        hidden = hidden_keys(path)
    code = _show(heart, difference, count, path)
    if hidden:
        click.echo(f"{hidden} keys are hidden in it; any digit in their place does the same")
    sys.exit(code)


def _show(heart: Call, difference: Difference | None, count: int, path: Path) -> int:
    """Print the verdict; returns the exit code: 0 for the same commands, 1 for others."""
    console = Console(highlight=False)
    if difference is None:
        ended = heart.timeline.end_reason or "not ended"
        console.print(f"[bold]same commands[/] for all {count} events of {path}")
        console.print(f"{len(heart.timeline.turns)} turns, {ended}")
        return 0
    console.print(f"[bold]different[/] at line {difference.line} of {path}")
    console.print(f"  event     {difference.event} at {difference.at_ms} ms")
    console.print(f"  recorded  {difference.recorded}", markup=False, soft_wrap=True)
    console.print(f"  replayed  {difference.replayed}", markup=False, soft_wrap=True)
    return 1
