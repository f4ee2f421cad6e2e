"""The agent of `bench.relay`: one slow tool that writes down each of its runs."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RUNS: Final = "runs.txt"

_AGENT: Final = """\
voice = "marin"
language = "en"
greeting = "Hello, this is the bench."
instructions = "You take messages on the phone."
filler = ""
tools = ["tools.py:look_up"]
[barge_in]
by = "model"
[silence]
ask_after_s = 0
"""
# Its callers are no voices, and its brain knows no question for a silent one.
# The result must be the one that the plan of the call expects: see `Plan.result`.
_TOOLS: Final = '''\
"""A tool that takes its time and writes down when it ran."""

import asyncio
import os
import time
from pathlib import Path

RUNS = Path(__file__).with_name("runs.txt")


async def look_up(token: str, takes_ms: int) -> str:
    """Look something up for the caller."""
    began_s = time.monotonic()
    note(f"begin {token} {began_s} {os.getpid()}")
    await asyncio.sleep(takes_ms / 1000)
    note(f"end {token} {time.monotonic()} {os.getpid()}")
    call, utterance = int(token[1:3]), int(token[4:6])
    return f"{token} found {call * 7919 + utterance * 104_729:07}"


def note(line: str) -> None:
    """One short write at the end of the file: whole, whichever process makes it."""
    file = os.open(RUNS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, f"{line}\\n".encode())
    os.close(file)
'''


@dataclass(frozen=True, slots=True)
class ToolRun:
    token: str
    began_s: float
    """`time.monotonic`."""
    ended_s: float | None = None
    """None: it never came back."""


def write_agent(folder: Path) -> Path:
    """Returns the agent's file, for `EARSHOT_AGENT`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tools.py").write_text(_TOOLS)
    agent = folder / "bench.toml"
    agent.write_text(_AGENT)
    return agent


def read_runs(folder: Path) -> list[ToolRun]:
    """Every run of the tool, in the order of their beginning."""
    path = folder / RUNS
    return runs_of(path.read_text().splitlines()) if os.path.exists(path) else []


def runs_of(lines: list[str]) -> list[ToolRun]:
    """From the lines that the tool wrote: an end belongs to the oldest open run of its token."""
    runs: list[ToolRun] = []
    for line in lines:
        what, token, at_s, _ = line.split()
        if what == "begin":
            runs.append(ToolRun(token, float(at_s)))
            continue
        index = next(i for i, r in enumerate(runs) if r.token == token and r.ended_s is None)
        runs[index] = ToolRun(token, runs[index].began_s, float(at_s))
    return runs
