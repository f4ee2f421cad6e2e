"""One dialler worker of `bench.dialling`, as a process that dies where it is told to."""

import asyncio
import json
import logging
import os
import signal
import socket
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvloop

from app.campaigns.dialling.words import (
    Campaign,
    Contact,
    Permit,
    Timing,
    Wait,
)
from app.campaigns.dialling.worker import Room, Worker
from app.campaigns.dialling.writes import Point
from app.campaigns.ports import Heard
from app.policy.dialing.words import Allowed, Answer, DialRule, Never, NotNow
from app.records.database import Database, sql_url
from bench.dialling_wire import WireCarrier

LIMIT_MS: Final = 1_000
TIMING: Final = Timing(
    lease_ms=3_000,
    send_within_ms=2_000,
    request_limit_ms=LIMIT_MS,
    settling_ms=1_000,
    skew_ms=20,
    ask_every_ms=400,
    quiet_ringing_ms=2_500,
    quiet_talking_ms=2_500,
    again_ms=100,
    look_ms=400,
)
FROM: Final = "+15550199000"
FIRST_DUE_MS: Final = 1
"""When all contacts are due at first. Some must then wait once."""


@dataclass(frozen=True, slots=True)
class Job:
    """`listen`: its own of the `listeners`. `die_at`: points of which it dies at the first it comes
    to; it names that one in `died`."""

    url: str
    name: str
    carrier: int
    listen: int
    listeners: tuple[int, ...]
    die_at: frozenset[Point]
    died: Path


def never_dialled(contact_id: int) -> bool:
    return contact_id % 97 == 0


async def judge(campaign: Campaign, contact: Contact, now_ms: int) -> Answer:
    if never_dialled(contact.contact_id):
        return Never(DialRule.NO_CONSENT, "nobody knows of a consent")
    if contact.contact_id % 23 == 0 and contact.due_at_ms == FIRST_DUE_MS:
        return NotNow(DialRule.WINDOW, "a little later", now_ms + 200)
    return Allowed(now_ms + 60_000)


class NoLimit:
    async def permit(self, campaign: Campaign, contact: Contact, now_ms: int) -> Permit | Wait:
        return Permit(FROM)

    async def placed(self, campaign: Campaign, contact: Contact, call_id: str) -> None:
        return None

    async def over(self, campaign: Campaign, contact: Contact) -> None:
        return None


def run(job: Job) -> None:
    """Until SIGTERM, or until it dies."""
    logging.basicConfig(level=logging.ERROR, force=True)
    uvloop.run(_work(job))


async def _work(job: Job) -> None:
    database = Database(sql_url(job.url))
    worker = Worker(
        job.name,
        database,
        WireCarrier(job.carrier, job.listeners),
        judge,
        NoLimit(),
        lambda: time.time_ns() // 1_000_000,
        timing=TIMING,
        room=Room(held=200, ahead=20),
        at=_Death(job.die_at, job.died),
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", job.listen))

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # this process ends
            while line := await reader.readline():
                await worker.hear(Heard(**json.loads(line)))

    server = await asyncio.start_server(listen, sock=listener)
    await worker.run()
    server.close()  # and not waited for: from Python 3.12 on that is until the carrier hangs up
    listening = asyncio.all_tasks() - {asyncio.current_task()}
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    await worker.idle()
    await database.close()


class _Death:
    def __init__(self, points: Collection[Point], told: Path) -> None:
        self._points = points
        self._told = told

    def __call__(self, point: Point) -> None:
        if point in self._points:
            self._told.write_text(" ".join(point))
            os.kill(os.getpid(), signal.SIGKILL)
