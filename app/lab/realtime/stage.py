"""What every part of one session shares."""

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.conversation import Conversation
from app.lab.realtime.ids import Ids
from app.lab.realtime.log import SessionLog
from app.lab.realtime.outbox import Outbox
from app.lab.realtime.ports import Brain, Ear, Mouth


class Tasks:
    """The session's background work inside one task group, all of it ended by `cancel`."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._group.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def cancel(self) -> None:
        for task in tuple(self._running):
            task.cancel()


@dataclass(frozen=True, slots=True)
class Stage:
    behaviour: Behaviour
    dice: random.Random
    ids: Ids
    log: SessionLog
    outbox: Outbox
    conversation: Conversation
    conversation_id: str
    brain: Brain
    ear: Ear
    mouth: Mouth
    tasks: Tasks
