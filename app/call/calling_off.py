"""A caller who takes the floor calls off the tools that are not worth going on with.

Which those are, says `ToolBegan`. Where the agent says nothing any voice takes
the floor, a cough too; so it must last, or end in a turn that is answered.
"""

from app.call.commands import Command
from app.call.floor import FloorState
from app.call.machines import Machines

MODELS_SILENCE_MS = 500
"""The model hears a voice for about so long after its end."""


class CallingOff:
    """One per call. Times are call-clock milliseconds."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines
        settings = machines.settings.floor
        self._by_voice = settings.by == "voice"
        self._lasts_ms = settings.brief_ms + (0 if self._by_voice else MODELS_SILENCE_MS)
        self.due_ms: int | None = None
        """When the voice that is heard will have lasted."""
        self._voice = self._lasted = False
        self._open = False
        """It was heard, and it is not over yet what it was."""
        self._owes = False
        """The model must go on after what was called off."""

    @property
    def at_work(self) -> bool:
        """`look` has something to see."""
        return bool(self._m.tools.cancellable) or self._owes

    def look(self, now_ms: int) -> list[Command]:
        """After each step."""
        m, floor = self._m, self._m.floor
        taken = floor.caller_speaking or floor.state is FloorState.TAKEN
        over = not taken and floor.state is FloorState.FREE
        if not m.tools.cancellable:
            self.due_ms, self._voice, self._lasted, self._open = None, False, False, False
            return self._answered(now_ms) if over and self._owes else []
        self._hear(floor.voice if self._by_voice else floor.caller_speaking, now_ms)
        over = over and self._open and not self._voice
        self._open = self._open and not over
        if (taken and self._lasted) or (over and m.responses.owed):
            return self._call_off()
        return []

    def _hear(self, voice: bool, now_ms: int) -> None:
        if voice and not self._voice:
            self.due_ms, self._open = now_ms + self._lasts_ms, True
        if self.due_ms is not None and now_ms >= self.due_ms:
            self.due_ms, self._lasted = None, True
        if not voice:
            self.due_ms, self._lasted = None, False
        self._voice = voice

    def _call_off(self) -> list[Command]:
        m = self._m
        commands, last = m.tools.call_off()
        self._owes = self._owes or last
        return commands

    def _answered(self, now_ms: int) -> list[Command]:
        """The answer to the caller answers to this too; if none comes of what they said, one is
        asked for."""
        self._owes = False
        return [] if self._m.responses.owed else self._m.want_answer(now_ms)
