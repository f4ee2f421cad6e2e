"""Accepts connections from a listening socket that other workers may share.

All of them see that somebody knocks. Who has more open connections than the others opens later, so
the idlest takes the connection at once; whoever is left answers, so nobody waits for long. A worker
that drains does not open while another one takes calls.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Protocol

logger = logging.getLogger(__name__)

STEP_S = 0.001
"""Delay for each connection more than the idlest worker has."""
MOST_STEPS = 10
FULL_S = 0.025
"""Delay of a worker that takes no streams while others do."""
LEAVING_S = 0.1
"""How often a worker that drains looks whether the others have gone."""
TROUBLE_S = 0.1
"""Pause after the system refused a connection, mostly for want of file descriptors."""


class Others(Protocol):
    """What a door must know of the other workers at its socket."""

    def post_load(self, load: int) -> None: ...

    def least_load_of_others(self) -> int | None: ...

    def others(self) -> int: ...


class Doorkeeper:
    """A server for uvicorn: `close`, `wait_closed`. Belongs to one event loop.

    `load`: open connections of this worker. `leaving`: it drains. `full`: it takes no streams.
    `others`: None where the socket is not shared.
    """

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        *,
        load: Callable[[], int],
        leaving: Callable[[], bool],
        full: Callable[[], bool],
        others: Others | None = None,
    ) -> None:
        self._listener = listener
        self._protocol = protocol
        self._load = load
        self._leaving = leaving
        self._full = full
        self._others = others
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._opening: set[asyncio.Task[object]] = set()
        self._open = False
        self.accepted = 0

    def open(self) -> None:
        self._listener.setblocking(False)
        self._open = True
        self._watch()

    @property
    def answers(self) -> bool:
        """Whether somebody who knocks now may find us behind this door."""
        if not self._open:
            return False
        return self._others is None or not (self._leaving() and self._others.others())

    def close(self) -> None:
        """Accept nothing more, and let go of the socket: the other workers keep theirs."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._listener)
            if self._timer is not None:
                self._timer.cancel()
            self._listener.close()

    async def wait_closed(self) -> None:
        await asyncio.gather(*self._opening, return_exceptions=True)

    def _watch(self) -> None:
        self._timer = None
        self._loop.add_reader(self._listener, self._knock)

    def _knock(self) -> None:
        delay_s = self._delay_s()
        if delay_s <= 0:
            self._accept()
        else:
            self._later(delay_s, self._waited)

    def _waited(self) -> None:
        self._watch()
        if self.answers:
            self._accept()

    def _later(self, delay_s: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._listener)
        self._timer = self._loop.call_later(delay_s, then)

    def _delay_s(self) -> float:
        if self._others is None:
            return 0.0
        load = self._load() + len(self._opening)
        self._others.post_load(load)
        if not self.answers:
            return LEAVING_S
        least = self._others.least_load_of_others()
        if least is None:
            return 0.0
        return FULL_S if self._full() else STEP_S * min(MOST_STEPS, load - least)

    def _accept(self) -> None:
        """One connection, so that the next one is weighed anew."""
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was faster, or the other side has gone
        except OSError as error:
            # Without a pause the loop would do nothing but ask again.
            logger.error("no connection accepted", extra={"fields": {"error": error.strerror}})
            self._later(TROUBLE_S, self._watch)
            return
        self.accepted += 1
        connection.setblocking(False)
        task: asyncio.Task[object] = asyncio.ensure_future(
            self._loop.connect_accepted_socket(self._protocol, connection)
        )
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
