"""A caller who says nothing is asked and given up; a call that lasts too long is ended.

When, says patience.py. Here stands what counts as quiet, what the caller does about it, and how the
call ends. A caller who asks for a moment ("hold on") is left alone.
"""

from app.call.commands import Command
from app.call.endings import SILENCE_ENDINGS
from app.call.events import (
    CallerTranscribed,
    Event,
    KeyPressed,
    SpeechStarted,
    StreamStarted,
    VoiceStarted,
)
from app.call.floor import FloorState
from app.call.holding import wants_to_hold
from app.call.machines import Machines
from app.call.patience import Lapse, Patience
from app.call.phases import Phase


class Silence:
    """One per call."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines
        self._patience = Patience(machines.settings.patience)

    @property
    def due_ms(self) -> int | None:
        return None if self._m.phase is Phase.GOODBYE else self._patience.due_ms

    def saw(self, event: Event, now_ms: int) -> None:
        """Before the heart acts on it."""
        match event:
            case StreamStarted():
                self._patience.begin(now_ms)
            case KeyPressed():
                self._patience.caller_back(now_ms)
            case SpeechStarted():
                self._patience.caller_spoke(now_ms)
            case VoiceStarted() if self._m.turn_end is not None:
                self._patience.caller_spoke(now_ms)
            case CallerTranscribed():
                if wants_to_hold(event.text, self._m.settings.language):
                    self._patience.caller_holds(now_ms)
                elif event.text.strip():
                    self._patience.caller_back(now_ms)
            case _:
                pass

    def look(self, now_ms: int) -> None:
        """After each step."""
        m = self._m
        speaks = m.floor.caller_speaking or m.floor.state is not FloorState.FREE
        quiet = m.quiet and m.responses.still and not speaks and bool(m.handover.relay.leg)
        self._patience.idle(now_ms, quiet=quiet and not m.answer.with_machine)

    def expire(self, now_ms: int) -> list[Command]:
        m = self._m
        if m.phase in (Phase.GOODBYE, Phase.ENDED):
            return []
        lapse = self._patience.expire(now_ms)
        if lapse.kind == "nothing":
            return []
        m.scribe.timeline.note(now_ms, "silence", _told(lapse))
        m.scribe.timeline.begin("silence")
        if lapse.kind in SILENCE_ENDINGS:
            m.begin_goodbye(SILENCE_ENDINGS[lapse.kind], now_ms)
        return m.responses.want(lapse.instructions, now_ms)


def _told(lapse: Lapse) -> str:
    match lapse.kind:
        case "prompt":
            return f"the caller was asked whether they are still there, time {lapse.stage}"
        case "give_up":
            return "the caller did not answer"
        case "warn":
            return "the caller was told that the call must end soon"
        case _:
            return "the call lasted too long"
