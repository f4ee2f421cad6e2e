"""`earshot demo`"""

import sys
from pathlib import Path

import click

from app.cli.failure import told_plainly
from app.demo.run import run_demo


@click.command("demo")
@click.option(
    "--caller",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A WAV of your own that the caller says after the greeting.",
)
@click.option(
    "--out",
    default=Path("earshot-data/demo"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the recording and the timeline.",
)
@click.option(
    "--delay",
    "delay_ms",
    default=40,
    show_default=True,
    type=click.IntRange(0, 2_000),
    help="One-way network delay in ms.",
)
def command(caller: Path | None, out: Path, delay_ms: int) -> None:
    """Hold a whole call on this machine: a caller asks, interrupts and books a table.

    No account, no network. Exits 0 only if the call went as scripted.
    """
    with told_plainly():
        sys.exit(run_demo(caller, out, delay_ms))
