"""One worker: listens, answers calls until it is told to stop, then drains.

Signals: SIGTERM or SIGINT drains, a second one moves the calls at once, a third one waits for
nothing. A worker of a supervisor also drains when the supervisor has gone. SIGHUP has the files of
agents, routes and prices looked at now; what needs a new process, such as new code, waits for one.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn

from app.company import in_company, open_beyond
from app.observe.log import event
from app.reloading import Reloader
from app.server import Worker, make_worker, server_config, settle
from app.serving.board import Seat
from app.serving.doorkeeper import Doorkeeper
from app.serving.drain import drain
from app.settings import Settings

logger = logging.getLogger(__name__)

STOPPING = (signal.SIGTERM, signal.SIGINT)
READY = b"r"
POST_S = 0.2
"""How often the other workers are told how it stands here, besides at every change."""


@dataclass(frozen=True, slots=True)
class House:
    """What a worker of a supervisor has from it."""

    seat: Seat
    lifeline: socket.socket
    """One byte goes out when the worker listens; its end means that the supervisor has gone."""


class Listening(uvicorn.Server):
    """uvicorn with our door and without its signal handlers, which would cut calls off."""

    def __init__(self, worker: Worker, listener: socket.socket, seat: Seat | None) -> None:
        super().__init__(server_config(worker))
        self._worker = worker
        self._listener = listener
        self._seat = seat
        self.door: Doorkeeper | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        config, state = self.config, self.server_state
        board = self._worker.switchboard

        def protocol() -> asyncio.Protocol:
            made: asyncio.Protocol = config.http_protocol_class(  # type: ignore[call-arg]
                config=config, server_state=state, app_state=self.lifespan.state
            )
            return made

        self.door = Doorkeeper(
            self._listener,
            protocol,
            load=lambda: len(state.connections),
            leaving=lambda: board.draining,
            full=lambda: not board.takes_streams,
            others=self._seat,
        )
        self.door.open()
        self.servers = [self.door]  # type: ignore[list-item]
        self.started = True


async def run_worker(
    settings: Settings, listener: socket.socket, house: House | None = None
) -> None:
    """Open what workers share, answer calls until told to stop, drain, and close it again.

    Raises what `app.server.check` raises, and `ValueError` when REDIS_URL is none of a Redis.
    """
    seat = None if house is None else house.seat
    async with open_beyond(settings) as beyond:
        worker = make_worker(settings, fleet=seat, beyond=beyond)
        async with in_company(beyond, worker):
            await serve(worker, listener, house)


async def serve(worker: Worker, listener: socket.socket, house: House | None = None) -> None:
    """Answer calls until told to stop and drained."""
    settle()
    server = Listening(worker, listener, house.seat if house else None)
    worker.lag.start(POST_S, worker.switchboard.tell_fleet)
    leaving = Leaving(server, worker)
    with leaving.listening_to_signals(), _reloading_when_asked(worker.reloader):
        serving = asyncio.ensure_future(server.serve())
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.005)
        worker.switchboard.tell_fleet()
        if house is not None:
            house.lifeline.setblocking(False)
            asyncio.get_running_loop().add_reader(house.lifeline, leaving.supervisor_gone, house)
            with contextlib.suppress(BrokenPipeError):  # the reader learns it too
                house.lifeline.send(READY)
        event(logger, logging.INFO, "answering calls", pid=os.getpid())
        await serving
    worker.lag.stop()


@contextlib.contextmanager
def _reloading_when_asked(reloader: Reloader) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    looks: set[asyncio.Task[None]] = set()

    async def look() -> None:
        changed = await reloader.look()
        event(logger, logging.INFO, "asked to reload: agents, routes, prices", changed=changed)

    def asked() -> None:
        task = asyncio.ensure_future(look())
        looks.add(task)
        task.add_done_callback(over)

    def over(task: asyncio.Task[None]) -> None:
        looks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("reloading failed inside the bot", exc_info=error)

    loop.add_signal_handler(signal.SIGHUP, asked)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


class Leaving:
    """Counts how often the worker was told to stop, and does it."""

    def __init__(self, server: Listening, worker: Worker) -> None:
        self._server = server
        self._worker = worker
        self._told = 0
        self._again = asyncio.Event()
        self._draining: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def listening_to_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for each in STOPPING:
            loop.add_signal_handler(each, self.told)
        try:
            yield
        finally:
            for each in STOPPING:
                loop.remove_signal_handler(each)

    def told(self) -> None:
        self._told += 1
        if self._told == 1:
            self._draining = asyncio.ensure_future(self._drain())
        elif self._told == 2:
            self._again.set()
        else:
            self._server.should_exit = self._server.force_exit = True

    def supervisor_gone(self, house: House) -> None:
        asyncio.get_running_loop().remove_reader(house.lifeline)
        event(logger, logging.WARNING, "the supervisor has gone")
        if self._server.door is not None:
            # Its successor cannot listen at the same address while anybody here does.
            self._server.door.close()
        if not self._told:
            self.told()

    async def _drain(self) -> None:
        worker, door = self._worker, self._server.door
        try:
            await drain(
                worker.switchboard,
                worker.settings.drain_s,
                self._again,
                lambda: door is not None and door.answers,
            )
        finally:
            self._server.should_exit = True
