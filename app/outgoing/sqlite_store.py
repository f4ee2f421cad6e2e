"""The outbox as one SQLite file, which all processes of a data folder share.

What was accepted is synced to disk (`synchronous=FULL`), so neither `kill -9` nor a power cut loses
it. Bodies are overwritten when they are deleted (`secure_delete`): they hold what was said.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from app.outgoing.endpoints import Endpoint
from app.outgoing.messages import Message
from app.outgoing.store import Backlog, Delivery, OutboxError, State

FILE: Final = "outgoing.db"
BUSY_S: Final = 5.0
"""Longest wait for another process that writes."""
PATIENT_ATTEMPTS: Final = 3
"""What comes after a message of the same call waits until that was tried so often."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS messages (
  id TEXT PRIMARY KEY, type TEXT NOT NULL, call_id TEXT NOT NULL, agent TEXT NOT NULL,
  created_s REAL NOT NULL, body BLOB
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries (
  number INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT NOT NULL, call_id TEXT NOT NULL,
  url TEXT NOT NULL, secret_name TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
  due_s REAL NOT NULL, status INTEGER, reason TEXT NOT NULL, UNIQUE (message_id, url)
);
CREATE INDEX IF NOT EXISTS waiting ON deliveries (url, due_s) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS ordered ON deliveries (call_id, url, number) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS dead ON deliveries (number) WHERE state = 'dead';
CREATE TABLE IF NOT EXISTS disabled (url TEXT PRIMARY KEY, at_s REAL NOT NULL, reason TEXT NOT NULL)
  WITHOUT ROWID;
