"""What is not loaded can be mended and imported: the same kind of file, the same columns, nothing
lost on the way, and nothing there before it is whole."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from app.campaigns.importing.checking import Fault
from app.campaigns.importing.opening import open_source
from app.campaigns.importing.repairing import Repair, path_for_repair
from app.campaigns.importing.rows import Row

Written = Callable[..., Path]


def repaired(path: Path) -> Path:
    """All of its rows, as if every one were wrong."""
    source = open_source(path)
    target = path_for_repair(path, source.kind)
    repair = Repair(target, source)
    for row in source.rows():
        repair.add(row, [Fault(row.number, "phone", "", "is wrong")])
    repair.close()
    source.close()
    return target


def rows(path: Path) -> tuple[tuple[str, ...], list[Row]]:
    source = open_source(path)
    try:
        return source.headers, list(source.rows())
    finally:
        source.close()


def test_csv_keeps_its_delimiter_and_every_cell(written: Written) -> None:
    path = repaired(written('phone;note\n1;"a; ""b""\nc"\n2;é;too wide\n3\n'))
    headers, found = rows(path)
    assert headers == ("error", "phone", "note")
    assert [row.cells for row in found] == [
        ["row 2, phone: is wrong", "1", 'a; "b"\nc'],
        ["row 3, phone: is wrong", "2", "é", "too wide"],
        ["row 4, phone: is wrong", "3", ""],
    ]
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")


def test_a_second_repair_has_the_new_errors_only(written: Written) -> None:
    again = repaired(repaired(written("phone,note\n\n1,a\n")))
    headers, (row,) = rows(again)
    assert headers == ("error", "phone", "note")
    assert list(row.cells) == ["row 2, phone: is wrong", "1", "a"]
    assert again.name == "contacts.errors-2.csv"


def test_bytes_that_are_no_text_are_kept(written: Written) -> None:
    path = repaired(written("phone,name,more\n1,Zoë,Müller\n2,brok".encode() + b"\xff\n"))
    assert b"brok\xff" in path.read_bytes()


def test_json_lines_keep_their_objects(written: Written) -> None:
    path = repaired(
        written(
            '{"phone": 1, "deep": [1, {"a": null}]}\nnot json \udcff\n'.encode(
                errors="surrogateescape"
            ),
            "a.jsonl",
        )
    )
    first, second = path.read_text(encoding="utf-8").splitlines()
    assert first == '{"error":"row 1, phone: is wrong","phone":1,"deep":[1,{"a":null}]}'
    assert "not json" in second


def test_workbooks_hold_text_and_no_formulas(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["phone", "note"])
    sheet.append([12125550100, "=1+1"])
    sheet["B2"].data_type = "s"
    book.save(tmp_path / "a.xlsx")
    path = repaired(tmp_path / "a.xlsx")
    cells = list(load_workbook(path).active.iter_rows())[1]
    assert [cell.value for cell in cells] == ["row 2, phone: is wrong", "12125550100", "=1+1"]
    assert [cell.data_type for cell in cells] == ["s", "s", "s"]
    assert rows(path)[1][0].cells[1] == "12125550100"


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_only_its_owner_may_read_it(written: Written, name: str) -> None:
    content = "phone\n1\n" if name == "a.csv" else '{"phone": 1}\n'
    assert stat.S_IMODE(repaired(written(content, name)).stat().st_mode) == 0o600


def test_it_is_there_when_it_is_whole(written: Written, tmp_path: Path) -> None:
    source = open_source(written("phone\n1\n"))
    repair = Repair(tmp_path / "r.csv", source)
    repair.add(next(source.rows()), [])
    assert not (tmp_path / "r.csv").exists()
    repair.abandon()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["contacts.csv"]
    source.close()


def test_one_that_is_there_is_left_alone(written: Written) -> None:
    path = written("phone\n1\n")
    names = [repaired(path).name for _ in range(3)]
    assert names == ["contacts.errors.csv", "contacts.errors-2.csv", "contacts.errors-3.csv"]
