"""The carrier's own log: a line of JSON for each thing that happened, written before anybody is
told. It is read by whoever wants to know which calls there really were.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TextIO, TypeAlias

What: TypeAlias = Literal["placed", "refused", "status", "detected", "told", "untold"]


@dataclass(frozen=True, slots=True)
class Line:
    """placed: there is a call; `said` has `to`, `from`, the URLs that were given along, and
    `fate`, what became of the answer (see `troubles.Fate`). refused: there is none, and why.
    status, detected: of a call. told, untold: a callback was answered, or was not."""

    at_ms: int
    """Unix time."""
    what: What
    call_sid: str = ""
    said: Mapping[str, object] = field(default_factory=dict)


class Log:
    """Appends to a file; without one it remembers nothing."""

    def __init__(self, path: Path | None) -> None:
        self._file: TextIO | None = None
        if path is not None:
            self._file = path.open("a", encoding="utf-8", buffering=1)

    def write(self, line: Line) -> None:
        """On its way to the disk when this returns: it outlives the process, not the machine."""
        if self._file is None:
            return
        told = {"at_ms": line.at_ms, "what": line.what, "call_sid": line.call_sid, **line.said}
        self._file.write(json.dumps(told) + "\n")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def read_log(path: Path) -> Iterator[Line]:
    """What stands in a log, oldest first. A last line that is not whole is left out."""
    with path.open(encoding="utf-8") as file:
        for text in file:
            if not text.endswith("\n"):
                return
            said = json.loads(text)
            yield Line(said.pop("at_ms"), said.pop("what"), said.pop("call_sid"), said)
