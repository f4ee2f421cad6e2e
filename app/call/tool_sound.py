"""While a slow tool runs and nobody is heard, the caller hears that the agent is at work.

When, says waiting_sound.py. Here stands what counts as nobody being heard.
"""

from app.call.commands import Command
from app.call.floor import FloorState
from app.call.machines import Machines
from app.call.phases import Phase
from app.call.waiting_sound import SlowTool


class ToolSound:
    """One per call."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines
        self._slow = SlowTool(machines.settings.tool_sound_after_ms)

    @property
    def at_work(self) -> bool:
        """A tool runs, or ran a moment ago: `look` has something to see."""
        return self._m.tools.busy or self._slow.waiting

    @property
    def due_ms(self) -> int | None:
        return self._slow.due_ms

    def look(self, now_ms: int) -> list[Command]:
        """After each step."""
        m, running = self._m, self._m.tools.at_work
        match self._slow.look(now_ms, running=running, silent=running and self._silent):
            case "play":
                return m.playout.begin_sound(now_ms)
            case "stop":
                return m.playout.end_sound(now_ms)
            case "nothing":
                return []

    @property
    def _silent(self) -> bool:
        m = self._m
        floor = m.floor
        speaks = floor.caller_speaking or floor.voice or floor.state is not FloorState.FREE
        busy = m.playout.unplayed or m.keypad.busy or not m.responses.still
        return m.phase is Phase.TALKING and not speaks and not busy
