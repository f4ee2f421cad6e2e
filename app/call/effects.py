"""What a tool does to the call itself: it goes on elsewhere, another agent or language takes over,
keys are pressed for the caller.

Leaving is a goodbye: the stream ends after the agent's last word, and the carrier then asks what
comes next; the plan for that stands in the detail of `EndCall`. Where the agent said nothing in the
answer that called the tool, it is asked for one sentence first. A caller who speaks before the
stream has ended takes the leaving back: the tool's output tells the model so.
"""

from app.call.commands import Command, PlayKeys
from app.call.crew import GO_ON_IN, NOT_THERE, TAKE_OVER, Who
from app.call.endings import EndReason
from app.call.events import Effect, ResponseFinished, TonesMade, ToolFinished
from app.call.machines import CALLER_SPOKE, Machines
from app.call.phases import Phase
from app.call.tool_desk import output, refuse


class Effects:
    """One per call."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines
        self._spoke = False
        """The newest answer that called tools was heard to say something."""
        self._tones = 0

    def tools_called(self, event: ResponseFinished) -> None:
        self._spoke = self._m.playout.received_of(event.response_id) > 0

    def leaves(self, event: ToolFinished) -> bool:
        """The tool's output is kept back: the model is told of it only if the caller stays."""
        return event.ok and event.effect is not None and event.effect.kind == "leave"

    def leave(self, event: ToolFinished, now_ms: int) -> list[Command]:
        m = self._m
        assert event.effect is not None, "only what `leaves` says yes to comes here"
        if m.phase is Phase.GOODBYE:
            return [output(event.call_id, event.output)]
        if m.floor.caller_speaking:
            return [refuse(event.call_id, CALLER_SPOKE), *m.want_answer(now_ms)]
        m.history.returned(event.call_id, event.output)
        m.begin_goodbye(EndReason.HANDED_ON, now_ms, event.call_id, event.effect.value)
        if self._spoke or not event.effect.say:
            return []
        return m.responses.want(event.effect.say, now_ms)

    def carry_out(self, effect: Effect, now_ms: int) -> list[Command] | None:
        """After the tool's output was told. None: the model goes on as after any other tool."""
        match effect.kind:
            case "agent":
                return self._hand_over(effect.value, now_ms)
            case "language":
                return self._speak(effect.value, now_ms)
            case "keys":
                return [PlayKeys(effect.value), *self._m.want_answer(now_ms)]
            case _:
                return None

    def _hand_over(self, agent: str, now_ms: int) -> list[Command]:
        m = self._m
        if m.phase is Phase.GOODBYE:
            return []
        crew = m.handover.crew
        if crew.find(agent) is None:
            return m.responses.want(NOT_THERE, now_ms)
        return m.handover.change_who(Who(agent, crew.who.language), TAKE_OVER, now_ms)

    def _speak(self, language: str, now_ms: int) -> list[Command]:
        m = self._m
        if m.phase is Phase.GOODBYE:
            return []
        who = Who(m.handover.crew.who.agent, language)
        return m.handover.change_who(who, GO_ON_IN.format(language=language), now_ms)

    def tones_made(self, event: TonesMade, now_ms: int) -> list[Command]:
        """The tones come after what is being said; no model hears or remembers them."""
        m = self._m
        if not event.n_bytes:
            return []
        self._tones += 1
        item_id = m.own_id("tones", self._tones)
        m.handover.memory.said_by_nobody(item_id)
        commands = m.playout.receive(item_id, item_id, 0, event.n_bytes, now_ms)
        return commands + m.playout.finish(now_ms)
