"""Whatever wrote the CSV, its rows come as a spreadsheet shows them, and a broken row costs no
other."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.campaigns.importing.csv_file import MOST_RECORD_LINES, CsvFile
from app.campaigns.importing.rows import MOST_COLUMNS, MOST_LINE_CHARACTERS, ImportFileError, Row

Written = Callable[..., Path]


def read(path: Path) -> tuple[tuple[str, ...], list[Row]]:
    source = CsvFile(path)
    try:
        return source.headers, list(source.rows())
    finally:
        source.close()


def cells(path: Path) -> list[list[str]]:
    return [list(row.cells) for row in read(path)[1]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(written: Written, delimiter: str) -> None:
    rows = [["phone", "name", "note"], ["+1", "Byron, Ada", "a; b"], ["+2", "x|y", "plain"]]
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(rows)
    headers, found = read(written(file.getvalue()))
    assert [list(headers), *(list(row.cells) for row in found)] == rows


def test_commas_in_values_do_not_win_over_the_delimiter(written: Written) -> None:
    path = written("Name, first;Phone\nByron, Ada, Lady;1\nHopper, Grace;2\nLovelace;3\n")
    assert read(path)[0] == ("Name, first", "Phone")


def test_the_delimiter_that_excel_says_is_taken_and_its_line_is_no_row(written: Written) -> None:
    headers, rows = read(written("sep=|\nphone|a,b,c\n1|x,y,z\n"))
    assert headers == ("phone", "a,b,c")
    assert [(row.number, *row.cells) for row in rows] == [(2, "1", "x,y,z")]


def test_one_column_needs_no_delimiter(written: Written) -> None:
    assert cells(written("phone\n+12125550100\n\n+12125550101\n")) == [
        ["+12125550100"],
        ["+12125550101"],
    ]


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("cp1252", b""),
    ],
)
def test_encodings(written: Written, encoding: str, mark: bytes) -> None:
    text = "phone,name\n+12125550100,Zoë Müller\n+12125550101,plain\n"
    source = CsvFile(written(mark + text.encode(encoding)))
    assert source.headers == ("phone", "name")
    assert [row.cells[1] for row in source.rows()] == ["Zoë Müller", "plain"]
    doubtful = encoding == "cp1252" or (encoding != "utf-8" and not mark)
    assert bool(source.notes) == doubtful
    source.close()


def test_a_few_broken_bytes_do_not_spoil_a_file_in_utf_8(written: Written) -> None:
    text = "phone,name\n1,Zoë\n2,Müller\n3,Ångström\n4,brok\xc3".encode()[:-1] + b"\xff\n"
    source = CsvFile(written(text))
    names = [row.cells[1] for row in source.rows()]
    assert names[:3] == ["Zoë", "Müller", "Ångström"]
    assert names[3].encode("utf-8", "surrogateescape") == b"brok\xc3\xff"
    assert "2 bytes are not UTF-8" in source.notes[0]
    source.close()


def test_headers_are_text_that_can_be_shown(written: Written) -> None:
    assert read(written("phone,Zoë,Ünder,ö".encode() + b"\xff\n1\n"))[0][-1] == "ö?"


def test_rows_are_counted_as_a_spreadsheet_does(written: Written) -> None:
    path = written('\n\nphone,note\n1,"two\nlines"\n\n,,\n2,x\r\n3,y\r\n')
    assert [(row.number, row.cells[0]) for row in read(path)[1]] == [(4, "1"), (7, "2"), (8, "3")]


def test_a_quote_that_is_never_closed_costs_its_own_row(written: Written) -> None:
    rows = read(written('phone,note\n1,a\n2,"open\n3,c\n4,"quoted, ""well"""\n5,e\n'))[1]
    assert [(row.number, row.cells[0], bool(row.broken)) for row in rows] == [
        (2, "1", False),
        (3, "2", True),
        (4, "3", False),
        (5, "4", False),
        (6, "5", False),
    ]
    assert rows[3].cells[1] == 'quoted, "well"'


def test_a_quote_that_is_open_for_too_many_lines_costs_its_own_row(written: Written) -> None:
    many = "".join(f"{at},x\n" for at in range(3 * MOST_RECORD_LINES))
    rows = read(written(f'phone,note\nbad,"open\n{many}'))[1]
    assert [row.cells[0] for row in rows if row.broken] == ["bad"]
    assert len(rows) == 3 * MOST_RECORD_LINES + 1


def test_quotes_within_one_line_are_forgiven(written: Written) -> None:
    assert cells(written('phone,note\n1,"a" b\n2,5" pipe\n')) == [["1", "a b"], ["2", '5" pipe']]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        ("\n\n,,\n", "empty"),
        (",".join(f"h{at}" for at in range(MOST_COLUMNS + 1)), "at most"),
        ("phone\n" + "x" * MOST_LINE_CHARACTERS, "is this CSV"),
        (b"\xff\xfea\x00\n\x00b", "UTF-16"),
    ],
)
def test_what_is_no_list_is_refused(written: Written, content: str | bytes, said: str) -> None:
    with pytest.raises(ImportFileError, match=said):
        read(written(content))


Cell = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(st.lists(Cell, min_size=3, max_size=3), max_size=12),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
)
def test_what_a_program_wrote_comes_back(
    written: Written, rows: list[list[str]], delimiter: str
) -> None:
    file = io.StringIO()
    out = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    out.writerows([["phone", "name", "note"], *rows])
    expected = [row for row in rows if any(cell.strip() for cell in row)]
    assert cells(written(file.getvalue())) == expected


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(junk=st.binary(max_size=300))
def test_no_bytes_bring_it_down(written: Written, junk: bytes) -> None:
    """Rows or a told error, and as many rows as the lines that hold something allow."""
    try:
        rows = read(written(b"phone,name\n" + junk))[1]
    except ImportFileError:
        return
    assert [row.number for row in rows] == sorted({row.number for row in rows})
