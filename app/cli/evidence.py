"""`earshot evidence`"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from app.bridge.call_record import call_folder
from app.cli.configured import configured
from app.cli.failure import Failure, told_plainly
from app.records.chain import Link, Verdict, verify

_SHOWN_HASH = 12


@click.group("evidence")
def command() -> None:
    """What a call can be held to: what was heard of its notices, decided and done."""


@command.command("verify")
@click.argument("calls", nargs=-1, required=True)
def verify_command(calls: Sequence[str]) -> None:
    """Prove that nothing in the evidence of CALLS was changed since.

    A call is a CallSid below the data folder, or the path of an evidence file. Exits 1 if one was
    changed or was never closed. Chains that are keyed need EARSHOT_EVIDENCE_KEY.
    """
    with told_plainly():
        files = [file for call in calls for file in _files(call)]
        judged = [(file, *_judged(file)) for file in files]
    console = Console(highlight=False)
    for file, verdict, faults in judged:
        _tell(console, file, verdict, faults)
    sys.exit(0 if all(verdict.whole and not faults for _, verdict, faults in judged) else 1)


@command.command("show")
@click.argument("call")
def show_command(call: str) -> None:
    """List the links of CALL's evidence."""
    with told_plainly():
        verdicts = [(file, _judged(file)[0]) for file in _files(call)]
    console = Console(highlight=False)
    for file, verdict in verdicts:
        console.print(_links(file, verdict.links))


def _files(call: str) -> list[Path]:
    """Of all its streams, the oldest first."""
    if Path(call).is_file():
        return [Path(call)]
    folder = call_folder(configured().data_dir, call)
    files = sorted(folder.glob("evidence*.jsonl"), key=lambda file: file.stat().st_mtime_ns)
    if not files:
        raise Failure(
            f"No evidence at {folder}. Name a CallSid of this data folder, or an evidence file."
        )
    return files


def _judged(file: Path) -> tuple[Verdict, list[str]]:
    """The verdict on a chain, and what does not fit between it and the call's timeline."""
    key = configured().evidence_key.get_secret_value().encode()
    verdict = verify(file.read_bytes(), key)
    faults = [f"line {fault.line}: {fault.why}" for fault in verdict.faults]
    known = _head_in_timeline(file)
    if known is not None and not verdict.faults and known != verdict.head:
        faults.append(f"timeline.json knows another last hash, {known[:_SHOWN_HASH]}…")
    return verdict, faults


def _head_in_timeline(file: Path) -> str | None:
    """None: there is none, or it does not say."""
    timeline = file.with_name(file.name.replace("evidence", "timeline")).with_suffix(".json")
    try:
        told = json.loads(timeline.read_text(encoding="utf-8"))["evidence"]["head"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return told if isinstance(told, str) else None


def _tell(console: Console, file: Path, verdict: Verdict, faults: Sequence[str]) -> None:
    name = f"{file.parent.name}/{file.name}"
    if faults:
        console.print(f"[bold red]changed[/]  {name}")
        for fault in faults:
            console.print(f"  {fault}", markup=False)
    elif not verdict.closed:
        console.print(f"[bold yellow]open[/]     {name}")
        console.print("  it was never closed: the call goes on, or its worker was killed")
    else:
        console.print(f"[bold green]whole[/]    {name}")
        console.print(f"  {len(verdict.links)} links, last hash {verdict.head}")


def _links(file: Path, links: Sequence[Link]) -> Table:
    table = Table(title=f"{file.parent.name}/{file.name}", title_justify="left", box=None)
    for name in ("", "at (UTC)", "kind", "what"):
        table.add_column(name)
    for link in links:
        facts = ", ".join(f"{name}={_short(value)}" for name, value in link.what.items())
        table.add_row(str(link.number), link.at[:23].replace("T", " "), link.kind, facts)
    return table


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{text[:60]}…" if len(text) > 61 else text
