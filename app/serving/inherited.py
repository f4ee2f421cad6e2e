"""What a worker process has from its supervisor, as one argument of its command line.

A worker is a fresh interpreter (exec, not a fork: threads and loops do not survive one) that
inherits three file descriptors: the listening socket, its lifeline and the board.
"""

import os
import socket
import sys
from dataclasses import dataclass

from app.serving.board import Board
from app.serving.worker_process import House

# The code is found where the supervisor's was, wherever the process is started; `-P` keeps the
# folder it is started in out of it, which may have an `app` of its own.
_BOOT = (
    "import os, sys; sys.path[:] = sys.argv.pop(1).split(os.pathsep); "
    "from app.cli import main; main()"
)


@dataclass(frozen=True, slots=True)
class Inherited:
    """File descriptors, the slot on the board, and the address for those who read `ps`."""

    listener_fd: int
    lifeline_fd: int
    board_fd: int
    slot: int

    @property
    def fds(self) -> tuple[int, int, int]:
        return self.listener_fd, self.lifeline_fd, self.board_fd

    def command(self) -> list[str]:
        """What to execute."""
        written = ",".join(map(str, (*self.fds, self.slot)))
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        return [sys.executable, "-P", "-c", _BOOT, path, "serve", "--inherited", written]

    @classmethod
    def parse(cls, written: str) -> "Inherited":
        """Raises ValueError for what no supervisor has written."""
        numbers = [int(number) for number in written.split(",")]
        if len(numbers) != 4 or min(numbers) < 0:
            raise ValueError("expected four numbers of a supervisor's")
        return cls(*numbers)

    def take(self) -> tuple[socket.socket, House]:
        """In the worker: the listening socket, and what it has from the supervisor."""
        for fd in self.fds:
            os.set_inheritable(fd, False)  # not for what tools start
        seat = Board(self.board_fd).seat(self.slot)
        return socket.socket(fileno=self.listener_fd), House(
            seat, socket.socket(fileno=self.lifeline_fd)
        )
