"""What a call costs by its length, and what can be done about it: a simulation, no bill.

    python -m bench.cost [NAME ...] [--write]

Prints the tables of docs/cost.md, or the named ones; `--write` puts them and the chart into docs/.
What is assumed stands in bench/cost_model.py: change it there and run this again.
"""

import argparse
import sys
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.cost_page import PAGE, write
from bench.cost_tables import TABLES, Grid, remarks


def table(grid: Grid) -> Table:
    """The grid for a terminal."""
    made = Table(title=grid.title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for number, name in enumerate(grid.head):
        words = max(map(len, name.split()))
        figures = max(len(row[number]) for row in grid.rows) if grid.is_of_figures(number) else 0
        made.add_column(
            name,
            justify="right" if figures else "left",
            min_width=max(words, figures),
            overflow="fold",
        )
    for row in grid.rows:
        made.add_row(*row)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; 2 if one is named that does not exist."""
    parser = argparse.ArgumentParser(prog="bench.cost", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TABLES))
    parser.add_argument("--write", action="store_true", help="update docs/cost.md and cost.svg")
    given = parser.parse_args(argv)
    unknown = [name for name in given.names if name not in TABLES]
    if unknown:
        print(f"no such table: {', '.join(unknown)}; there are {', '.join(TABLES)}")
        return 2
    console = Console()
    for name in given.names or TABLES:
        console.print(table(TABLES[name]()))
    for line in remarks() if not given.names else ():
        console.print(line, highlight=False)
    if given.write:
        write()
        console.print(f"written: {PAGE.name}, cost.svg", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
