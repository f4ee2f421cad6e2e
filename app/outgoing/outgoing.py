"""The door for whoever has something to tell the operator's systems: `Outgoing.emit(event)`."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from app.outgoing.deliverer import Deliverer, Rules
from app.outgoing.endpoints import NOBODY, SecretsOf, Targets, TargetsOf, secrets_from
from app.outgoing.events import OutgoingEvent
from app.outgoing.lock import FolderLock
from app.outgoing.messages import message_of
from app.outgoing.sending import TIMEOUT_S, Sender
from app.outgoing.sqlite_store import SqliteStore
from app.outgoing.store import OutboxError, Store
from app.outgoing.watch import Watch

logger = logging.getLogger(__name__)

CLOSE_S: Final = 2.0
"""Longest wait at the end for events that are not on disk yet."""


def _nobody(_agent: str) -> Targets:
    return NOBODY


class Outgoing:
    """Belongs to one event loop. `targets_of` may be set later, before the first event."""

    def __init__(
        self,
        store: Store,
        deliverer: Deliverer,
        thread: ThreadPoolExecutor,
        targets_of: TargetsOf = _nobody,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.targets_of = targets_of
        self._store = store
        self._deliverer = deliverer
        self._thread = thread
        self._now_s = now_s
        self._tasks: set[asyncio.Task[bool]] = set()

    def watched_by(self, watch: Watch) -> None:
        """Have it counted what becomes of webhooks from now on."""
        self._deliverer.watch = watch

    def reaches(self, agent: str, event_type: str) -> bool:
        """Somebody is told of such events of this agent's calls."""
        return bool(self.targets_of(agent).of(event_type))

    def emit(self, event: OutgoingEvent) -> None:
        """Tell it to the agent's endpoints. Never waits and never raises."""
        task = asyncio.create_task(self.accept(event), name="a webhook's event")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def accept(self, event: OutgoingEvent) -> bool:
        """The same, and on disk when this returns. False: it is not, and the log says why. True as
        well where nobody wants to know, and for an event that was accepted before."""
        targets = self.targets_of(event.agent)
        endpoints = targets.of(event.type)
        if not endpoints:
            return True
        message = message_of(event, self._now_s(), numbers=targets.numbers)
        keep = partial(self._store.accept, message, endpoints)
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, keep)
        except OutboxError as error:
            fields = {"call": event.call_id, "type": event.type, "error": str(error)}
            logger.error("a webhook's event is lost", extra={"fields": fields})
            return False
        self._deliverer.wake()
        return True

    async def flushed(self, limit_s: float = CLOSE_S) -> None:
        """Wait until all that was emitted is on disk."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=limit_s)


@asynccontextmanager
async def open_outgoing(
    folder: Path,
    *,
    secrets_of: SecretsOf | None = None,
    rules: Rules | None = None,
    timeout_s: float = TIMEOUT_S,
    targets_of: TargetsOf = _nobody,
) -> AsyncIterator[Outgoing]:
    """With the task that delivers. `folder` is made if it is not there. Raises `OutboxError`."""
    thread = ThreadPoolExecutor(1, "outgoing")
    store = SqliteStore(folder)
    async with Sender(timeout_s=timeout_s) as sender:
        secrets = secrets_of or secrets_from(os.environ)
        deliverer = Deliverer(store, FolderLock(folder), sender, secrets, thread, rules=rules)
        outgoing = Outgoing(store, deliverer, thread, targets_of)
        task = asyncio.create_task(deliverer.run(), name="webhooks")
        task.add_done_callback(_told_if_failed)
        try:
            yield outgoing
        finally:
            await outgoing.flushed()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            thread.shutdown(wait=True)
            store.close()


def _told_if_failed(task: asyncio.Task[None]) -> None:
    """A fault of ours: what was accepted waits for the next process."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.critical("webhooks are not delivered any more", exc_info=error)
