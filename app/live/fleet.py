"""The workers that live and the seats they have, so that a call is let in only where one is free.

Each worker beats every second. A seat is kept for a call between its webhook and its stream, which
may come to another worker.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from app.live import names
from app.live.asking import Asker, Command, RedisAwayError

logger = logging.getLogger(__name__)

BEAT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class WorkerState:
    """What a worker tells of itself. `ready`: it takes new calls. `lag_ms`: its loop's delay."""

    calls: int
    max_calls: int
    ready: bool
    lag_ms: int
    worker_id: str = ""
    """Filled in by the fleet."""


class Fleet:
    """`now_s`: Unix seconds, so that workers can share them."""

    def __init__(
        self, asker: Asker, worker_id: str, now_s: Callable[[], float] = time.time
    ) -> None:
        self._asker = asker
        self._worker_id = worker_id
        self._now_s = now_s
        self._free = 0
        """Of all ready workers, those kept for calls to come not taken off."""
        self._kept = 0
        self._read_s: float | None = None
        self._came: set[str] = set()
        """Calls whose streams came here: their seats are given back with the next beat, which
        counts them as calls."""

    async def beat(self, state: WorkerState) -> None:
        """Tell how this worker is and learn how the others are. Raises `RedisAwayError`."""
        now_s = self._now_s()
        came = list(self._came)
        key = names.worker(self._worker_id)
        fields = ("calls", state.calls, "max_calls", state.max_calls)
        more = ("ready", int(state.ready), "lag_ms", state.lag_ms)
        commands: list[Command] = [
            ("HSET", key, *fields, *more),
            ("EXPIRE", key, names.WORKER_TTL_S),
            ("ZADD", names.WORKERS, now_s, self._worker_id),
            ("ZREMRANGEBYSCORE", names.OFFERED, "-inf", now_s),
        ]
        if came:
            commands.append(("ZREM", names.OFFERED, *came))
        await self._asker.ask_all(commands, atomic=True)
        self._came.difference_update(came)
        await self.workers()

    async def workers(self) -> list[WorkerState]:
        """The workers that live, by id. Raises `RedisAwayError`."""
        now_s = self._now_s()
        members = await self._asker.ask("ZRANGE", names.WORKERS, 0, -1)
        ids = sorted(member.decode() for member in members)
        asked: list[Command] = [("HGETALL", names.worker(worker_id)) for worker_id in ids]
        offered: Command = ("ZCOUNT", names.OFFERED, f"({now_s}", "+inf")
        *hashes, kept = await self._asker.ask_all([*asked, offered], atomic=True)
        found = zip(ids, hashes, strict=True)
        gone = [worker_id for worker_id, fields in found if not fields]
        if gone:
            await self._asker.ask("ZREM", names.WORKERS, *gone)
        states = [_state(i, fields) for i, fields in zip(ids, hashes, strict=True) if fields]
        free = sum(max(0, each.max_calls - each.calls) for each in states if each.ready)
        self._free, self._kept, self._read_s = free, int(kept), now_s
        return states

    def room(self) -> int | None:
        """Free seats of all ready workers, those kept for calls to come taken off, as of the last
        beat. None: not known, since Redis has not said so for 5 s."""
        if self._read_s is None or self._now_s() - self._read_s > names.WORKER_TTL_S:
            return None
        return max(0, self._free - self._kept)

    async def reserve(self, call_id: str) -> bool | None:
        """Keep a seat for a call for 30 s. False: none is free. None: Redis does not say.

        Of several workers that keep the last seat at once, one has it at most.
        """
        if self.room() is None:
            return None
        now_s = self._now_s()
        try:
            _, added, kept = await self._asker.ask_all(
                [
                    ("ZREMRANGEBYSCORE", names.OFFERED, "-inf", now_s),
                    ("ZADD", names.OFFERED, now_s + names.SEAT_TTL_S, call_id),
                    ("ZCARD", names.OFFERED),
                ],
                atomic=True,
            )
            if int(kept) <= self._free:
                self._came.discard(call_id)
                return True
            if added:
                await self._asker.ask("ZREM", names.OFFERED, call_id)
        except RedisAwayError:
            return None
        return False

    def withdraw(self, call_id: str) -> None:
        """The call's stream has come here, or will not come: its seat is free with the next beat,
        which counts the call itself. Never waits."""
        self._came.add(call_id)

    async def gone(self) -> None:
        """This worker takes no more part: said at its end."""
        try:
            await self._asker.ask_all(
                [
                    ("DEL", names.worker(self._worker_id)),
                    ("ZREM", names.WORKERS, self._worker_id),
                ],
                atomic=True,
            )
        except RedisAwayError:
            return  # Its beat expires by itself.

    async def run(self, get_state: Callable[[], WorkerState]) -> None:
        """Beat until cancelled."""
        while True:
            try:
                await self.beat(get_state())
            except RedisAwayError:
                logger.debug("no beat: Redis is away")
            await asyncio.sleep(BEAT_S)


def _state(worker_id: str, fields: Mapping[bytes, bytes]) -> WorkerState:
    return WorkerState(
        calls=int(fields[b"calls"]),
        max_calls=int(fields[b"max_calls"]),
        ready=fields[b"ready"] == b"1",
        lag_ms=int(fields[b"lag_ms"]),
        worker_id=worker_id,
    )