"""
_COLUMNS: Final = (
    "d.number, d.message_id, m.type, m.call_id, m.agent, d.url, d.secret_name, d.state,"
    " d.attempts, m.created_s, d.due_s, d.status, d.reason"
)
_BODY: Final = "COALESCE(m.body, x'')"
_JOINED: Final = "FROM deliveries d JOIN messages m ON m.id = d.message_id"
_IN_TURN: Final = (
    "NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.state = 'waiting' AND e.call_id = d.call_id"
    " AND e.call_id <> '' AND e.url = d.url AND e.number < d.number"
    f" AND e.attempts < {PATIENT_ATTEMPTS})"
)


class SqliteStore:
    """A `Store`. Methods may be called from any thread; one at a time does something."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made if it is not there, for its user only. Raises `OutboxError`."""
        self._lock = threading.Lock()
        path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Made by us, so that nobody else can read it for even a moment; SQLite gives its
            # helper files the same mode.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(
                path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise OutboxError(f"{path}: expected a file for the outbox: {_why(error)}") from None

    def _prepare(self) -> None:
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error:
            self._db.close()
            raise

    def accept(self, message: Message, endpoints: Sequence[Endpoint]) -> bool:
        with self._changing() as db:
            kept = db.execute(
                "INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?, ?, ?)",
                (
                    *(message.message_id, message.type, message.call_id, message.agent),
                    *(message.created_s, message.body),
                ),
            ).rowcount
            if not kept:
                return False
            gone = dict(db.execute("SELECT url, reason FROM disabled"))
            db.executemany(
                "INSERT OR IGNORE INTO deliveries (message_id, call_id, url, secret_name, state,"
                " attempts, due_s, reason) VALUES (?, ?, ?, ?, ?, 0, ?, ?)",
                [
                    (
                        *(message.message_id, message.call_id, each.url, each.secret_name),
                        "dead" if each.url in gone else "waiting",
                        *(message.created_s, gone.get(each.url, "")),
                    )
                    for each in endpoints
                ],
            )
            return True

    def due(self, now_s: float, busy: Sequence[int], most_each: int) -> list[Delivery]:
        found: list[Delivery] = []
        with self._reading() as db:
            urls = db.execute(
                "SELECT DISTINCT url FROM deliveries WHERE state = 'waiting' AND due_s <= ?",
                (now_s,),
            ).fetchall()
            for (url,) in urls:
                rows = db.execute(
                    f"SELECT {_COLUMNS}, {_BODY} {_JOINED} WHERE d.state = 'waiting' AND d.url = ?"
                    f" AND d.due_s <= ? AND {_IN_TURN} ORDER BY d.number LIMIT ?",
                    (url, now_s, most_each),
                )
                found += (d for d in _deliveries(rows) if d.number not in busy)
        return found

    def next_due_s(self) -> float | None:
        with self._reading() as db:
            row = db.execute("SELECT MIN(due_s) FROM deliveries WHERE state = 'waiting'").fetchone()
        return None if row is None or row[0] is None else float(row[0])

    def delivered(self, number: int, status: int, now_s: float) -> None:
        self._settle(number, "delivered", now_s, status, "")
        with self._changing() as db:
            db.execute(
                "UPDATE messages SET body = NULL WHERE id ="
                " (SELECT message_id FROM deliveries WHERE number = ?) AND NOT EXISTS"
                " (SELECT 1 FROM deliveries d WHERE d.message_id = messages.id"
                " AND d.state <> 'delivered')",
                (number,),
            )

    def bury(self, number: int, now_s: float, status: int | None, reason: str) -> None:
        self._settle(number, "dead", now_s, status, reason)

    def postpone(self, number: int, due_s: float, status: int | None, reason: str) -> None:
        self._settle(number, "waiting", due_s, status, reason)

    def _settle(
        self, number: int, state: State, at_s: float, status: int | None, reason: str
    ) -> None:
        with self._changing() as db:
            db.execute(
                "UPDATE deliveries SET state = ?, due_s = ?, status = ?, reason = ?,"
                " attempts = attempts + 1 WHERE number = ?",
                (state, at_s, status, reason, number),
            )

    def forget_calls(self, call_ids: Sequence[str]) -> int:
        """Delete what was or is to be told of these calls; how many messages."""
        with self._changing() as db:
            calls = [(call_id,) for call_id in call_ids]
            db.executemany("DELETE FROM deliveries WHERE call_id = ?", calls)
            return db.executemany("DELETE FROM messages WHERE call_id = ?", calls).rowcount

    def disable(self, url: str, now_s: float, reason: str) -> None:
        with self._changing() as db:
            db.execute("INSERT OR REPLACE INTO disabled VALUES (?, ?, ?)", (url, now_s, reason))
            db.execute(
                "UPDATE deliveries SET state = 'dead', due_s = ?, reason = ?"
                " WHERE url = ? AND state = 'waiting'",
                (now_s, reason, url),
            )

    def listed(self, states: Sequence[State], most: int) -> list[Delivery]:
        marks = ", ".join("?" * len(states))
        with self._reading() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} {_JOINED} WHERE d.state IN ({marks})"
                " ORDER BY d.number DESC LIMIT ?",
                (*states, most),
            )
            return list(_deliveries(rows))

    def shown(self, message_id: str) -> list[Delivery]:
        with self._reading() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS}, {_BODY} {_JOINED} WHERE m.id = ? ORDER BY d.number",
                (message_id,),
            )
            return list(_deliveries(rows))

    def counts(self) -> dict[State, int]:
        with self._reading() as db:
            rows = db.execute("SELECT state, COUNT(*) FROM deliveries GROUP BY state").fetchall()
        return dict(rows)

    def backlog(self) -> Backlog:
        with self._reading() as db:
            waiting, oldest_s = db.execute(
                f"SELECT COUNT(*), MIN(m.created_s) {_JOINED} WHERE d.state = 'waiting'"
            ).fetchone()
            (dead,) = db.execute("SELECT COUNT(*) FROM deliveries WHERE state = 'dead'").fetchone()
        return Backlog(waiting, dead, oldest_s)

    def disabled(self) -> dict[str, str]:
        with self._reading() as db:
            return dict(db.execute("SELECT url, reason FROM disabled ORDER BY url"))

    def revive(self, message_ids: Sequence[str], now_s: float) -> int:
        named = f" AND message_id IN ({', '.join('?' * len(message_ids))})" if message_ids else ""
        where = f"WHERE state = 'dead'{named}"
        with self._changing() as db:
            db.execute(
                f"DELETE FROM disabled WHERE url IN (SELECT url FROM deliveries {where})",
                (*message_ids,),
            )
            return db.execute(
                f"UPDATE deliveries SET state = 'waiting', attempts = 0, due_s = ? {where}",
                (now_s, *message_ids),
            ).rowcount

    def forget(self, delivered_before_s: float, dead_before_s: float) -> int:
        """Also makes sure that no word of what was deleted is left on disk."""
        with self._changing() as db:
            gone = db.execute(
                "DELETE FROM deliveries WHERE (state = 'delivered' AND due_s < ?)"
                " OR (state = 'dead' AND due_s < ?)",
                (delivered_before_s, dead_before_s),
            ).rowcount
            if gone:
                db.execute(
                    "DELETE FROM messages WHERE created_s < ? AND id NOT IN"
                    " (SELECT message_id FROM deliveries)",
                    (delivered_before_s,),
                )
        with self._reading() as db:
            # Until then the write-ahead log still holds what was deleted.
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(gone)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing, on disk at its end."""
        with self._reading() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                # Not chained: it might quote what was to be written.
                raise OutboxError(f"the outbox's file: {_why(error)}") from None


def _deliveries(rows: Iterable[tuple[Any, ...]]) -> Iterator[Delivery]:
    for row in rows:
        yield Delivery(*row)


def _why(error: OSError | sqlite3.Error) -> str:
    strerror = getattr(error, "strerror", None)
    name = getattr(error, "sqlite_errorname", "")
    return str(strerror or name or type(error).__name__)
