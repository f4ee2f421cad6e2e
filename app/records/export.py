"""Rows out of the database into a file, some at a time: as CSV, JSON Lines or Parquet."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final, Literal, Protocol, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, Select, Table, select

from app.records.cells import cell
from app.records.database import Database
from app.records.tables import calls, metadata, streams

Format: TypeAlias = Literal["csv", "jsonl", "parquet"]
FORMATS: Final[tuple[Format, ...]] = ("csv", "jsonl", "parquet")
BATCH: Final = 500
"""Rows in memory at a time: a stream's document can be a megabyte."""

_TIMES: Final = {
    "calls": "started_at_ms",
    "streams": "began_at_ms",
    "attempts": "intended_at_ms",
    "campaign_log": "at_ms",
    "campaigns": "created_at_ms",
    "do_not_call": "at_ms",
}
"""By table, when a row's thing began."""
_OF_STREAMS: Final = ("turns", "interruptions", "tool_runs", "model_legs", "usage")
TABLES: Final = tuple(sorted(name for name in metadata.tables if name != "alembic_version"))


class ExportError(ValueError):
    """The operator's: what was asked for does not exist."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A table and the columns of its file."""

    query: Select[Any]
    columns: tuple[Column[Any], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def exported(name: str, from_ms: int | None = None, to_ms: int | None = None) -> Exported:
    """`from_ms`, `to_ms`: Unix ms, of when the row's thing began; the second one is left out.

    What hangs on a stream has the stream's call and time beside it. Raises `ExportError`.
    """
    table = metadata.tables.get(name)
    if table is None:
        raise ExportError(f"expected one of {', '.join(TABLES)}; got {name}")
    columns: list[Column[Any]] = list(table.columns)
    query = select(table)
    at: Column[Any] | None = table.c[_TIMES[name]] if name in _TIMES else None
    if name in _OF_STREAMS:
        at = streams.c.began_at_ms
        columns = [streams.c.call_id, at, *columns]
        query = select(*columns).join(streams, streams.c.stream_id == table.c.stream_id)
    elif name == "evidence":
        query = query.outerjoin(calls, calls.c.call_id == table.c.call_id)
        at = calls.c.started_at_ms
    return Exported(_within(query, table, at, from_ms, to_ms), tuple(columns))


def _within(
    query: Select[Any],
    table: Table,
    at: Column[Any] | None,
    from_ms: int | None,
    to_ms: int | None,
) -> Select[Any]:
    if at is None and (from_ms is not None or to_ms is not None):
        raise ExportError(f"rows of {table.name} have no time: leave --from and --to out")
    if at is not None:
        query = query if from_ms is None else query.where(at >= from_ms)
        query = query if to_ms is None else query.where(at < to_ms)
        query = query.order_by(at)
    return query.order_by(*table.primary_key.columns)


async def batches(database: Database, what: Exported) -> AsyncIterator[Sequence[Sequence[Any]]]:
    """Raises `DatabaseAwayError`."""
    async with database.reading() as connection:
        found = await connection.stream(what.query, execution_options={"yield_per": BATCH})
        async for rows in found.partitions(BATCH):
            yield rows


class Writer(Protocol):
    """Of one file. Methods block and raise `OSError`."""

    def write(self, rows: Sequence[Sequence[Any]]) -> None: ...

    def close(self) -> None: ...


class CsvWriter:
    """With a head. Texts that a spreadsheet would run are guarded; see `cells`."""

    def __init__(self, what: Exported, file: IO[bytes]) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self._csv = csv.writer(self._text)
        self._csv.writerow(what.names)

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        self._csv.writerows([cell(value) for value in row] for row in rows)

    def close(self) -> None:
        self._text.detach()


class JsonlWriter:
    """One object a line."""

    def __init__(self, what: Exported, file: IO[bytes]) -> None:
        self._names, self._file = what.names, file

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        for row in rows:
            made = json.dumps(dict(zip(self._names, row, strict=True)), ensure_ascii=False)
            self._file.write(made.encode() + b"\n")

    def close(self) -> None:
        self._file.flush()


class ParquetWriter:
    """Columns of the database's kinds; what has parts is a text of JSON."""

    def __init__(self, what: Exported, file: IO[bytes]) -> None:
        self._names = what.names
        self._schema = pa.schema([pa.field(c.name, _arrow(c)) for c in what.columns])
        self._parquet = pq.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        columns = {name: [_scalar(row[n]) for row in rows] for n, name in enumerate(self._names)}
        self._parquet.write_table(pa.table(columns, schema=self._schema))

    def close(self) -> None:
        self._parquet.close()


WRITERS: Final[Mapping[Format, Callable[[Exported, IO[bytes]], Writer]]] = {
    "csv": CsvWriter,
    "jsonl": JsonlWriter,
    "parquet": ParquetWriter,
}


async def export(database: Database, what: Exported, format_: Format, file: IO[bytes]) -> int:
    """Write all of it; how many rows. Raises `DatabaseAwayError`, `OSError`."""
    writer = WRITERS[format_](what, file)
    count = 0
    try:
        async for rows in batches(database, what):
            writer.write(rows)
            count += len(rows)
    finally:
        writer.close()
    return count


def _arrow(column: Column[Any]) -> pa.DataType:
    match column.type:
        case Boolean():
            return pa.bool_()
        case Float():
            return pa.float64()
        case BigInteger() | Integer():
            return pa.int64()
        case _:
            return pa.string()


def _scalar(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value
