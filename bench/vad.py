"""`python -m bench.vad [--quick] [SECTION...]`: how well we hear a caller, at what cost.

Sections: `accuracy` (every detector on every noise), `sounds` (coughs and other sounds that are no
turn), `quiet` (whether the gate loses quiet callers), `cost` (CPU per call-second). Seeds are
fixed and no clock is waited for. Exits 0 only if all targets of the sections that ran are met.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rich.console import Console

from bench import vad_sections
from bench.relay_figures import Target, table

SECTIONS: Final[Mapping[str, Callable[..., vad_sections.Found]]] = {
    "accuracy": vad_sections.accuracy,
    "sounds": vad_sections.sounds,
    "quiet": vad_sections.quiet,
    "cost": vad_sections.cost_of_all,
}


def main(argv: Sequence[str]) -> int:
    """0 if every target is met, 1 if not, 2 for a section that does not exist."""
    quick = "--quick" in argv
    names = [word for word in argv if word != "--quick"] or list(SECTIONS)
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        print(f"no such section: {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
        return 2
    console = Console(width=110, highlight=False)
    targets: list[Target] = []
    for name in names:
        found = SECTIONS[name](quick=quick)
        targets += found.targets
        for shown in found.tables:
            console.print(shown)
    console.print(table("Targets", ("target", "wanted", "found", ""), [_row(t) for t in targets]))
    return 0 if all(target.met for target in targets) else 1


def _row(target: Target) -> list[str]:
    return [target.what, target.wanted, target.found, "met" if target.met else "[bold]MISSED"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
