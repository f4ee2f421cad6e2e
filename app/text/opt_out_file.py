"""Who wants no messages, kept for good: one SQLite file in the data folder.

The only place with these numbers in clear text: campaigns must be able to read whom to leave out,
and digests under a secret that has gone could be compared with nothing.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from app.live.opt_outs import Word

BUSY_S: Final = 5.0
"""Longest wait for another process that writes."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS opt_outs (
  number TEXT PRIMARY KEY,
  out INTEGER NOT NULL,
  at_s REAL NOT NULL,
  source TEXT NOT NULL
)"""
_PUT: Final = """
INSERT INTO opt_outs (number, out, at_s, source) VALUES (?, ?, ?, ?)
ON CONFLICT (number) DO UPDATE SET out = excluded.out, at_s = excluded.at_s,
  source = excluded.source WHERE excluded.at_s >= opt_outs.at_s"""


class OptOutFile:
    """Blocking: call it in a thread. Methods raise `sqlite3.Error` or `OSError`."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "opt-outs.sqlite"

    def put(self, number: str, word: Word) -> None:
        """An older word never replaces a newer one."""
        with self._open() as database, database:
            database.execute(_PUT, (number, int(word.out), word.at_s, word.source))

    def word_of(self, number: str) -> Word | None:
        if not self.path.exists():
            return None
        with self._open() as database:
            row = database.execute(
                "SELECT out, at_s, source FROM opt_outs WHERE number = ?", (number,)
            ).fetchone()
        return None if row is None else Word(bool(row[0]), row[1], row[2])

    def all(self) -> list[tuple[str, Word]]:
        if not self.path.exists():
            return []
        with self._open() as database:
            rows = database.execute("SELECT number, out, at_s, source FROM opt_outs").fetchall()
        return [(row[0], Word(bool(row[1]), row[2], row[3])) for row in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.touch(mode=0o600)
        with closing(sqlite3.connect(self.path, timeout=BUSY_S)) as database:
            database.execute("PRAGMA synchronous = FULL")
            database.execute(_SCHEMA)
            yield database
