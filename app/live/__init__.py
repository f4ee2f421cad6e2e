"""What must outlive a worker, in Redis: where calls stand, who carries them, what models fail.

Nothing here is on the media path, and nothing here can end a call: with Redis away questions are
answered without it, soon, and writes wait. `docs/redis.md` says what lives where.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from app.live.after_calls import AfterLedger
from app.live.answers import Code, LocalAnswers, RedisAnswers
from app.live.asking import Asker
from app.live.blocks import Blocks
from app.live.breaker import BreakerSettings
from app.live.breakers import Breakers
from app.live.calls import LiveCalls
from app.live.capacity import Capacity
from app.live.channel import Channel
from app.live.connection import Connection, open_redis
from app.live.consents import Consents
from app.live.counters import Counters
from app.live.fleet import Fleet
from app.live.leases import Leases
from app.live.limits import RedisLimits
from app.live.outbox import Outbox
from app.live.outcomes import Outcomes
from app.live.pace import RedisPace
from app.live.served import ServedCalls
from app.live.tokens import RedisTokens
from app.live.tool_runs import ToolRuns
from app.live.verdicts import Verdicts

logger = logging.getLogger(__name__)

CLOSE_S: Final = 2.0
"""Longest wait at the end for what is not written yet."""

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Live:
    """One worker's view of it all. Who serves runs `leases.run` and `fleet.run` beside it."""

    connection: Connection
    asker: Asker
    outbox: Outbox
    calls: LiveCalls
    leases: Leases
    tool_runs: ToolRuns
    outcomes: Outcomes
    tokens: RedisTokens
    breakers: Breakers
    fleet: Fleet
    counters: Counters
    blocks: Blocks
    consents: Consents
    channel: Channel
    after_calls: AfterLedger
    pace: RedisPace
    capacity: Capacity
    verdicts: Verdicts
    served: ServedCalls

    def answers(self, local: LocalAnswers[A], code: Code[A]) -> RedisAnswers[A]:
        """Answers of webhooks for all workers, from those of one process."""
        return RedisAnswers(self.asker, local, code)

    def limits(self, secret: bytes) -> RedisLimits:
        """Counts for the policy's limits; `secret`: the same for all workers, 16 bytes or more."""
        return RedisLimits(self.asker, secret)


@asynccontextmanager
async def open_live(
    url: str,
    data_dir: Path,
    worker_id: str,
    *,
    breaker_settings: BreakerSettings | None = None,
) -> AsyncIterator[Live]:
    """Everything, with what keeps it going; at the end what waits is written, 2 s at most.

    `worker_id` is this process's for its life. Raises `ValueError` when `url` is none of a Redis.
    """
    async with open_redis(url, data_dir) as connection:
        live = _live(connection, worker_id, breaker_settings or BreakerSettings())
        tasks = [_task(live.outbox.run(), "outbox"), _task(live.breakers.run(), "breakers")]
        try:
            yield live
        finally:
            await live.fleet.gone()
            await live.outbox.close(CLOSE_S)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


def _live(connection: Connection, worker_id: str, breaker_settings: BreakerSettings) -> Live:
    asker, outbox = Asker(connection.client), Outbox(connection.client)
    fleet = Fleet(asker, worker_id)
    return Live(
        connection=connection,
        asker=asker,
        outbox=outbox,
        calls=LiveCalls(asker, outbox, worker_id),
        leases=Leases(asker, worker_id),
        # It asks for itself: a question of somebody else that went unanswered is no reason not to.
        tool_runs=ToolRuns(Asker(connection.client), outbox),
        outcomes=Outcomes(asker),
        tokens=RedisTokens(asker),
        breakers=Breakers(asker, outbox, breaker_settings),
        fleet=fleet,
        counters=Counters(asker, outbox),
        blocks=Blocks(asker, outbox),
        consents=Consents(asker, outbox),
        channel=Channel(asker, outbox),
        after_calls=AfterLedger(asker, outbox),
        pace=RedisPace(asker),
        capacity=Capacity(asker, fleet),
        verdicts=Verdicts(asker, outbox),
        served=ServedCalls(asker, outbox, worker_id),
    )


def _task(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    task = asyncio.create_task(work, name=f"live: {name}")
    task.add_done_callback(_told_if_failed)
    return task


def _told_if_failed(task: asyncio.Task[None]) -> None:
    """A fault of ours: calls go on without what the task did, and the log says so."""
    if not task.cancelled() and (error := task.exception()) is not None:
        fields = {"task": task.get_name()}
        logger.critical("a task of the store failed", exc_info=error, extra={"fields": fields})
