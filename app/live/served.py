"""Calls whose telephone the model's side holds: such a call goes on without any worker, so it is
listed here while it lasts, and one worker at a time watches over it.

Nobody brings the call back to us, as a carrier does with its next stream: other workers look. The
list says when a call may be taken, by the clock of whoever has it; the name of that worker, which
expires after 10 s, says whether it really may.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

from app.live import names
from app.live.asking import Asker, Command, RedisAwayError
from app.live.outbox import Outbox
from app.live.waiting import Op

PASS: Final = 25
"""Calls kept in one round trip, which holds up the event loop for about 2 ms."""
MOST_LOOKED_AT: Final = 100


class ServedCalls:
    """Those of one worker. `now_s`: Unix seconds, so that workers can share them."""

    def __init__(
        self,
        asker: Asker,
        outbox: Outbox,
        worker_id: str,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.worker_id = worker_id
        self._asker = asker
        self._outbox = outbox
        self._now_s = now_s

    def listed(self, call_id: str, about: bytes) -> None:
        """This call is ours from now on. `about`: what another worker must know. Never waits."""
        write: tuple[Command, ...] = (
            ("SET", names.served(call_id), about, "EX", names.SERVED_TTL_S),
            ("SET", names.served_by(call_id), self.worker_id, "EX", names.LEASE_TTL_S),
        )
        self._outbox.put(f"served:{call_id}", Op(write))
        self._index(call_id, ("ZADD", names.SERVED, self._lapses_s(), call_id))

    def over(self, call_id: str) -> None:
        """Nobody needs to go on with it. Never waits."""
        gone = ("DEL", names.served(call_id), names.served_by(call_id))
        self._outbox.put(f"served:{call_id}", Op((gone,)))
        self._index(call_id, ("ZREM", names.SERVED, call_id))

    async def keep(self, held: Mapping[str, bytes]) -> list[str]:
        """Stay the one that watches over these calls, by id what others must know of them; which
        of them others have taken. Raises `RedisAwayError`."""
        lost: list[str] = []
        call_ids = list(held)
        for start in range(0, len(call_ids), PASS):
            some = call_ids[start : start + PASS]
            owners = await self._asker.ask_all([("GET", names.served_by(each)) for each in some])
            ours = [c for c, by in zip(some, owners, strict=True) if by in (None, self._name)]
            lost += [call_id for call_id in some if call_id not in ours]
            if ours:
                await self._asker.ask_all([c for each in ours for c in self._keep(each, held)])
        return lost

    async def lost(self, call_id: str) -> bool:
        """Whether another worker has it. Nobody loses a call while Redis is away."""
        try:
            owner = await self._asker.ask("GET", names.served_by(call_id))
        except RedisAwayError:
            return False
        return owner not in (None, self._name)

    async def lapsed(self) -> list[str]:
        """Calls over which maybe nobody watches, the longest alone first.

        Raises `RedisAwayError`.
        """
        now_s = self._now_s()
        _, found = await self._asker.ask_all(
            [
                ("ZREMRANGEBYSCORE", names.SERVED, "-inf", now_s - names.SERVED_TTL_S),
                ("ZRANGEBYSCORE", names.SERVED, "-inf", now_s, "LIMIT", 0, MOST_LOOKED_AT),
            ],
            atomic=True,
        )
        return [member.decode() for member in found]

    async def claim(self, call_id: str) -> bytes | None:
        """Watch over this call from now on; what is known of it. None: another worker has it, or
        it is over. Of many that ask at once one gets it. Raises `RedisAwayError`."""
        given, about = await self._asker.ask_all(
            [
                ("SET", names.served_by(call_id), self.worker_id, "EX", names.LEASE_TTL_S, "NX"),
                ("GET", names.served(call_id)),
            ],
            atomic=True,
        )
        if not given:
            return None
        if about is None:
            self.over(call_id)
            return None
        self._index(call_id, ("ZADD", names.SERVED, self._lapses_s(), call_id))
        return bytes(about)

    async def leave(self, call_id: str) -> bool:
        """Let another worker take it, at once. False: Redis is away, and nobody will."""
        try:
            if await self._asker.ask("GET", names.served_by(call_id)) not in (None, self._name):
                return True  # one has it already
            await self._asker.ask("DEL", names.served_by(call_id))
            await self._asker.ask("ZADD", names.SERVED, self._now_s(), call_id)
        except RedisAwayError:
            return False
        return True

    @property
    def _name(self) -> bytes:
        return self.worker_id.encode()

    def _lapses_s(self) -> float:
        return self._now_s() + names.LEASE_TTL_S

    def _keep(self, call_id: str, held: Mapping[str, bytes]) -> tuple[Command, ...]:
        """A name is only put where none is; and what Redis has lost is written again."""
        by, ttl_s = names.served_by(call_id), names.LEASE_TTL_S
        return (
            ("SET", by, self.worker_id, "EX", ttl_s, "NX"),
            ("EXPIRE", by, ttl_s),
            ("SET", names.served(call_id), held[call_id], "EX", names.SERVED_TTL_S, "NX"),
            ("ZADD", names.SERVED, self._lapses_s(), call_id),
        )

    def _index(self, call_id: str, command: Command) -> None:
        self._outbox.put(f"served-index:{call_id}", Op((command,)))
