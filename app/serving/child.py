"""A worker process as its supervisor sees it."""

import asyncio
import os
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import Mapping

from app.serving.inherited import Inherited
from app.serving.worker_process import READY


class Child:
    """Started by `start`; `ready` and `ended` are awaited by whoever wants to know."""

    def __init__(self, process: Process, slot: int, lifeline: socket.socket) -> None:
        self._process = process
        self._lifeline = lifeline
        self.slot = slot
        self.dismissed = False
        """It was told to stop, so its end is no accident."""
        self.began_s = asyncio.get_running_loop().time()
        self.ready: asyncio.Task[bool] = asyncio.ensure_future(self._ready())
        """Whether it listens now; False when it ended before."""
        self.ended: asyncio.Task[int] = asyncio.ensure_future(self._ended())
        """Its exit code; below 0 for a signal."""

    @classmethod
    async def start(
        cls, listener: socket.socket, board_fd: int, slot: int, env: Mapping[str, str]
    ) -> "Child":
        """Raises OSError when the system starts no process."""
        ours, theirs = socket.socketpair()
        with theirs:
            inherited = Inherited(listener.fileno(), theirs.fileno(), board_fd, slot)
            process = await asyncio.create_subprocess_exec(
                *inherited.command(),
                pass_fds=inherited.fds,
                env={**os.environ, **env},
                # Ctrl+C goes to the supervisor only, which passes it on.
                process_group=0,
            )
        ours.setblocking(False)
        return cls(process, slot, ours)

    @property
    def pid(self) -> int:
        return self._process.pid

    def dismiss(self) -> None:
        """Drain and end."""
        if not self.dismissed:
            self.dismissed = True
            self._signal(signal.SIGTERM)

    def hurry(self) -> None:
        """Move the calls at once, and end."""
        self.dismissed = True
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self.dismissed = True
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self._process.returncode is None:
            self._process.send_signal(number)

    async def _ready(self) -> bool:
        try:
            return await asyncio.get_running_loop().sock_recv(self._lifeline, 1) == READY
        except ConnectionError:
            return False

    async def _ended(self) -> int:
        code = await self._process.wait()
        await self.ready
        self._lifeline.close()
        return code
