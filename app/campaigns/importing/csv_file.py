"""CSV as programs write it: comma, semicolon, tab or bar, quoted or not, in many encodings.

A quote that is opened and never closed would swallow the rows below it. It costs its own row only:
the lines that it took are read again.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from app.campaigns.importing.encoding import encoding_of
from app.campaigns.importing.rows import (
    MOST_LINE_CHARACTERS,
    ImportFileError,
    Kind,
    Row,
    bounded,
    is_blank,
    without_header,
)

DELIMITERS: Final = (",", ";", "\t", "|")
MOST_RECORD_LINES: Final = 200
"""A quoted cell with more line breaks is taken for a quote that was never closed."""
_SAMPLE_CHARACTERS: Final = 1 << 16
_SAMPLE_RECORDS: Final = 50
_UNCLOSED: Final = (
    'expected a quote that is closed again: a " that belongs to a value is written twice, '
    "and the value stands in quotes"
)


class CsvFile:
    """A `Source`. Raises `ImportFileError`, OSError."""

    kind: Kind = "csv"

    def __init__(self, path: Path) -> None:
        encoding = encoding_of(path)
        self.notes: tuple[str, ...] = (encoding.note,) if encoding.note else ()
        self.total_bytes = path.stat().st_size
        self._file = path.open(encoding=encoding.name, errors=encoding.errors, newline="")
        try:
            self._begin()
        except UnicodeError as error:
            self.close()
            raise ImportFileError(
                f"expected {encoding.name.upper()}, as its beginning says; save it as UTF-8"
            ) from error
        except ImportFileError:
            self.close()
            raise

    def _begin(self) -> None:
        sample = self._file.read(_SAMPLE_CHARACTERS)
        said = _said_delimiter(sample)
        self.delimiter = said or sniffed(sample)
        self._file.seek(0)
        lines = _Lines(self._file)
        if said:
            next(lines)
            lines.record.clear()  # A spreadsheet does not show this line.
        self._records = _records(lines, self.delimiter)
        header = next((row for row in self._records if not is_blank(row.cells)), None)
        if header is None:
            raise without_header()
        if header.broken:
            raise ImportFileError(f"the row of headers: {header.broken}")
        self.headers = bounded(header.cells)

    def rows(self) -> Iterator[Row]:
        try:
            yield from (row for row in self._records if not is_blank(row.cells))
        except UnicodeError as error:
            raise ImportFileError(
                "the file breaks off within a character; save it again"
            ) from error

    def read_bytes(self) -> int:
        position: int = self._file.buffer.tell()  # type: ignore[attr-defined]
        return position

    def close(self) -> None:
        self._file.close()


def sniffed(sample: str) -> str:
    """The delimiter that tells the most rows apart into as many cells as there are headers."""
    lines = sample.splitlines(keepends=True)
    if len(sample) == _SAMPLE_CHARACTERS:
        lines = lines[:-1] or lines
    return max(DELIMITERS, key=lambda delimiter: (*_fit(lines, delimiter), delimiter == ","))


def _fit(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    widths = []
    try:
        for cells in csv.reader(lines, delimiter=delimiter):
            if not is_blank(cells):
                widths.append(len(cells))
            if len(widths) == _SAMPLE_RECORDS:
                break
    except csv.Error:
        pass  # A cell beyond all measure: what came before it is enough to tell.
    if not widths or widths[0] == 1:
        return 0.0, 0
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]


def _said_delimiter(sample: str) -> str:
    """Excel's own first line, such as `sep=;`."""
    first = sample.partition("\n")[0].rstrip("\r")
    return first[4] if len(first) == 5 and first.lower().startswith("sep=") else ""


class _TooLongError(Exception):
    """The record has more lines than a cell may have."""


class _Lines(Iterator[str]):
    """Feeds csv.reader, and knows the lines of the record that is being read."""

    def __init__(self, file: Iterator[str]) -> None:
        self._readline = file.readline  # type: ignore[attr-defined]
        self._again: deque[str] = deque()
        self.record: list[str] = []

    def __next__(self) -> str:
        if len(self.record) >= MOST_RECORD_LINES:
            raise _TooLongError
        line: str = self._again.popleft() if self._again else self._readline(MOST_LINE_CHARACTERS)
        if not line:
            raise StopIteration
        if len(line) >= MOST_LINE_CHARACTERS:
            raise ImportFileError(
                f"expected lines of fewer than {MOST_LINE_CHARACTERS} characters: is this CSV?"
            )
        self.record.append(line)
        return line

    def give_up(self) -> str:
        """The first line of the record; the others will come again."""
        first, *rest = self.record
        self._again.extendleft(reversed(rest))
        self.record.clear()
        return first


def _records(lines: _Lines, delimiter: str) -> Iterator[Row]:
    """Every record, empty ones too: a spreadsheet counts them."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLongError):
            yield _mended(lines.give_up(), delimiter, number)
            continue
        lines.record.clear()
        yield Row(number, cells)


def _mended(line: str, delimiter: str, number: int) -> Row:
    """A line whose quotes are not as they should be: understood if it stands for itself alone."""
    text = line.rstrip("\r\n")
    open_quotes = text.count('"') % 2
    if not open_quotes:
        try:
            return Row(number, next(csv.reader([text], delimiter=delimiter)))
        except csv.Error:
            pass  # Told as broken, below.
    return Row(number, text.split(delimiter), _UNCLOSED)
