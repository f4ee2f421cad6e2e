"""What a file is shows in what it holds, whatever its name says."""

from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

from app.campaigns.importing.opening import open_source
from app.campaigns.importing.rows import ImportFileError


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("phone\n1\n", "csv"),
        ('\n {"phone": 1}\n', "jsonl"),
        (b"\xef\xbb\xbf" + b'{"phone": 1}', "jsonl"),
        ('{"phone": 1}'.encode("utf-16"), "jsonl"),
        ("[phone],x\n1,2\n", "csv"),
    ],
)
def test_kinds(written: Callable[..., Path], content: str | bytes, kind: str) -> None:
    source = open_source(written(content, "data.txt"))
    assert source.kind == kind
    assert source.total_bytes >= source.read_bytes()
    source.close()


def test_a_workbook_by_any_name(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["phone"])
    book.save(tmp_path / "a.xlsx")
    (tmp_path / "a.xlsx").rename(tmp_path / "a.csv")
    source = open_source(tmp_path / "a.csv")
    assert source.kind == "xlsx"
    source.close()


@pytest.mark.parametrize(
    ("content", "sheet", "why"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "", r"\.xls"),
        ("phone\n", "one", "--sheet"),
        ('[{"phone": 1}]', "", "jq"),
    ],
)
def test_what_is_refused(
    written: Callable[..., Path], content: str | bytes, sheet: str, why: str
) -> None:
    with pytest.raises(ImportFileError, match=why):
        open_source(written(content), sheet)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="cannot be read"):
        open_source(tmp_path / "none.csv")
