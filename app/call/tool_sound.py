"""While a slow tool runs and nobody is heard, the caller hears that the agent is at work: a line
of words (wait_words.py), then a sound.

When, says waiting_sound.py. Here stands what counts as nobody being heard.
"""

from app.call.commands import Command
from app.call.earliest import earliest
from app.call.events import PhraseStored
from app.call.floor import FloorState
from app.call.machines import Machines
from app.call.phases import Phase
from app.call.wait_words import WaitWords
from app.call.waiting_sound import SlowTool


class ToolSound:
    """One per call."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines
        self._slow = SlowTool(machines.settings.tool_sound_after_ms)
        self._words = WaitWords(machines)

    def phrase_stored(self, event: PhraseStored, now_ms: int) -> list[Command] | None:
        """None: it is no line for a slow tool."""
        return self._words.phrase_stored(event, now_ms, silent=self._silent)

    @property
    def at_work(self) -> bool:
        """A tool runs, or ran a moment ago: `look` has something to see."""
        return self._m.tools.busy or self._slow.waiting

    @property
    def due_ms(self) -> int | None:
        return earliest((self._slow.due_ms, self._words.due_ms))

    def look(self, now_ms: int) -> list[Command]:
        """After each step."""
        m, running = self._m, self._m.tools.at_work
        silent = running and self._silent
        commands = self._words.look(now_ms, silent=silent)
        match self._slow.look(now_ms, running=running, silent=silent):
            case "play":
                return commands + m.playout.begin_sound(now_ms)
            case "stop":
                return commands + m.playout.end_sound(now_ms)
            case "nothing":
                return commands

    @property
    def _silent(self) -> bool:
        m = self._m
        floor = m.floor
        speaks = floor.caller_speaking or floor.voice or floor.state is not FloorState.FREE
        busy = m.playout.unplayed or m.keypad.busy or not m.responses.still
        silent = not speaks and not busy and not m.answer.with_machine
        return m.phase is Phase.TALKING and silent
