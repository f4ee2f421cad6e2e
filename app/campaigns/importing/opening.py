"""Which kind of file it is, by what it holds: names of files lie."""

from pathlib import Path
from typing import Final

from app.campaigns.importing.csv_file import CsvFile
from app.campaigns.importing.json_file import JsonLinesFile
from app.campaigns.importing.rows import ImportFileError, Source
from app.campaigns.importing.xlsx_file import XlsxFile

_ZIP: Final = b"PK\x03\x04"
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0"
_SAMPLE_BYTES: Final = 4_096


def open_source(path: Path, sheet: str = "") -> Source:
    """`sheet`: of a workbook, "" for the first. Close it in the end. Raises `ImportFileError`."""
    try:
        with path.open("rb") as file:
            sample = file.read(_SAMPLE_BYTES)
        if sample.startswith(_OLD_OFFICE):
            raise ImportFileError(
                "expected CSV, XLSX or JSON Lines, got an old Excel file (.xls) or one with a "
                "password; save it as .xlsx without a password, or as CSV in UTF-8"
            )
        if sample.startswith(_ZIP):
            return XlsxFile(path, sheet)
        if sheet:
            raise ImportFileError("--sheet: only Excel workbooks (.xlsx) have sheets")
        return JsonLinesFile(path) if _is_json(sample) else CsvFile(path)
    except OSError as error:
        raise ImportFileError(f"{path} cannot be read: {error.strerror or error}") from error


def _is_json(sample: bytes) -> bool:
    text = sample.replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf")
    text = text.removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff").lstrip()
    return text.startswith((b"{", b"[{", b"[\n", b"[\r", b"[ "))
