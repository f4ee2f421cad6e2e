"""What is still to be written to the database, as small files on this machine's disk.

`waiting/` holds a file for each stream that began and for each record made after a call. It is
removed when its rows are committed, so a process that dies, or a database that is away for days,
loses none. `aside/` holds those that cannot be written; `retry` gives them another chance.
The files name who called whom: they are for their user only.
"""

import contextlib
import heapq
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from app.call.facts import number_of

Kind: TypeAlias = Literal["stream", "after"]
FOLDER: Final = "records"
"""Below the data directory."""
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class UnreadableError(Exception):
    """A file of ours, or one that it names, does not hold what it must. Says no word of it."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be written. `at_ms`: Unix time at which the stream began, or the record after
    the call was made. `path`: of the timeline, or of the record after the call."""

    kind: Kind
    call_id: str
    path: str
    at_ms: int
    stream_id: str = ""
    direction: str = "inbound"
    agent: str = ""
    agent_version: str = ""
    caller: str = ""
    called: str = ""
    attempt_id: str = ""

    @property
    def name(self) -> str:
        return self.stream_id if self.kind == "stream" else f"after-{self.call_id}"

    @property
    def party(self) -> str:
        """The address of whoever is not us."""
        return self.caller if self.direction == "inbound" else self.called


class Spool:
    """Blocks: call it from a thread. Methods raise `OSError`. Several processes may share it."""

    def __init__(self, data_dir: Path) -> None:
        self._waiting = data_dir / FOLDER / "waiting"
        self._aside = data_dir / FOLDER / "aside"

    def put(self, entry: Entry) -> None:
        """Whole or not at all. Raises `ValueError` for ids that would be paths."""
        if not _NAME.fullmatch(entry.name):
            raise ValueError("expected an id of letters and digits")
        path = self._file(self._waiting, entry.name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = path.with_suffix(".part")
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(msgspec.json.encode(entry))
        unfinished.replace(path)

    def read(self, name: str) -> Entry | None:
        """None: somebody has written it. Raises `UnreadableError`."""
        return self._read(self._file(self._waiting, name))

    def done(self, name: str) -> None:
        self._file(self._waiting, name).unlink(missing_ok=True)

    def put_aside(self, name: str) -> None:
        self._move(self._waiting, self._aside, name)

    def retry(self) -> int:
        """Everything that was put aside waits again; how many."""
        names = self.aside()
        for name in names:
            self._move(self._aside, self._waiting, name)
        return len(names)

    def names(self, after: str = "", most: int = 1_000) -> list[str]:
        """What waits, in the order of names, behind `after`."""
        return self._names(self._waiting, after, most)

    def aside(self, most: int = 100_000) -> list[str]:
        return self._names(self._aside, "", most)

    def count(self) -> int:
        """How many wait, streams that still run among them."""
        return sum(1 for _ in self._scan(self._waiting))

    def oldest_ms(self) -> int | None:
        """Unix time of what has waited longest."""
        oldest_ms = None
        for entry in self._entries(self._waiting):
            with contextlib.suppress(FileNotFoundError):  # written meanwhile
                at_ms = entry.stat().st_mtime_ns // 1_000_000
                oldest_ms = at_ms if oldest_ms is None else min(oldest_ms, at_ms)
        return oldest_ms

    def of_party(self, address: str) -> list[Entry]:
        """What waits or was put aside and tells of this person."""
        found = []
        for folder in (self._waiting, self._aside):
            for name in self._scan(folder):
                with contextlib.suppress(UnreadableError):
                    entry = self._read(self._file(folder, name))
                    if entry is not None and address in (entry.party, number_of(entry.party)):
                        found.append(entry)
        return found

    def forget(self, name: str) -> None:
        """Wherever it is."""
        for folder in (self._waiting, self._aside):
            self._file(folder, name).unlink(missing_ok=True)

    def _file(self, folder: Path, name: str) -> Path:
        return folder / f"{name}.json"

    def _read(self, path: Path) -> Entry | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=Entry)
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UnreadableError(f"no entry of the spool: {type(error).__name__}") from error

    def _move(self, from_: Path, to: Path, name: str) -> None:
        to.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            self._file(from_, name).replace(self._file(to, name))

    def _names(self, folder: Path, after: str, most: int) -> list[str]:
        return heapq.nsmallest(most, (name for name in self._scan(folder) if name > after))

    def _scan(self, folder: Path) -> Iterator[str]:
        return (entry.name.removesuffix(".json") for entry in self._entries(folder))

    def _entries(self, folder: Path) -> Iterator["os.DirEntry[str]"]:
        with contextlib.suppress(FileNotFoundError), os.scandir(folder) as found:
            yield from (entry for entry in found if entry.name.endswith(".json"))
