"""No cell of a file runs anything in a spreadsheet, and numbers stay numbers."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.records.cells import cell, guarded


@pytest.mark.parametrize("text", ["=1+1", "+SUM(A1)", "-cmd|' /C calc'!A0", "@x", "\t=1", "\r=1"])
def test_formulas_are_guarded(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["+15550100001", "-3.5", "text", "", "a=b", "'quoted"])
def test_all_else_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, ""), (True, "true"), (5, "5"), (0.25, "0.25"), ({"a": 1}, '{"a":1}'), (["é"], '["é"]')],
)
def test_values_are_written_plainly(value: Any, written: str) -> None:
    assert cell(value) == written


@given(st.text(), st.lists(st.text(), max_size=3))
def test_no_cell_begins_like_a_formula_and_all_can_be_read_back(text: str, many: list[str]) -> None:
    for value in (text, many, {"k": text}):
        made = cell(value)
        assert not made.startswith(("=", "@", "\t", "\r", "\n"))
    assert json.loads(cell(many)) == many
    file = io.StringIO(newline="")
    csv.writer(file).writerow([cell(text), "end"])
    file.seek(0)
    assert next(csv.reader(file))[1] == "end"
