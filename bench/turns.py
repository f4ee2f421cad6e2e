"""`python -m bench.turns [--quick] [--seed N] [SECTION...]`: taking turns on a bad telephone line.

Whole calls through the lab, over real sockets; every figure stands beside its target. Sections:
`floor` (interruptions, and what is none), `greeting` (the first words while the model connects),
`vad` (what our own ears cost), `end` (when the caller has said all). Exits 0 only if all targets
of the sections that ran are met. EARSHOT_BENCH_KEEP names a folder for the records of calls that
went wrong.
"""

import argparse
import logging
import sys
import time
from collections.abc import Awaitable, Mapping, Sequence
from typing import Final, Protocol

import uvloop
from rich.console import Console

from app.observe.log import configure_logging
from bench import turns_end, turns_floor, turns_greeting, turns_vad
from bench.relay_figures import Findings, show


class Section(Protocol):
    def __call__(self, *, quick: bool, seed: int) -> Awaitable[Findings]: ...


SECTIONS: Final[Mapping[str, Section]] = {
    "floor": turns_floor.run,
    "greeting": turns_greeting.run,
    "vad": turns_vad.run,
    "end": turns_end.run,
}


def main(argv: Sequence[str] | None = None) -> int:
    """0 if every target is met, 1 if not, 2 for a section that does not exist."""
    parser = argparse.ArgumentParser(prog="bench.turns", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="fewer calls")
    parser.add_argument("--seed", type=int, default=0, help="of all chance (default: 0)")
    given = parser.parse_args(argv)
    names = given.sections or list(SECTIONS)
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        print(f"no such section: {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
        return 2
    configure_logging("error")
    logging.getLogger("websockets.server").setLevel(logging.CRITICAL)
    console = Console(width=110, highlight=False)
    missed = []
    for name in names:
        began_s = time.monotonic()
        found = uvloop.run(_found(SECTIONS[name], quick=given.quick, seed=given.seed))
        show(found, console)
        console.print(f"{name}: {time.monotonic() - began_s:.0f} s\n")
        missed += [] if found.met else [name]
    for name in missed:
        console.print(f"missed: {name}", style="bold")
    return 1 if missed else 0


async def _found(section: Section, *, quick: bool, seed: int) -> Findings:
    return await section(quick=quick, seed=seed)


if __name__ == "__main__":
    sys.exit(main())
