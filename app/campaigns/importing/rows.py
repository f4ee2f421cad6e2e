"""What every kind of file gives: headers, then rows, one at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

Kind: TypeAlias = Literal["csv", "xlsx", "jsonl"]

ERROR_COLUMN: Final = "error"
"""The column that a file for repair has besides, and that an import passes over."""
MOST_COLUMNS: Final = 500
MOST_LINE_CHARACTERS: Final = 1 << 20


class ImportFileError(ValueError):
    """The operator's input: the file as a whole cannot be read. The message says how to mend it."""


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """`number`: as a spreadsheet shows it (JSON Lines: the line). `broken`: why the row could not
    be told apart into cells, "" if it could; `raw`: what JSON held. Personal data, so it is kept
    out of `repr`."""

    number: int
    cells: Sequence[str]
    broken: str = ""
    raw: object = None


class Source(Protocol):
    """An open file. Rows come once, in order, without those that are empty; only few are held in
    memory at a time."""

    @property
    def kind(self) -> Kind: ...
    @property
    def headers(self) -> tuple[str, ...]: ...
    @property
    def delimiter(self) -> str:
        """Of CSV; "," elsewhere."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What the operator should know of how the file was read."""
        ...

    @property
    def total_bytes(self) -> int: ...
    def read_bytes(self) -> int:
        """How far it is read, of `total_bytes`."""
        ...

    def rows(self) -> Iterator[Row]:
        """Raises `ImportFileError` for what makes the rest unreadable."""
        ...

    def close(self) -> None: ...


def is_blank(cells: Sequence[str]) -> bool:
    return not any(cells) or not any(cell.strip() for cell in cells)


def bounded(headers: Sequence[str]) -> tuple[str, ...]:
    """Raises `ImportFileError` for more columns than a list of contacts has."""
    if len(headers) > MOST_COLUMNS:
        raise ImportFileError(
            f"expected at most {MOST_COLUMNS} columns, got {len(headers)}: is this a list of "
            "contacts?"
        )
    return tuple(header.strip().encode(errors="replace").decode() for header in headers)


def without_header() -> ImportFileError:
    return ImportFileError(
        "expected a first row with the names of the columns, and a row for each contact below it; "
        "the file is empty"
    )
