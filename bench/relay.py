"""`python -m bench.relay [--quick] [SECTION...]`: a call outlives its sessions, worker and vendor.

Whole calls through the lab, over real sockets; every figure stands beside its target. Exits 0 only
if all targets of the sections that ran are met. `docs/relay.md` says what the figures mean.
"""

import logging
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol

import uvloop
from rich.console import Console

from app.observe.log import configure_logging
from bench import relay_drops, relay_redis, relay_refused, relay_rollovers, relay_workers
from bench.relay_figures import Findings, show


class Section(Protocol):
    def __call__(self, *, quick: bool) -> Awaitable[Findings]: ...


SECTIONS: Final[Mapping[str, Section]] = {
    "rollovers": relay_rollovers.run,
    "drops": relay_drops.run,
    "death": relay_workers.death,
    "restart": relay_workers.restart,
    "redis": relay_redis.run,
    "refused": relay_refused.run,
}


def main(argv: Sequence[str]) -> int:
    """0 if every target is met, 1 if not, 2 for a section that does not exist."""
    quick = "--quick" in argv
    names = [word for word in argv if word != "--quick"] or list(SECTIONS)
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        print(f"no such section: {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
        return 2
    configure_logging("error")
    # The lab's model refuses and breaks connections here; its server calls that errors.
    logging.getLogger("websockets.server").setLevel(logging.CRITICAL)
    console = Console(width=100, highlight=False)
    began_s = time.monotonic()
    missed = [name for name in names if not _run(SECTIONS[name], console, quick=quick)]
    console.print(f"{len(names)} sections in {time.monotonic() - began_s:.0f} s")
    for name in missed:
        console.print(f"missed: {name}", style="bold")
    return 1 if missed else 0


def _run(section: Callable[..., Awaitable[Findings]], console: Console, *, quick: bool) -> bool:
    async def found() -> Findings:
        return await section(quick=quick)

    findings = uvloop.run(found())
    show(findings, console)
    return findings.met


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
