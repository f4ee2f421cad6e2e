"""Who carries a call. The carrier opens a new stream only where the call really goes on, so taking
a call is always allowed; the worker that had it learns that it has lost.

Each take draws the next number of the call (its fence); the highest owns it. The owner's name is
kept alive for 10 s, so that anybody can see whether a call's worker still lives.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from app.live import names
from app.live.asking import Asker, Command, RedisAwayError

logger = logging.getLogger(__name__)

RENEW_S: Final = 3.0
PASS: Final = 25
"""Calls renewed in one round trip, which holds up the event loop for about 2 ms."""


@dataclass(frozen=True, slots=True)
class Lease:
    call_id: str
    previous_owner: str | None
    """The worker that had the call within the last 10 s, if any; it may be this one."""
    number: int
    """Higher than any before. 0: Redis is away; `keep` draws the number when it is back."""


class Leases:
    """The leases of one worker."""

    def __init__(self, asker: Asker, worker_id: str) -> None:
        self._asker = asker
        self._worker_id = worker_id
        self._late: dict[str, int] = {}
        """Numbers of calls that were taken while Redis was away, drawn since."""

    async def take(self, call_id: str) -> Lease:
        """Carry this call from now on. With Redis away: number 0, after 0.5 s at most."""
        self._late.pop(call_id, None)
        try:
            previous, number, *_ = await self._asker.ask_all(self._taking(call_id), atomic=True)
        except RedisAwayError as error:
            fields = {"call": call_id, "error": str(error)}
            logger.warning("the call is taken without a lease", extra={"fields": fields})
            return Lease(call_id, None, 0)
        return Lease(call_id, previous.decode() if previous else None, int(number))

    async def lost(self, call_id: str, number: int) -> bool:
        """Whether another stream has taken the call. Nobody loses a call while Redis is away."""
        try:
            return bool(await self._lost_of([(call_id, self._number(call_id, number))]))
        except RedisAwayError:
            return False

    async def keep(self, held: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
        """Keep these leases (call, number) alive; which of them others have taken.

        Raises `RedisAwayError`.
        """
        lost: list[tuple[str, int]] = []
        for start in range(0, len(held), PASS):
            some = held[start : start + PASS]
            await self._take_late([call for call, number in some if not self._number(call, number)])
            numbered = {lease: (lease[0], self._number(*lease)) for lease in some}
            gone = await self._lost_of(list(numbered.values()))
            await self._renew([lease for lease in numbered.values() if lease not in gone])
            lost += [lease for lease in some if numbered[lease] in gone]
        return lost

    async def release(self, call_id: str, number: int) -> None:
        """The call's stream has ended here: nobody carries it, unless another has taken it."""
        number = self._number(call_id, number)
        self._late.pop(call_id, None)
        try:
            if number and not await self._lost_of([(call_id, number)]):
                # Taken by another in this very moment it would miss its name for one pass.
                await self._asker.ask("DEL", names.owner(call_id))
        except RedisAwayError:
            return  # It expires by itself.

    async def run(
        self,
        get_calls: Callable[[], Sequence[tuple[str, int]]],
        on_lost: Callable[[str], None],
    ) -> None:
        """Keep the worker's leases until cancelled; `on_lost` once for each call that went."""
        told: set[tuple[str, int]] = set()
        while True:
            await asyncio.sleep(RENEW_S)
            calls = get_calls()
            told &= set(calls)
            held = [lease for lease in calls if lease not in told]
            self._late = {call: number for call, number in self._late.items() if (call, 0) in held}
            try:
                lost = await self.keep(held)
            except RedisAwayError:
                continue
            told |= set(lost)
            # Unless a newer stream of the call is here as well: then the call is not lost.
            here = {call_id for call_id, _ in set(held) - set(lost)}
            for call_id in sorted({call_id for call_id, _ in lost} - here):
                logger.warning("another worker has the call", extra={"fields": {"call": call_id}})
                on_lost(call_id)

    def _number(self, call_id: str, number: int) -> int:
        return number or self._late.get(call_id, 0)

    def _taking(self, call_id: str) -> list[Command]:
        return [
            ("GET", names.owner(call_id)),
            ("INCR", names.fence(call_id)),
            ("EXPIRE", names.fence(call_id), names.STATE_TTL_S),
            ("SET", names.owner(call_id), self._worker_id, "EX", names.LEASE_TTL_S),
        ]

    async def _take_late(self, call_ids: Sequence[str]) -> None:
        for call_id in call_ids:
            _, number, *_ = await self._asker.ask_all(self._taking(call_id), atomic=True)
            self._late[call_id] = int(number)

    async def _lost_of(self, held: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
        if not held:
            return []
        replies = await self._asker.ask_all(
            [
                command
                for call, _ in held
                for command in (("GET", names.fence(call)), ("GET", names.owner(call)))
            ]
        )
        pairs = zip(held, replies[::2], replies[1::2], strict=True)
        return [lease for lease, fence, owner in pairs if self._is_lost(lease[1], fence, owner)]

    def _is_lost(self, number: int, fence: bytes | None, owner: bytes | None) -> bool:
        """A Redis that lost its data counts from 1 again; then the owner's name tells."""
        if number and fence is not None and int(fence) > number:
            return True
        return owner is not None and owner != self._worker_id.encode() and number > 0

    async def _renew(self, held: Sequence[tuple[str, int]]) -> None:
        if not held:
            return
        commands: list[Command] = []
        for call_id, number in held:
            # A name is only put where none is: it never replaces one that has just taken the call.
            # The same with the number, should Redis have lost it.
            commands += [
                ("EXPIRE", names.owner(call_id), names.LEASE_TTL_S),
                ("SET", names.owner(call_id), self._worker_id, "EX", names.LEASE_TTL_S, "NX"),
                ("EXPIRE", names.fence(call_id), names.STATE_TTL_S),
                ("SET", names.fence(call_id), number, "EX", names.STATE_TTL_S, "NX"),
            ]
        await self._asker.ask_all(commands)
