"""Which characters the bytes of a text file stand for, found by reading it once from end to end.

A mark at the beginning is believed. Without one, what is UTF-8 throughout is UTF-8: text in another
encoding is not, by chance, except where both are ASCII. Bytes that cannot be read are kept as lone
surrogates (PEP 383), so that only their rows are wrong and a file for repair still holds them.
"""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CHUNK_BYTES: Final = 1 << 20
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES: Final = 4_096
_UNREADABLE: Final = re.compile("[\udc80-\udcff]")
_FOREIGN: Final = re.compile("[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Encoding:
    """`errors`: as `open` takes it. `note`: for the operator, "" where there is no doubt."""

    name: str
    errors: str
    note: str = ""


def encoding_of(path: Path) -> Encoding:
    """Raises OSError."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
        for mark, name in _MARKS:
            if sample.startswith(mark):
                return Encoding(name, _errors(name))
        if name := _utf_16(sample):
            note = f"the file has no mark of its encoding and was read as {name.upper()}"
            return Encoding(name, _errors(name), note)
    unreadable, foreign = _counted_as_utf_8(path)
    if not unreadable:
        return Encoding("utf-8", "surrogateescape")
    if foreign > unreadable:
        note = f"{unreadable} bytes are not UTF-8, as the rest of the file is: see those rows"
        return Encoding("utf-8", "surrogateescape", note)
    note = (
        "the file is not UTF-8 and was read as Windows-1252: check the accents in names, or save "
        "it as UTF-8"
    )
    return Encoding("cp1252", "surrogateescape", note)


def _errors(name: str) -> str:
    return "surrogateescape" if name == "utf-8-sig" else "surrogatepass"


def _utf_16(sample: bytes) -> str:
    """Its name if every other byte of most characters is 0, as in Western text; else ""."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if (
        len(sample) >= 4
        and max(even, odd) * 2 > len(sample) // 2
        and min(even, odd) * 10 < max(even, odd)
    ):
        return "utf-16-be" if even > odd else "utf-16-le"
    return ""


def _counted_as_utf_8(path: Path) -> tuple[int, int]:
    """Bytes that are not UTF-8, and characters beyond ASCII that are."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    unreadable = foreign = 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK_BYTES)
            text = decoder.decode(chunk, final=not chunk)
            if not text.isascii():
                lost = len(_UNREADABLE.findall(text))
                unreadable, foreign = (
                    unreadable + lost,
                    foreign + len(_FOREIGN.findall(text)) - lost,
                )
            if not chunk:
                return unreadable, foreign
