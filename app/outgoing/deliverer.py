"""Sends what is due, each message until it arrives or is given up. One process a data folder works;
the others wait for its death.

At least once: a message whose delivery could not be written down is sent again, under the same id.
Order: of one call to one endpoint as accepted, for as long as an earlier one has not failed thrice.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from app.outgoing.endpoints import SecretsOf
from app.outgoing.lock import FolderLock
from app.outgoing.retries import Schedule
from app.outgoing.sending import Attempt, Sender
from app.outgoing.signing import SecretError
from app.outgoing.store import Delivery, OutboxError, Store
from app.outgoing.watch import End, Unwatched, Watch

logger = logging.getLogger(__name__)

LOOK_S: Final = 1.0
"""How often it looks for what other processes have accepted, and for a lock that is free."""
MOST_EACH: Final = 4
"""Attempts under way to one endpoint: a slow one holds up nobody else's messages."""
WATCH_S: Final = 5.0
"""How often it is told how much waits."""
KEEP_DELIVERED_S: Final = 7 * 24 * 3600.0
KEEP_DEAD_S: Final = 30 * 24 * 3600.0
_FORGET_EVERY_S: Final = 3600.0

CLOSE_S: Final = 2.0
"""How long attempts under way may still take when their process ends."""


@dataclass(frozen=True, slots=True)
class Rules:
    schedule: Schedule = field(default_factory=Schedule)
    look_s: float = LOOK_S
    watch_s: float = WATCH_S


T = TypeVar("T")


class Deliverer:
    """`run` is its task. `now_s`: Unix seconds. The store is only used in `thread`."""

    def __init__(
        self,
        store: Store,
        lock: FolderLock,
        sender: Sender,
        secrets_of: SecretsOf,
        thread: Executor,
        *,
        rules: Rules | None = None,
        now_s: Callable[[], float] = time.time,
        chance: random.Random | None = None,
    ) -> None:
        self._store = store
        self._lock = lock
        self._sender = sender
        self._secrets_of = secrets_of
        self._thread = thread
        self._rules = rules or Rules()
        self._now_s = now_s
        self._chance = chance or random.Random()
        self.watch: Watch = Unwatched()
        """May be set later; what was not told by then is not counted."""
        self._told_s = 0.0
        self._woken = asyncio.Event()
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._forgot_s = 0.0
        self._troubled = False

    def wake(self) -> None:
        """Something was accepted in this process."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled; attempts that then take too long are broken off and made again later."""
        try:
            while True:
                self._woken.clear()
                await self._turn()
                await self._pause()
        finally:
            await self._finish()
            self._lock.release()

    async def _finish(self) -> None:
        tasks = list(self._under_way.values())
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _turn(self) -> None:
        try:
            if not self._lock.take():
                return
            busy = tuple(self._under_way)
            for delivery in await self._do(partial(self._due, busy)):
                self._begin(delivery)
            await self._forget()
            await self._tell_backlog()
            self._troubled = False
        except (OSError, OutboxError) as error:
            self._complain(error)

    def _due(self, busy: tuple[int, ...]) -> list[Delivery]:
        return self._store.due(self._now_s(), busy, MOST_EACH)

    def _begin(self, delivery: Delivery) -> None:
        if delivery.number in self._under_way:
            return
        task = asyncio.create_task(self._deliver(delivery), name="a webhook")
        self._under_way[delivery.number] = task
        task.add_done_callback(partial(self._done, delivery.number))

    def _done(self, number: int, task: asyncio.Task[None]) -> None:
        del self._under_way[number]
        self._woken.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a webhook failed inside the bot", exc_info=error)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._rules.look_s):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            secrets = self._secrets_of(delivery.secret_name)
        except SecretError as error:
            attempt = Attempt(None, f"{delivery.secret_name}: {error}")
        else:
            attempt = await self._sender.send(
                delivery.url, delivery.message_id, delivery.body, secrets
            )
        self.watch.attempted(attempt.outcome)
        try:
            end = await self._do(partial(self._note, delivery, attempt))
        except OutboxError as error:
            self._complain(error)
            await asyncio.sleep(self._rules.look_s)  # it is sent again, and not at once
        else:
            if end is not None:
                self.watch.ended(end)

    def _note(self, delivery: Delivery, attempt: Attempt) -> End | None:
        """Write down what came of an attempt. None: there will be another one."""
        now_s, number = self._now_s(), delivery.number
        if attempt.delivered:
            self._store.delivered(number, attempt.status or 0, now_s)
            return "delivered"
        attempts = delivery.attempts + 1
        wait_s = self._rules.schedule.wait_s(attempts, attempt.retry_after_s, self._chance)
        if attempt.gone:
            self._store.bury(number, now_s, attempt.status, attempt.reason)
            self._store.disable(delivery.url, now_s, attempt.reason)
        elif wait_s is None:
            self._store.bury(number, now_s, attempt.status, attempt.reason)
        else:
            self._store.postpone(number, now_s + wait_s, attempt.status, attempt.reason)
        self._tell(delivery, attempt, attempts, wait_s)
        return "dead" if attempt.gone or wait_s is None else None

    def _tell(
        self, delivery: Delivery, attempt: Attempt, attempts: int, wait_s: float | None
    ) -> None:
        fields: dict[str, object] = {"call": delivery.call_id, "webhook": delivery.message_id}
        fields |= {"type": delivery.type, "status": attempt.status, "attempts": attempts}
        fields |= {"reason": attempt.reason}
        if attempt.gone:
            logger.error("a webhook's endpoint is gone for good", extra={"fields": fields})
        elif wait_s is None:
            logger.error("a webhook is given up", extra={"fields": fields})
        else:
            fields["next_s"] = round(wait_s)
            logger.warning("a webhook was not taken", extra={"fields": fields})

    async def _forget(self) -> None:
        now_s = self._now_s()
        if now_s >= self._forgot_s + _FORGET_EVERY_S:
            self._forgot_s = now_s
            old_s = (now_s - KEEP_DELIVERED_S, now_s - KEEP_DEAD_S)
            await self._do(partial(self._store.forget, *old_s))

    async def _tell_backlog(self) -> None:
        now_s = self._now_s()
        if now_s >= self._told_s + self._rules.watch_s:
            self._told_s = now_s
            self.watch.backlog(await self._do(self._store.backlog), now_s)

    def _complain(self, error: Exception) -> None:
        """Once, until it works again."""
        if not self._troubled:
            fields = {"error": getattr(error, "strerror", None) or str(error)}
            logger.error("webhooks wait: the outbox cannot be used", extra={"fields": fields})
        self._troubled = True

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
