"""How many calls there are besides those that campaigns count, and how many the workers can carry.

Calls in progress are known by their streams, whoever dialled; a campaign's call that has one is
counted by its slot already, if its slot was told which call it is.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.live import names
from app.live.asking import Asker
from app.live.fleet import Fleet

FRESH_S: Final = 15 * 60
"""A call that has written nothing for so long counts no more: its worker died, and nobody took it
over. The longest turns are shorter."""


@dataclass(frozen=True, slots=True)
class Load:
    """`others`: calls without a campaign's slot, those included that were let in a moment ago.
    `seats`: of all workers that take calls."""

    others: int
    seats: int


class Capacity:
    """`now_s`: Unix seconds, the clock of `LiveCalls` and `Fleet`."""

    def __init__(self, asker: Asker, fleet: Fleet, now_s: Callable[[], float] = time.time) -> None:
        self._asker, self._fleet, self._now_s = asker, fleet, now_s

    async def load(self) -> Load:
        """Raises `RedisAwayError`."""
        workers = await self._fleet.workers()
        seats = sum(worker.max_calls for worker in workers if worker.ready)
        return Load(await self._others(), seats)

    async def _others(self) -> int:
        now_s = self._now_s()
        fresh = f"({now_s - FRESH_S}"
        seen, offered, ours = await self._asker.ask_all(
            [
                ("ZCOUNT", names.SEEN, fresh, "+inf"),
                ("ZCOUNT", names.OFFERED, f"({now_s}", "+inf"),
                ("HVALS", names.DIALING_CALLS),
            ]
        )
        others = int(seen) + int(offered)
        if not ours or not others:
            return others
        written, let_in = await self._asker.ask_all(
            [("ZMSCORE", names.SEEN, *ours), ("ZMSCORE", names.OFFERED, *ours)]
        )
        counted = sum(_later(at_s, now_s - FRESH_S) for at_s in written)
        counted += sum(_later(at_s, now_s) for at_s in let_in)
        return max(0, others - counted)


def _later(at_s: float | bytes | None, than_s: float) -> bool:
    return at_s is not None and float(at_s) > than_s
