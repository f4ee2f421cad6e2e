"""JSON Lines: an object a line. Its columns are the names that any line has."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Final

import msgspec

from app.campaigns.importing.encoding import Encoding, encoding_of
from app.campaigns.importing.numerals import text_of_number
from app.campaigns.importing.rows import (
    MOST_LINE_CHARACTERS,
    ImportFileError,
    Kind,
    Row,
    bounded,
    without_header,
)

_decode: Final = msgspec.json.Decoder().decode
BROKEN_LINE: Final = "broken_line"
"""Holds, in a file for repair, a line that is no object."""


class JsonLinesFile:
    """A `Source`. Reads the file twice: first for its columns. Raises `ImportFileError`,
    OSError."""

    kind: Kind = "jsonl"
    delimiter = ","

    def __init__(self, path: Path) -> None:
        encoding = encoding_of(path)
        self.notes: tuple[str, ...] = (encoding.note,) if encoding.note else ()
        self.total_bytes = path.stat().st_size
        with _opened(path, encoding) as file:
            self.headers = bounded(_columns(file))
        if not self.headers:
            raise without_header()
        self._file = _opened(path, encoding)

    def rows(self) -> Iterator[Row]:
        for number, line in _lines(self._file):
            found = _object(line)
            if found is None:
                why = 'expected one JSON object in this line, such as {"phone": "+12125550100"}'
                yield Row(number, [""] * len(self.headers), why, {BROKEN_LINE: line.strip()})
            elif row := self._row(number, found):
                yield row

    def _row(self, number: int, found: Mapping[str, object]) -> Row | None:
        by_name = {name.strip(): value for name, value in found.items()}
        cells, broken = [], ""
        for header in self.headers:
            value = by_name.get(header)
            text = _text(value)
            if text is None:
                kind = "an object" if isinstance(value, dict) else "a list"
                broken = broken or f"{header}: expected a text or a number, got {kind}"
            cells.append(text or "")
        if not broken and not any(cells):
            return None
        return Row(number, cells, broken, found)

    def read_bytes(self) -> int:
        position: int = self._file.buffer.tell()  # type: ignore[attr-defined]
        return position

    def close(self) -> None:
        self._file.close()


def _opened(path: Path, encoding: Encoding) -> IO[str]:
    return path.open(encoding=encoding.name, errors=encoding.errors, newline="\n")


def _columns(file: IO[str]) -> list[str]:
    columns: dict[str, None] = {}
    for _, line in _lines(file):
        if not columns and line.lstrip().startswith("["):
            raise ImportFileError(
                "expected an object a line (JSON Lines), got a list: `jq -c '.[]' FILE` makes "
                "lines of it"
            )
        columns.update(dict.fromkeys(name.strip() for name in _object(line) or ()))
        bounded(list(columns))
    return list(columns)


def _lines(file: IO[str]) -> Iterator[tuple[int, str]]:
    """With their numbers, without those that are empty."""
    number = 0
    try:
        while line := file.readline(MOST_LINE_CHARACTERS):
            number += 1
            if len(line) >= MOST_LINE_CHARACTERS:
                raise ImportFileError(
                    f"line {number}: expected fewer than {MOST_LINE_CHARACTERS} characters: is "
                    "this JSON Lines?"
                )
            if line.strip():
                yield number, line
    except UnicodeError as error:
        raise ImportFileError("the file breaks off within a character; save it again") from error


def _object(line: str) -> dict[str, object] | None:
    try:
        found = _decode(line)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None  # Not JSON, or bytes that are no text.
    return found if isinstance(found, dict) else None


def _text(value: object) -> str | None:
    """None for what is no text, number, yes or no."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return text_of_number(value)
    return None
