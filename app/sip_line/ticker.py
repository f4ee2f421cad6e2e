"""One pacer for all calls of the line: every 20 ms, by deadlines that do not drift."""

import asyncio
from collections.abc import Callable
from typing import Final

from telecodecs import FRAME_MS

MOST_BEHIND: Final = 25
"""After a stall of more than half a second the lost ticks are given up."""


class Ticker:
    """Calls its listeners once for each 20 ms that went by, late ones after each other."""

    def __init__(self) -> None:
        self._listeners: dict[Callable[[int], None], Callable[[Exception], None]] = {}
        self.ticks = 0
        """So many periods have gone by, also where nobody was told."""

    def add(self, listener: Callable[[int], None], broke: Callable[[Exception], None]) -> None:
        """`listener` gets the number of the period, which never goes back; what it raises goes to
        `broke`, and it is called no more."""
        self._listeners[listener] = broke

    def remove(self, listener: Callable[[int], None]) -> None:
        self._listeners.pop(listener, None)

    async def run(self) -> None:
        """Tick until cancelled."""
        clock = asyncio.get_running_loop().time
        period_s = FRAME_MS / 1000
        began_s = clock()
        while True:
            await asyncio.sleep(began_s + (self.ticks + 1) * period_s - clock())
            due = int((clock() - began_s) / period_s)
            self.ticks = max(self.ticks, due - MOST_BEHIND)
            while self.ticks < due:
                self.ticks += 1
                for listener, broke in list(self._listeners.items()):
                    try:
                        listener(self.ticks)
                    except Exception as error:  # one call's fault must not stop the others' sound
                        self.remove(listener)
                        broke(error)
