"""Every line of JSON Lines is a row, with the columns that any line has; a broken line costs no
other."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.campaigns.importing.json_file import BROKEN_LINE, JsonLinesFile
from app.campaigns.importing.rows import ImportFileError, Row

Written = Callable[..., Path]


def read(path: Path) -> tuple[tuple[str, ...], list[Row]]:
    source = JsonLinesFile(path)
    try:
        return source.headers, list(source.rows())
    finally:
        source.close()


def test_columns_are_those_of_all_lines(written: Written) -> None:
    headers, rows = read(
        written('{"phone": "1", "a": 2}\n\n{"b": true, "phone": null, "a": 1.0}\n')
    )
    assert headers == ("phone", "a", "b")
    assert [(row.number, *row.cells) for row in rows] == [
        (1, "1", "2", ""),
        (3, "", "1", "true"),
    ]


def test_a_broken_line_costs_its_own_row(written: Written) -> None:
    rows = read(written('{"phone": "1"}\n{"phone": \n[1]\n{"phone": "2"}\n'))[1]
    assert [(row.number, bool(row.broken)) for row in rows] == [
        (1, False),
        (2, True),
        (3, True),
        (4, False),
    ]
    assert rows[1].raw == {BROKEN_LINE: '{"phone":'}


def test_a_list_or_an_object_in_a_line_is_told(written: Written) -> None:
    rows = read(written('{"phone": ["1"]}\n{"phone": {"a": 1}}\n'))[1]
    assert [row.broken for row in rows] == [
        "phone: expected a text or a number, got a list",
        "phone: expected a text or a number, got an object",
    ]


def test_a_list_of_objects_is_refused_with_a_way_out(written: Written) -> None:
    with pytest.raises(ImportFileError, match="jq"):
        read(written('[{"phone": "1"}]'))


Value = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=10)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.dictionaries(st.sampled_from(["phone", "a", "b"]), Value), min_size=1))
def test_what_a_program_wrote_comes_back(
    written: Written, objects: list[dict[str, object]]
) -> None:
    lines: list[dict[str, object]] = [{"phone": "x"}, *objects]
    headers, rows = read(written("\n".join(json.dumps(each) for each in lines)))
    by_number = {row.number: dict(zip(headers, row.cells, strict=True)) for row in rows}
    for number, each in enumerate(lines, 1):
        for name, value in each.items():
            text = str(value).lower() if isinstance(value, bool) else str(value or "")
            text = "0" if value == 0 and not isinstance(value, bool) else text
            assert by_number.get(number, {}).get(name, "") == text
