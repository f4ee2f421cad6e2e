"""A sheet of an Excel workbook, read as a stream. The texts that it shares between cells are held
in memory by openpyxl."""

import warnings
import zipfile
from collections.abc import Iterator
from datetime import datetime, time
from pathlib import Path
from typing import Any, Final

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from app.campaigns.importing.numerals import text_of_number
from app.campaigns.importing.rows import (
    ImportFileError,
    Kind,
    Row,
    bounded,
    is_blank,
    without_header,
)

MOST_UNPACKED_BYTES: Final = 4 << 30
"""No sheet is larger; a small file that unpacks to more is not meant well."""
_EXPECTED: Final = "expected a workbook that Excel wrote (.xlsx); save it again, or as CSV in UTF-8"


class XlsxFile:
    """A `Source`. `sheet`: "" for the first. Raises `ImportFileError`, OSError."""

    kind: Kind = "xlsx"
    delimiter = ","

    def __init__(self, path: Path, sheet: str = "") -> None:
        self.total_bytes = path.stat().st_size
        self._file = path.open("rb")
        try:
            _bound(self._file)
            self._book = _book(self._file)
            self._begin(sheet)
        except ImportFileError:
            self._file.close()
            raise

    def _begin(self, sheet: str) -> None:
        chosen, others = _chosen(self._book, sheet)
        left = ", ".join(repr(name) for name in others)
        note = f"sheet {chosen.title!r} was read, not {left}: choose one by --sheet"
        self.notes: tuple[str, ...] = (note,) if others and not sheet else ()
        # Other programs state the extent of a sheet wrongly.
        chosen.reset_dimensions()
        self._rows = _cells(chosen)
        header = next((cells for _, cells in self._rows if not is_blank(cells)), None)
        if header is None:
            raise without_header()
        while header and not header[-1].strip():
            header.pop()
        self.headers = bounded(header)

    def rows(self) -> Iterator[Row]:
        for number, cells in self._rows:
            if not is_blank(cells):
                yield Row(number, cells)

    def read_bytes(self) -> int:
        return min(self._file.tell(), self.total_bytes)

    def close(self) -> None:
        self._book.close()
        self._file.close()


def _bound(file: Any) -> None:
    try:
        with zipfile.ZipFile(file) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise ImportFileError(_EXPECTED) from error
    if unpacked > MOST_UNPACKED_BYTES:
        raise ImportFileError(
            f"expected a workbook of at most {MOST_UNPACKED_BYTES >> 30} GiB when unpacked; split "
            "it, or save it as CSV"
        )


def _book(file: Any) -> Any:
    try:
        with warnings.catch_warnings():
            # Of what it leaves out: charts, validation, styles. None of it is a contact.
            warnings.simplefilter("ignore")
            return load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except (InvalidFileException, KeyError, ValueError, zipfile.BadZipFile, SyntaxError) as error:
        # SyntaxError: what is no XML.
        raise ImportFileError(_EXPECTED) from error


def _chosen(book: Any, sheet: str) -> tuple[Any, list[str]]:
    """The sheet, and the names of those that are left out and not hidden."""
    sheets = [each for each in book.worksheets if sheet or each.sheet_state == "visible"]
    names = [each.title for each in sheets]
    if not sheets or (sheet and sheet not in names):
        wanted = f"a sheet {sheet!r}" if sheet else "a sheet that can be seen"
        raise ImportFileError(f"expected {wanted}; the workbook has: {', '.join(names) or 'none'}")
    at = names.index(sheet) if sheet else 0
    return sheets[at], [name for name in names if name != names[at]]


def _cells(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = enumerate(sheet.iter_rows(values_only=True), 1)
    try:
        for number, values in rows:
            yield number, [value if type(value) is str else _text(value) for value in values]
    except (ValueError, KeyError, zipfile.BadZipFile, SyntaxError, EOFError) as error:
        raise ImportFileError(_EXPECTED) from error


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return text_of_number(value)
        case datetime():
            day = value.date().isoformat()
            return day if value.time() == time() else f"{day} {value:%H:%M:%S}"
    return str(value)
