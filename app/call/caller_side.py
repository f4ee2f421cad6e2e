"""What the caller says, hears and presses."""

from app.call.commands import AddUserText, Command
from app.call.events import KeyPressed, MarkEchoed, SpeechStarted, SpeechStopped
from app.call.floor import Decision
from app.call.machines import Machines
from app.call.phases import Phase
from app.call.playout import Played, Settled


class CallerSide:
    """One per call."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines
        self._entries = 0

    def speech_started(self, event: SpeechStarted, now_ms: int) -> list[Command]:
        m = self._m
        if not m.handover.speech_started(event):
            return []
        m.scribe.speech_started(event, now_ms)
        agent_has_floor = m.playout.unplayed or m.responses.busy
        decision = m.floor.caller_started(agent_has_floor=agent_has_floor)
        m.responses.caller_started()
        commands = self._interrupt(now_ms) if decision is Decision.YIELD else []
        return commands + m.call_off_goodbye()

    def speech_stopped(self, event: SpeechStopped, now_ms: int) -> list[Command]:
        m = self._m
        m.handover.speech_stopped(event, now_ms)
        m.floor.caller_stopped()
        return m.responses.caller_stopped(now_ms)

    def _interrupt(self, now_ms: int) -> list[Command]:
        m = self._m
        commands = m.responses.interrupt()
        if not m.playout.unplayed:
            m.scribe.interrupted(now_ms)
            return commands
        m.scribe.cut(m.playout.generation, now_ms)
        cut, settled = m.playout.cut(now_ms)
        if settled is not None:
            commands += m.settle(settled, now_ms)
        return cut + commands

    def mark_echoed(self, event: MarkEchoed, now_ms: int) -> list[Command]:
        m = self._m
        verdict = m.playout.echoed(event.name, event.carrier_lo_ms, event.carrier_hi_ms)
        match verdict:
            case Played():
                m.scribe.played(verdict, now_ms)
            case Settled():
                return m.settle(verdict, now_ms)
            case None:
                pass
        return []

    def key_pressed(self, event: KeyPressed, now_ms: int) -> list[Command]:
        self._m.keypad.press(event.digit, now_ms)
        return []

    def tell_keys(self, now_ms: int) -> list[Command]:
        """Before the model is ready they are kept."""
        m = self._m
        keys = "" if m.phase is Phase.OPENING else m.keypad.take(now_ms)
        if not keys:
            return []
        self._entries += 1
        text = f"The caller pressed these keys: {' '.join(keys)}"
        m.scribe.timeline.begin("keys")
        request_id = m.own_id("keys", self._entries)
        m.history.pressed(request_id, text)
        return [AddUserText(request_id, text), *m.want_answer(now_ms)]
