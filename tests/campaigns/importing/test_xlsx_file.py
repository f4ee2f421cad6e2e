"""A sheet's rows come with Excel's own numbers, and what Excel keeps as a number comes with all
its digits."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from app.campaigns.importing.rows import ImportFileError
from app.campaigns.importing.xlsx_file import XlsxFile


def saved(path: Path, rows: list[list[object]], **others: list[list[object]]) -> Path:
    book = Workbook()
    for at, (name, held) in enumerate({"people": rows, **others}.items()):
        sheet = book.create_sheet(name, at)
        for row in held:
            sheet.append(row)
    del book["Sheet"]
    book.save(path)
    return path


def read(path: Path, sheet: str = "") -> tuple[tuple[str, ...], list[tuple[int, list[str]]]]:
    source = XlsxFile(path, sheet)
    try:
        return source.headers, [(row.number, list(row.cells)) for row in source.rows()]
    finally:
        source.close()


def test_rows_have_excels_numbers(tmp_path: Path) -> None:
    path = saved(
        tmp_path / "a.xlsx", [[], ["phone", "name", None], ["+1", "Ada"], [], ["+2", None, "x"]]
    )
    headers, rows = read(path)
    assert headers == ("phone", "name")
    assert [(number, [cell for cell in cells if cell]) for number, cells in rows] == [
        (3, ["+1", "Ada"]),
        (5, ["+2", "x"]),
    ]


def test_values_of_every_kind_are_text(tmp_path: Path) -> None:
    values: list[object] = [
        *(12125550100, 3, 2.5, 3.0, True),
        *(datetime(2026, 1, 2), datetime(2026, 1, 2, 14, 30)),
    ]
    path = saved(tmp_path / "a.xlsx", [[f"h{at}" for at in range(len(values))], values])
    assert read(path)[1][0][1] == [
        *("12125550100", "3", "2.5", "3", "true"),
        *("2026-01-02", "2026-01-02 14:30:00"),
    ]


def test_other_sheets_are_told_and_can_be_chosen(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.xlsx", [["phone"], ["1"]], second=[["tel"], ["2"]])
    source = XlsxFile(path)
    assert "'second'" in source.notes[0]
    source.close()
    assert read(path, "second") == (("tel",), [(2, ["2"])])
    with pytest.raises(ImportFileError, match="the workbook has: people, second"):
        read(path, "third")


def test_a_sheet_without_rows_is_empty(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="empty"):
        read(saved(tmp_path / "a.xlsx", []))


@pytest.mark.parametrize("content", [b"PK\x03\x04 and nothing more", b""])
def test_what_is_no_workbook_is_told(content: bytes, written: Callable[..., Path]) -> None:
    with pytest.raises(ImportFileError, match="expected a workbook"):
        read(written(content, "a.xlsx"))


def test_a_workbook_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "a.xlsx", [["phone"], ["1"]])
    monkeypatch.setattr("app.campaigns.importing.xlsx_file.MOST_UNPACKED_BYTES", 1_000)
    with pytest.raises(ImportFileError, match="when unpacked"):
        read(path)
