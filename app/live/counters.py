"""Totals of all workers since the store began: counted here, added up in Redis."""

import logging

from app.live import names
from app.live.asking import Asker, RedisAwayError
from app.live.outbox import Outbox
from app.live.waiting import Op

logger = logging.getLogger(__name__)


class Counters:
    """Names are the program's own, never a caller's data."""

    def __init__(self, asker: Asker, outbox: Outbox) -> None:
        self._asker = asker
        self._outbox = outbox

    def incr(self, name: str, n: int = 1) -> None:
        """Add; written soon, added up with what still waits. Never waits."""
        self._outbox.put(f"counter:{name}", _adding(name, n))

    async def totals(self) -> dict[str, int]:
        """What has been written so far; empty when Redis does not say."""
        try:
            totals = await self._asker.ask("HGETALL", names.COUNTERS)
        except RedisAwayError:
            logger.warning("totals are not known: Redis is away")
            return {}
        return {name.decode(): int(total) for name, total in totals.items()}


def _adding(name: str, n: int) -> Op:
    return Op((("HINCRBY", names.COUNTERS, name, n),), join=_sum)


def _sum(earlier: Op, later: Op) -> Op:
    _, _, name, n = earlier.commands[0]
    return _adding(str(name), int(n) + int(later.commands[0][3]))
