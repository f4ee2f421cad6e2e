"""A call that is to leave this worker does so in a quiet moment, or when its time is up."""

from app.call.commands import Command, EndCall
from app.call.endings import EndReason
from app.call.machines import Machines
from app.call.phases import Phase

WORDS_MS = 1_000
"""How long a call that must move waits for the words of the caller's last turn: with this worker
they would be lost."""


class Moving:
    """One per call."""

    def __init__(self, machines: Machines, wait_ms: int) -> None:
        """`wait_ms`: longest wait for a quiet moment."""
        self._m = machines
        self._wait_ms = wait_ms
        self._limit_ms: int | None = None

    @property
    def begun(self) -> bool:
        return self._limit_ms is not None

    def begin(self, now_ms: int) -> None:
        """Asked for again, it moves at once."""
        self._limit_ms = now_ms if self.begun else now_ms + self._wait_ms

    @property
    def due_ms(self) -> int | None:
        """From then on no moment is waited for."""
        if self._limit_ms is None or self._m.goodbye.begun:
            return None
        return self._limit_ms + (WORDS_MS if self._m.history.words_awaited else 0)

    def look(self, now_ms: int) -> list[Command]:
        """Leave the call to another worker, if this is the moment."""
        m, due_ms = self._m, self.due_ms
        if due_ms is None:
            return []
        if now_ms >= due_ms or (m.phase is Phase.OPENING and not m.playout.unplayed):
            return [EndCall(EndReason.DRAINED)]
        still = m.quiet and m.responses.still and not m.floor.caller_speaking
        return [EndCall(EndReason.DRAINED)] if still else []
