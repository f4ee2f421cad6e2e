"""A booking service for `bench.booking`: HTTP, a store of its own, and a run that can be held.

It honours the Idempotency-Key: one booking for each key, the same answer again, 409 while the first
request with it is still being worked on. Where a run's body says so, it holds the request before or
after it booked until it is told to go on; a caller that has gone meanwhile changes nothing.
`python -m bench.booking_server PORT FOLDER`.
"""

import asyncio
import json
import sqlite3
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final

from aiohttp import web

WAIT_S: Final = 20.0


class Store:
    """Bookings in SQLite: written before anybody is told."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS bookings "
            "(code INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT, key TEXT UNIQUE, said TEXT)"
        )

    def known(self, key: str) -> str | None:
        row = self._db.execute("SELECT said FROM bookings WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def book(self, run: str, key: str, said: str) -> str:
        """What is said of it, with its code in the place of `#`."""
        cursor = self._db.execute(
            "INSERT INTO bookings (run, key, said) VALUES (?, ?, '')", (run, key)
        )
        text = said.replace("#", str(1_000 + (cursor.lastrowid or 0)))
        self._db.execute("UPDATE bookings SET said = ? WHERE code = ?", (text, cursor.lastrowid))
        return text

    def runs(self) -> dict[str, list[str]]:
        """By run what was said of each of its bookings."""
        found: dict[str, list[str]] = defaultdict(list)
        for run, said in self._db.execute("SELECT run, said FROM bookings ORDER BY code"):
            found[run].append(said)
        return found


class Service:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._arrived: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._go: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._working: set[str] = set()
        self._kept: set[asyncio.Task[str]] = set()

    async def book(self, request: web.Request) -> web.Response:
        body = await request.json()
        run, key = str(body["run"]), request.headers["Idempotency-Key"]
        said = self._store.known(key)
        if said is not None:
            return web.json_response({"said": said})
        if key in self._working:
            return web.json_response({"detail": "this key is being worked on"}, status=409)
        self._working.add(key)
        work = asyncio.create_task(self._work(run, key, str(body.get("hold", ""))))
        self._kept.add(work)
        work.add_done_callback(self._kept.discard)
        return web.json_response({"said": await asyncio.shield(work)})

    async def _work(self, run: str, key: str, hold: str) -> str:
        """Goes on when whoever asked has gone."""
        try:
            if hold == "before":
                await self._held(run)
            said = self._store.book(run, key, f"booked {run} as #")
        finally:
            self._working.discard(key)
        if hold == "after":
            await self._held(run)
        return said

    async def _held(self, run: str) -> None:
        self._arrived[run].set()
        await asyncio.wait_for(self._go[run].wait(), WAIT_S)

    async def look_up(self, request: web.Request) -> web.Response:
        """The tool of `bench.relay`'s callers, as a booking: slow, and counted by its token."""
        body, key = await request.json(), request.headers["Idempotency-Key"]
        said = self._store.known(key)
        if said is None and key in self._working:
            return web.json_response({"detail": "this key is being worked on"}, status=409)
        if said is None:
            self._working.add(key)
            work = asyncio.create_task(self._looked_up(str(body["token"]), key, body["takes_ms"]))
            self._kept.add(work)
            work.add_done_callback(self._kept.discard)
            said = await asyncio.shield(work)
        return web.json_response(said)

    async def _looked_up(self, token: str, key: str, takes_ms: int) -> str:
        try:
            call, utterance = int(token[1:3]), int(token[4:6])
            said = f"{token} found {call * 7919 + utterance * 104_729:07}"
            await asyncio.sleep(takes_ms / 2_000)
            self._store.book(token, key, said)
        finally:
            self._working.discard(key)
        await asyncio.sleep(takes_ms / 2_000)
        return said

    async def arrived(self, request: web.Request) -> web.Response:
        run = request.match_info["run"]
        await asyncio.wait_for(self._arrived[run].wait(), WAIT_S)
        return web.Response()

    async def go(self, request: web.Request) -> web.Response:
        self._go[request.match_info["run"]].set()
        return web.Response()

    async def runs(self, _request: web.Request) -> web.Response:
        return web.json_response(self._store.runs())


def main(port: int, folder: Path) -> None:
    service = Service(Store(folder / "bookings.sqlite"))
    app = web.Application()
    app.router.add_post("/bookings", service.book)
    app.router.add_post("/look_up", service.look_up)
    app.router.add_get("/arrived/{run}", service.arrived)
    app.router.add_post("/go/{run}", service.go)
    app.router.add_get("/runs", service.runs)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))


def decoded(body: bytes) -> dict[str, list[str]]:
    """What `/runs` answers."""
    found: dict[str, list[str]] = json.loads(body)
    return found
