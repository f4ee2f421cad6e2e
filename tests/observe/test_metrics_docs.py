"""Invariant: the page of metrics is what the metrics' own words make of it, and nothing asks for a
metric that does not exist."""

import json
import re

import pytest

from app.observe.metrics_docs import ALERTS, QUERIES, render_page
from app.observe.metrics_families import SECTIONS
from app.observe.metrics_kinds import Family, HistogramFamily
from tests.docs.pages import ROOT, codes, page, table

STALE = "docs/metrics.md is stale: python -m app.observe.metrics_docs > docs/metrics.md"
FAMILIES = [family for part in SECTIONS.values() for family in part]
DASHBOARD = ROOT / "deploy" / "grafana-earshot.json"

_METRIC = re.compile(r"\bearshot_[a-z0-9_]+")
_LABELS = re.compile(r"(earshot_[a-z0-9_]+)\{([^}]*)\}")


def exposed(family: Family) -> set[str]:
    """The names under which it is scraped."""
    if not isinstance(family, HistogramFamily):
        return {family.full_name}
    return {f"{family.full_name}_{part}" for part in ("bucket", "sum", "count")}


NAMES = {name: family for family in FAMILIES for name in exposed(family)}


def dashboard_queries() -> list[str]:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def asked() -> list[str]:
    return [query for _, query in (*QUERIES, *ALERTS)] + dashboard_queries()


def test_the_page_is_fresh() -> None:
    assert page("metrics") == render_page(), STALE


def test_every_metric_has_a_row_with_a_meaning() -> None:
    rows = [row for title in SECTIONS for row in table(render_page(), f"## {title}\n")]
    assert [codes(row[0])[0] for row in rows] == [family.full_name for family in FAMILIES]
    assert all(row[3] for row in rows)


@pytest.mark.parametrize("query", asked())
def test_a_query_asks_for_what_exists(query: str) -> None:
    names = _METRIC.findall(query)
    assert names
    assert set(names) <= NAMES.keys()
    for name, matchers in _LABELS.findall(query):
        for label, operator, value in re.findall(r'(\w+)(=~|!=|=)"([^"]*)"', matchers):
            known = NAMES[name].labels[label]
            matched = [v for v in known if re.fullmatch(value, v)]
            assert matched or not known, f"{name}: {label}{operator}{value}"


@pytest.mark.parametrize("query", asked())
def test_the_brackets_of_a_query_close(query: str) -> None:
    open_brackets = []
    pairs = {")": "(", "]": "[", "}": "{"}
    for letter in re.sub(r'"[^"]*"', "", query):
        if letter in "([{":
            open_brackets.append(letter)
        elif letter in pairs:
            assert open_brackets and open_brackets.pop() == pairs[letter]
    assert not open_brackets


def test_the_page_names_only_metrics_that_exist() -> None:
    known = NAMES.keys() | {family.full_name for family in FAMILIES}
    assert set(_METRIC.findall(page("metrics"))) <= known


def test_the_dashboard_shows_every_metric_that_the_issue_of_a_caller_would_show_in() -> None:
    shown = {name for query in dashboard_queries() for name in _METRIC.findall(query)}
    assert {
        "earshot_calls_in_progress",
        "earshot_turn_latency_seconds_bucket",
        "earshot_turn_part_seconds_bucket",
        "earshot_interruptions_total",
        "earshot_underruns_total",
        "earshot_model_gap_seconds_bucket",
        "earshot_cost_usd_total",
    } <= shown
