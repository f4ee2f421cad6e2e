"""The curve of docs/cost.md as an SVG without fonts or scripts, readable on light and dark."""

from collections.abc import Sequence

from bench.cost_model import PUBLISHED_USD, SHARE
from bench.cost_policy import BUDGET, BY_TIME, NOTHING, RECOMMENDED, Policy
from bench.cost_study import usd

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 52, 170, 34, 44
MOST_USD, MOST_MINUTES = 16, 60
EVERY_MINUTES = tuple(range(1, MOST_MINUTES + 1))

LINES: Sequence[tuple[Policy, str, str]] = (
    (NOTHING, "one session", "one"),
    (BY_TIME, "each 15 min", "time"),
    (BUDGET, "or at 12k", "budget"),
    (RECOMMENDED, "and pruned", "pruned"),
)

STYLE = """\
text{font:12px system-ui,sans-serif;fill:#444}
.title{font-weight:600;font-size:13px}
.grid{stroke:#888;stroke-opacity:.3}
.line{fill:none;stroke-width:2.2}
.one{stroke:#c2410c}.time{stroke:#a16207}.budget{stroke:#2563eb}.pruned{stroke:#15803d}
.dot{fill:#7c3aed}
@media (prefers-color-scheme:dark){text{fill:#ccc}
.one{stroke:#fb923c}.time{stroke:#facc15}.budget{stroke:#60a5fa}.pruned{stroke:#4ade80}
.dot{fill:#c4b5fd}}"""


def chart() -> str:
    """The SVG's text."""
    title = f"Simulated cost of a call by its length, {SHARE:.0%} of the prefix cached"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="{LEFT}" y="18">{title}</text>',
        *_axes(),
        *(_line(policy, name) for policy, _, name in LINES),
        *_labels(),
        *_published(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _x(minutes: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * minutes / MOST_MINUTES, 1)


def _y(dollars: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * dollars / MOST_USD, 1)


def _axes() -> list[str]:
    parts = []
    for dollars in range(0, MOST_USD + 1, 2):
        y = _y(dollars)
        parts.append(f'<path class="grid" d="M{_x(0)} {y}H{_x(MOST_MINUTES)}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">${dollars}</text>')
    for minutes in range(0, MOST_MINUTES + 1, 10):
        y = HEIGHT - BOTTOM + 18
        parts.append(f'<text x="{_x(minutes)}" y="{y}" text-anchor="middle">{minutes} min</text>')
    return parts


def _points(policy: Policy) -> list[tuple[float, float]]:
    costs = ((m, usd(policy, m, SHARE, marks=EVERY_MINUTES)) for m in EVERY_MINUTES)
    return [(_x(m), _y(cost)) for m, cost in costs if cost <= MOST_USD]


def _line(policy: Policy, name: str) -> str:
    way = "L".join(f"{x} {y}" for x, y in [(_x(0), _y(0)), *_points(policy)])
    return f'<path class="line {name}" d="M{way}"/>'


def _labels() -> list[str]:
    parts = []
    for policy, words, _ in LINES:
        x, y = _points(policy)[-1]
        cost = usd(policy, MOST_MINUTES, SHARE, marks=EVERY_MINUTES)
        beyond = ", 60 min:" if cost > MOST_USD else ""
        parts.append(f'<text x="{x + 6}" y="{y + 4}">{words}{beyond} ${cost:.2f}</text>')
    return parts


def _published() -> list[str]:
    parts = [
        f'<circle class="dot" cx="{_x(m)}" cy="{_y(cost)}" r="4"/>'
        for m, cost in PUBLISHED_USD.items()
    ]
    minutes, dollars = max(PUBLISHED_USD.items())
    x, y = _x(minutes) - 10, _y(dollars)
    return [*parts, f'<text x="{x}" y="{y + 4}" text-anchor="end">published</text>']
