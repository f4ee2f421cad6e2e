"""Log lines of the line: static texts with named fields, in the shape that the app's log writes."""

import logging
import time
from collections.abc import Callable
from typing import Final

MOST_LINES: Final = 10
WINDOW_S: Final = 60.0


def event(logger: logging.Logger, level: int, text: str, /, **fields: object) -> None:
    """Log a static text with its values in named fields, never anybody's number or digits.

    This room knows nothing of the app; a handler of the app's own log still finds the fields.
    """
    logger.log(level, text, extra={"fields": fields}, stacklevel=2)


class Seldom:
    """For a line that strangers can cause: the first ten in a minute, then no more of them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_s = clock()
        self._asked = 0
        self._left_out = 0

    def ask(self) -> int | None:
        """None: leave it out. Otherwise so many were left out since the last one."""
        now_s = self._clock()
        if now_s - self._began_s >= WINDOW_S:
            self._began_s, self._asked = now_s, 0
        self._asked += 1
        if self._asked > MOST_LINES:
            self._left_out += 1
            return None
        left_out, self._left_out = self._left_out, 0
        return left_out
