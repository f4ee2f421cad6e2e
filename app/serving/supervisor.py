"""Several workers at one listening socket: starts them, replaces the dead, lets them go.

    SIGTERM, SIGINT   all drain; again: they move their calls at once; a third time: kill
    SIGHUP            rolling restart: a new worker, ready; then an old one drains; and so on

The supervisor keeps the socket open as long as it lives, so a connection that comes while workers
are replaced waits a moment instead of being refused. It answers no call itself and knows nothing of
calls: what workers share, it only starts (`shared`).
"""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeAlias

from app.observe.log import event
from app.serving.board import SLOTS, Board, new_board
from app.serving.child import Child

logger = logging.getLogger(__name__)

Shared: TypeAlias = AbstractAsyncContextManager[Mapping[str, str]]
"""Starts what all workers share and gives environment variables that tell them where it is."""

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0
STEADY_S: Final = 10.0
"""A worker that lived for so long was all right: its end is not the last one's over again."""
START_S: Final = 60.0
"""A worker that does not listen after this time never will."""
OVERTIME_S: Final = 10.0
"""Beyond drain_s, before a worker that drains is killed."""


class Backoff:
    """How long to wait before the next start, after workers that died one after the other."""

    def __init__(self) -> None:
        self._pause_s = 0.0

    def after(self, lived_s: float) -> float:
        """The pause after a worker that lived for `lived_s`, in seconds."""
        doubled = max(FIRST_PAUSE_S, min(LONGEST_PAUSE_S, self._pause_s * 2))
        self._pause_s = FIRST_PAUSE_S if lived_s >= STEADY_S else doubled
        return self._pause_s


class Supervisor:
    """`await run()`: the exit code of the command. `drain_s`: how long a worker may drain.
    `on_gone`: told the process id of each worker that has ended, however it did."""

    def __init__(
        self,
        listener: socket.socket,
        workers: int,
        drain_s: float,
        shared: Shared,
        on_gone: Callable[[int], None] = lambda pid: None,
    ) -> None:
        self._listener = listener
        self._wanted = workers
        self._drain_s = drain_s
        self._shared = shared
        self._on_gone = on_gone
        self._env: Mapping[str, str] = {}
        self._board_fd = new_board()
        self._board = Board(self._board_fd)
        self._children: list[Child] = []
        """In service: those that drain or died are not here."""
        self._alive: set[Child] = set()
        self._watching: set[asyncio.Task[None]] = set()
        self._backoff = Backoff()
        self._told = 0
        self._begun = asyncio.Event()
        self._stopping = asyncio.Event()
        self._asked = asyncio.Event()
        """A rolling restart or the end was asked for."""

    async def run(self) -> int:
        """Until told to stop, or until no worker can be started: then 1, and the workers have
        said why."""
        async with self._shared as env:
            self._env = env
            with self._signals():
                began = await self._begin()
                if began:
                    event(logger, logging.INFO, "workers ready", workers=self._wanted)
                    self._begun.set()
                    await self._roll_when_asked()
                await self._dismiss_all()
        return 0 if began else 1

    async def _begin(self) -> bool:
        """Start all workers; False when one of them ended at once, as with wrong settings."""
        for _ in range(self._wanted):
            self._children.append(await self._start())
        ready = await asyncio.gather(*(self._listens(child) for child in self._children))
        return all(ready) or self._stopping.is_set()

    async def _start(self) -> Child:
        taken = {child.slot for child in self._alive}
        slot = next(slot for slot in range(SLOTS) if slot not in taken)
        self._board.clear(slot)
        child = await Child.start(self._listener, self._board_fd, slot, self._env)
        self._alive.add(child)
        if self._stopping.is_set():
            child.dismiss()
        watch = asyncio.ensure_future(self._watch(child))
        self._watching.add(watch)
        watch.add_done_callback(self._watching.discard)
        return child

    async def _listens(self, child: Child) -> bool:
        try:
            async with asyncio.timeout(START_S):
                return await asyncio.shield(child.ready)
        except TimeoutError:
            event(logger, logging.ERROR, "a worker does not come up", pid=child.pid)
            child.kill()
            return False

    async def _watch(self, child: Child) -> None:
        """Take note of a worker's end, and put another one in its place."""
        code = await asyncio.shield(child.ended)
        self._alive.discard(child)
        self._on_gone(child.pid)
        calls = self._board.calls(child.slot)
        self._board.clear(child.slot)
        if child.dismissed:
            event(logger, logging.INFO, "worker gone", pid=child.pid, exit_code=code)
            return
        await self._begun.wait()
        if self._stopping.is_set() or child not in self._children:
            return
        self._children.remove(child)
        pause_s = self._backoff.after(asyncio.get_running_loop().time() - child.began_s)
        if code:
            event(
                logger,
                logging.ERROR,
                "a worker died",
                pid=child.pid,
                exit_code=code,
                calls=calls,
                pause_s=pause_s,
            )
        else:  # somebody told it to stop, and it drained
            event(logger, logging.INFO, "worker gone", pid=child.pid, exit_code=code)
        await self._replace(pause_s)

    async def _replace(self, pause_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._stopping.wait()
        if self._stopping.is_set():
            return
        child = await self._start()
        self._children.append(child)
        await self._listens(child)

    async def _roll_when_asked(self) -> None:
        """Return when the end was asked for."""
        while not self._stopping.is_set():
            await self._asked.wait()
            self._asked.clear()
            if not self._stopping.is_set():
                await self._roll()

    async def _roll(self) -> None:
        event(logger, logging.INFO, "rolling restart")
        for old in list(self._children):
            if self._stopping.is_set():
                return
            if old in self._children and not await self._renew(old):
                event(logger, logging.ERROR, "rolling restart given up: no new worker came up")
                return
        event(logger, logging.INFO, "rolling restart done")

    async def _renew(self, old: Child) -> bool:
        """A new worker for an old one, which goes on if the new one does not come up."""
        new = await self._start()
        if not await self._listens(new):
            return False
        self._children.append(new)
        if old in self._children:
            self._children.remove(old)
            await self._dismiss(old)
        return True

    async def _dismiss(self, child: Child) -> None:
        """Let a worker drain; one that takes too long is killed."""
        child.dismiss()
        limit_s = self._drain_s + OVERTIME_S
        if not (await asyncio.wait({child.ended}, timeout=limit_s))[0]:
            event(logger, logging.ERROR, "a worker does not end and is killed", pid=child.pid)
            child.kill()
            await asyncio.shield(child.ended)

    async def _dismiss_all(self) -> None:
        self._stopping.set()
        self._begun.set()
        while self._alive:
            await asyncio.gather(*(self._dismiss(child) for child in self._alive))
            await asyncio.sleep(0)
        await asyncio.gather(*self._watching)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        handlers = {
            signal.SIGTERM: self._stop,
            signal.SIGINT: self._stop,
            signal.SIGHUP: self._asked.set,
        }
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            yield
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self._told += 1
        self._stopping.set()
        self._asked.set()
        for child in list(self._alive):
            if self._told == 1:
                child.dismiss()
            elif self._told == 2:
                child.hurry()
            else:
                child.kill()
