"""Rows that were not loaded, in a file of the same kind and columns: mend them, import that file.

The first column says what is wrong; an import passes over it. The file has its name once it is
whole. What it holds is personal data, so only its owner may read it.
"""

import csv
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final, Protocol

import msgspec
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from app.campaigns.importing.checking import Fault
from app.campaigns.importing.headers import plain
from app.campaigns.importing.rows import ERROR_COLUMN, Kind, Row, Source

_ENDINGS: Final[dict[Kind, str]] = {"csv": ".csv", "xlsx": ".xlsx", "jsonl": ".jsonl"}
_REPAIRED: Final = re.compile(r"\.errors(-\d+)?$")
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""In XML 1.0."""


def path_for_repair(source: Path, kind: Kind) -> Path:
    """Beside the file; one that is there already is left alone, because somebody may be mending
    it."""
    stem = _REPAIRED.sub("", source.name.removesuffix(source.suffix))
    for again in range(1, 10_000):
        number = "" if again == 1 else f"-{again}"
        path = source.with_name(f"{stem}.errors{number}{_ENDINGS[kind]}")
        if not path.exists():
            return path
    raise FileExistsError(f"{stem}.errors…: too many files for repair; remove some")


class _Writer(Protocol):
    def write(self, row: Row, why: str) -> None: ...
    def close(self) -> None: ...


class Repair:
    """Made with the first row that is added; without one there is no file. `close` gives it its
    name."""

    def __init__(self, path: Path, source: Source) -> None:
        self.path, self.rows = path, 0
        self._source = source
        self._part = path.with_name(f"{path.name}.part")
        self._writer: _Writer | None = None

    def add(self, row: Row, faults: Sequence[Fault]) -> None:
        if self._writer is None:
            self._writer = _writer(self._part, self._source)
        self._writer.write(row, "; ".join(str(fault) for fault in faults))
        self.rows += 1

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._part.replace(self.path)
            self._writer = None

    def abandon(self) -> None:
        """The import broke off: what it would say is found again by the next."""
        if self._writer is not None:
            self._writer.close()
            self._part.unlink()
            self._writer = None


def _writer(path: Path, source: Source) -> _Writer:
    # Excel takes a CSV for UTF-8 only with a mark.
    match source.kind:
        case "csv":
            return _Csv(_private(path, "utf-8-sig"), source)
        case "xlsx":
            return _Xlsx(path, source)
        case "jsonl":
            return _JsonLines(_private(path, "utf-8"))


def _private(path: Path, encoding: str) -> IO[str]:
    path.unlink(missing_ok=True)
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(opened, "w", encoding=encoding, errors="surrogateescape", newline="")


def _kept(headers: Sequence[str]) -> list[int]:
    """Without the column of an earlier repair."""
    return [at for at, header in enumerate(headers) if plain(header) != ERROR_COLUMN]


def _cells(row: Row, kept: Sequence[int], width: int) -> list[str]:
    cells = [row.cells[at] if at < len(row.cells) else "" for at in kept]
    return [*cells, *row.cells[width:]]


class _Csv:
    def __init__(self, file: IO[str], source: Source) -> None:
        self._file, self._width = file, len(source.headers)
        self._kept = _kept(source.headers)
        self._csv = csv.writer(file, delimiter=source.delimiter)
        self._csv.writerow([ERROR_COLUMN, *(source.headers[at] for at in self._kept)])

    def write(self, row: Row, why: str) -> None:
        self._csv.writerow([why, *_cells(row, self._kept, self._width)])

    def close(self) -> None:
        self._file.close()


class _Xlsx:
    """All cells are text, so that a spreadsheet leaves numbers as they are typed."""

    def __init__(self, path: Path, source: Source) -> None:
        self._path, self._width = path, len(source.headers)
        self._kept = _kept(source.headers)
        self._book = Workbook(write_only=True)
        self._sheet: Any = self._book.create_sheet("contacts")
        self._append([ERROR_COLUMN, *(source.headers[at] for at in self._kept)])

    def write(self, row: Row, why: str) -> None:
        self._append([why, *_cells(row, self._kept, self._width)])

    def _append(self, values: Sequence[str]) -> None:
        cells = []
        for value in values:
            cell = WriteOnlyCell(self._sheet, value=_FORBIDDEN.sub("\ufffd", value))
            cell.data_type = "s"  # Not a formula, whatever it begins with.
            cell.number_format = "@"
            cells.append(cell)
        self._sheet.append(cells)

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        self._book.save(self._path)


class _JsonLines:
    """Objects as they came."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, row: Row, why: str) -> None:
        came = row.raw if isinstance(row.raw, dict) else {}
        whole = {ERROR_COLUMN: why, **{n: v for n, v in came.items() if n != ERROR_COLUMN}}
        try:
            self._file.write(msgspec.json.encode(whole).decode() + "\n")
        except UnicodeEncodeError:
            clean = {n: v.encode(errors="replace").decode() for n, v in whole.items()}
            self._file.write(msgspec.json.encode(clean).decode() + "\n")

    def close(self) -> None:
        self._file.close()
