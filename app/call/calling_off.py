"""A caller who takes the floor calls off the tools that are not worth going on with.

Which those are, says `CallSettings.cancellable_tools`. A cough takes the floor of an agent that
says nothing, so the voice must last, or end in a turn that is answered.
"""

from app.call.commands import Command
from app.call.floor import FloorState
from app.call.machines import Machines


class CallingOff:
    """One per call. Times are call-clock milliseconds."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines
        self._since_ms: int | None = None
        """Since when the caller is heard, while a tool runs."""

    @property
    def due_ms(self) -> int | None:
        if self._since_ms is None:
            return None
        return self._since_ms + self._m.settings.floor.brief_ms

    def look(self, now_ms: int) -> list[Command]:
        """After each step."""
        m = self._m
        if not m.tools.cancellable:
            self._since_ms = None
            return []
        floor, since_ms = m.floor, self._since_ms
        if not (floor.caller_speaking or floor.state is not FloorState.FREE):
            self._since_ms = None
            return self._call_off(now_ms) if since_ms is not None and m.responses.owed else []
        if since_ms is None:
            self._since_ms = since_ms = now_ms
        taken = floor.caller_speaking or floor.state is FloorState.TAKEN
        due = now_ms >= since_ms + m.settings.floor.brief_ms
        return self._call_off(now_ms) if taken and due else []

    def _call_off(self, now_ms: int) -> list[Command]:
        """Whoever answers the caller now answers to this too."""
        m, self._since_ms = self._m, None
        for call_id in m.tools.cancellable:
            m.scribe.tool_ended(call_id, now_ms, ok=False)
        commands, last = m.tools.call_off()
        return commands + ([] if m.responses.owed or not last else m.want_answer(now_ms))
