"""What the agent says and does: answers, phrases of ours, tools."""

from app.call.collecting import Collecting
from app.call.commands import Command, OfferTools, SendToolOutput
from app.call.effects import Effects
from app.call.endings import EndReason
from app.call.events import (
    AudioReceived,
    ItemAdded,
    PhraseStored,
    ResponseCreated,
    ResponseFinished,
    TextReceived,
    ToolBegan,
    ToolCall,
    ToolFinished,
)
from app.call.machines import CALLER_SPOKE, Machines, ends
from app.call.memory import delete
from app.call.model_side import ModelSide
from app.call.opening import Opening
from app.call.phrases import say_phrase
from app.call.tool_desk import HANG_UP_TOOL, refuse


class AgentSide:
    """One per call."""

    def __init__(
        self, machines: Machines, models: ModelSide, opening: Opening, collecting: Collecting
    ) -> None:
        self._m = machines
        self._opening = opening
        self._collecting = collecting
        self._models = models
        self._failures = 0
        self._phrases = 0
        self.effects = Effects(machines)

    def response_created(self, event: ResponseCreated, now_ms: int) -> list[Command]:
        self._opening.notices.created(event)
        return self._m.responses.created(event.response_id, event.request_id, now_ms)

    def item_added(self, event: ItemAdded, now_ms: int) -> list[Command]:
        self._m.responses.progressed(now_ms)
        if event.kind == "message":
            self._m.silent_items.opened(event.item_id, event.response_id)
        return []

    def audio_received(self, event: AudioReceived, now_ms: int) -> list[Command]:
        m = self._m
        m.responses.progressed(now_ms)
        if not m.responses.alive(event.response_id) or not event.n_bytes:
            return []
        m.silent_items.sounded(event.item_id)
        m.handover.memory.sounded(event.item_id, event.n_bytes)
        m.scribe.wording.sounded(event.response_id, event.item_id, event.n_bytes)
        return m.playout.receive(
            event.response_id, event.item_id, event.content_index, event.n_bytes, now_ms
        )

    def text_received(self, event: TextReceived, now_ms: int) -> list[Command]:
        self._m.responses.progressed(now_ms)
        m = self._m
        if not m.responses.alive(event.response_id):
            return []
        m.scribe.said(event, now_ms)
        if m.served is not None:
            m.silent_items.sounded(event.item_id)
            m.served.says(event.response_id, event.item_id, event.text, now_ms)
        return []

    def response_finished(self, event: ResponseFinished, now_ms: int) -> list[Command]:
        m = self._m
        alive = m.responses.alive(event.response_id)
        commands: list[Command] = self._forget_silent_items(event.response_id, dead=not alive)
        if alive:
            commands += m.playout.finish(now_ms)
            if event.status == "completed":
                m.scribe.wording.finished(event.response_id)
            else:
                m.scribe.broke_off(event.response_id)
        notice = self._opening.notices.says(event.response_id)
        if notice:
            commands += self._opening.notices.finished(event, now_ms)
        if alive and event.status == "failed":
            commands += self._response_failed(event, now_ms, owed=not notice)
        elif event.status == "completed":
            self._failures = 0
            if alive and m.ahead.running and event.tool_calls:
                m.ahead.finished.append(event)
            else:
                commands += self._run_tools(event, now_ms)
        completed = event.status == "completed"
        if ends(commands):
            return commands
        commands += m.responses.finished(event.response_id, now_ms, completed=completed)
        return commands + m.handover.answered(event, now_ms)

    def _forget_silent_items(self, response_id: str, *, dead: bool) -> list[Command]:
        """Items of a dead response that never came to sound would stay in the model's memory."""
        silent = self._m.silent_items.take(response_id)
        for item_id in silent:
            self._m.scribe.transcript.agent_silent(item_id, interrupted=dead)
        mend = dead and not self._m.playout.served
        return [delete(item_id) for item_id in silent] if mend else []

    def _response_failed(
        self, event: ResponseFinished, now_ms: int, *, owed: bool
    ) -> list[Command]:
        """`owed`: it is asked for again here."""
        m = self._m
        detail = event.error_code or event.reason
        self._failures += 1
        m.scribe.timeline.note(now_ms, "fault", f"response failed: {detail}")
        if self._failures >= m.settings.max_failures:
            self._failures = 0
            return self._models.abandon("failed", detail, now_ms)
        return m.want_answer(now_ms) if owed else []

    def phrase_stored(self, event: PhraseStored, now_ms: int) -> list[Command]:
        """A filler is said only while it still has a purpose: no model is there, nothing plays."""
        m = self._m
        first_words = self._opening.phrase_stored(event, now_ms)
        if first_words is not None:
            return first_words
        if not event.n_bytes or m.handover.relay.leg or m.playout.unplayed:
            return []
        if m.answer.with_machine:
            return []
        self._phrases += 1
        return say_phrase(m, m.own_id("phrase", self._phrases), event, now_ms)

    # Tools

    def look(self, now_ms: int) -> list[Command]:
        """After each step: tools of an answer that came ahead may run now."""
        ahead, commands = self._m.ahead, list[Command]()
        while ahead.finished and not ahead.running:
            commands += self._run_tools(ahead.finished.pop(0), now_ms)
        return commands

    def _run_tools(self, event: ResponseFinished, now_ms: int) -> list[Command]:
        m, calls = self._m, event.tool_calls
        if not calls or any(call.name != HANG_UP_TOOL for call in calls):
            for call in calls:
                m.history.called(call)
            self.effects.tools_called(event)
            return self.told(m.tools.start(calls)) + self._collecting.begin(calls, now_ms)
        if not m.responses.alive(event.response_id):
            return [refuse(call.call_id, CALLER_SPOKE) for call in calls]
        m.begin_goodbye(EndReason.AGENT_HUNG_UP, now_ms, calls[0].call_id)
        return [refuse(call.call_id, "the call is being ended already") for call in calls[1:]]

    def resume_tools(self, now_ms: int) -> list[Command]:
        """Go on with what another worker began."""
        m = self._m
        calls = [ToolCall(u.call_id, u.item_id, u.name, u.arguments) for u in m.history.open_tools]
        return self.told(m.tools.resume(calls)) + self._collecting.begin_anew(calls, now_ms)

    def tool_began(self, event: ToolBegan, now_ms: int) -> list[Command]:
        self._m.tools.began(event, self._m.handover.speaker)
        return []

    def tool_finished(self, event: ToolFinished, now_ms: int) -> list[Command]:
        commands, last = self._m.tools.finished(event)
        if commands and event.ok and event.proof:
            self._m.proved(event.proof)
        if commands and self.effects.leaves(event):
            return self.effects.leave(event, now_ms)
        told = bool(commands)
        commands = self._offered(event) + self.told(commands) if told else []
        if told and event.ok and event.effect is not None:
            done = self.effects.carry_out(event.effect, now_ms)
            if done is not None:
                return commands + done
        return commands + self._m.want_answer(now_ms) if last else commands

    def _offered(self, event: ToolFinished) -> list[Command]:
        """More tools, before the model reads that it has them."""
        effect, handover = event.effect, self._m.handover
        if effect is None or effect.kind != "topics":
            return []
        handover.topics = tuple(dict.fromkeys((*handover.topics, *effect.value.split())))
        return [OfferTools(handover.topics)]

    def told(self, commands: list[Command]) -> list[Command]:
        """Outputs of tools belong to the history, whoever reads them."""
        for command in commands:
            if isinstance(command, SendToolOutput):
                self._m.history.returned(command.call_id, command.output)
        return commands
