"""Who guesses at credentials: after ten wrong ones from an address, more are not looked at for a
while. Sans-I/O; time is the caller's, in seconds."""

from collections import deque
from typing import Final

MOST_WRONG: Final = 10
WINDOW_S: Final = 60.0
MOST_HOSTS: Final = 1_000
"""So many addresses are remembered; of more, the first is forgotten."""


class Guesses:
    """One for each line."""

    def __init__(self) -> None:
        self._wrong: dict[str, deque[float]] = {}

    def add(self, host: str, now_s: float) -> None:
        """Wrong credentials came from there."""
        self._wrong.setdefault(host, deque(maxlen=MOST_WRONG)).append(now_s)
        if len(self._wrong) > MOST_HOSTS:
            del self._wrong[next(iter(self._wrong))]

    def too_many(self, host: str, now_s: float) -> bool:
        wrong = self._wrong.get(host)
        if wrong is None:
            return False
        while wrong and now_s - wrong[0] >= WINDOW_S:
            wrong.popleft()
        if not wrong:
            del self._wrong[host]
        return len(wrong) >= MOST_WRONG
