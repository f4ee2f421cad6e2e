"""Puts the tables and the chart where docs/cost.md shows them."""

from pathlib import Path

from bench.cost_chart import chart
from bench.cost_tables import TABLES, Grid, remarks

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "cost.md"
CHART = DOCS / "cost.svg"


class PageError(Exception):
    """The page has no place for a table."""


def markdown(grid: Grid) -> str:
    """The grid as a table of Markdown."""
    rule = ("---:" if grid.is_of_figures(n) else "---" for n in range(len(grid.head)))
    return "\n".join(f"| {' | '.join(row)} |" for row in (grid.head, rule, *grid.rows))


def filled(page: str) -> str:
    """The page with its tables as the simulation makes them now.

    A table stands between `<!-- bench:cost:NAME -->` and `<!-- /bench:cost:NAME -->`. Raises
    `PageError` if the page lacks one.
    """
    regions = {name: markdown(table()) for name, table in TABLES.items()}
    regions["remarks"] = "\n".join(remarks())
    for name, text in regions.items():
        page = _with_region(page, name, text)
    return page


def _with_region(page: str, name: str, text: str) -> str:
    begin, end = f"<!-- bench:cost:{name} -->\n", f"<!-- /bench:cost:{name} -->"
    before, begins, rest = page.partition(begin)
    _, ends, after = rest.partition(end)
    if not (begins and ends):
        raise PageError(f"docs/cost.md: expected a line {begin.strip()} and later {end}")
    return f"{before}{begin}{text}\n{end}{after}"


def write() -> None:
    """Bring docs/cost.md and docs/cost.svg up to date."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    CHART.write_text(chart(), encoding="utf-8")
