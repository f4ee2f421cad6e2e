"""docs/cost.md and its chart show what the simulation gives now, and anybody can print it."""

import xml.etree.ElementTree as ET

import pytest

from bench.cost import main
from bench.cost_chart import chart
from bench.cost_page import CHART, PAGE, PageError, filled, markdown
from bench.cost_tables import TABLES, Grid

STALE = "stale: python -m bench.cost --write"


def test_the_page_shows_what_the_simulation_gives() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == filled(page), STALE


def test_the_chart_shows_what_the_simulation_gives() -> None:
    assert CHART.read_text(encoding="utf-8") == chart(), STALE


def test_the_chart_is_well_formed_and_has_a_style_for_the_dark() -> None:
    drawn = chart()
    assert ET.fromstring(drawn).tag.endswith("svg")
    assert "prefers-color-scheme:dark" in drawn
    assert drawn.count('class="line') == 4


def test_a_page_without_a_place_for_a_table_is_told_so() -> None:
    with pytest.raises(PageError, match="bench:cost:lengths"):
        filled("# A page\n")


def test_figures_stand_to_the_right_and_words_to_the_left() -> None:
    grid = Grid("t", ("who", "what"), (("one", "$1.00"), ("two", "none")))
    assert markdown(grid).splitlines() == [
        "| who | what |",
        "| --- | ---: |",
        "| one | $1.00 |",
        "| two | none |",
    ]


def test_it_prints_the_table_that_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lengths"]) == 0
    printed = capsys.readouterr().out
    assert "published" in printed
    assert TABLES["lengths"]().rows[-1][-3] in printed


def test_an_unknown_table_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weather"]) == 2
    assert "weather" in capsys.readouterr().out
