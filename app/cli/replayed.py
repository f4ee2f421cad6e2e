"""How `earshot replay` shows its verdict."""

from pathlib import Path

from rich.console import Console

from app.bridge.journal import Difference
from app.call.call import Call


def show_replay(call: Call, difference: Difference | None, count: int, path: Path) -> int:
    """Print the verdict; returns the exit code: 0 for the same commands, 1 for others."""
    console = Console(highlight=False)
    if difference is None:
        ended = call.timeline.end_reason or "not ended"
        turns = len(call.timeline.turns)
        console.print(f"[bold]same commands[/] for {count} events of {path}")
        console.print(f"{turns} turns, {ended}")
        return 0
    console.print(f"[bold]different[/] at line {difference.line} of {path}")
    console.print(f"  event     {difference.event} at {difference.at_ms} ms")
    console.print(f"  recorded  {difference.recorded}", markup=False, soft_wrap=True)
    console.print(f"  replayed  {difference.replayed}", markup=False, soft_wrap=True)
    return 1
