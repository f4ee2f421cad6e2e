"""One phone call as a state machine: `handle(event, now_ms) -> commands`.

Its phases are in phases.py.

Rules:
1. The agent greets once, when the model is ready and caller audio flows (before that the first
   words are lost on outbound calls).
2. The caller's speech takes the floor: what plays is cut, the answer in progress is dead, and the
   model's memory is mended as soon as the fence says what was heard.
3. Only `Responses` asks for answers. After parallel tools there is one request.
4. Hanging up waits for the last mark, and for no longer than `goodbye_timeout_ms` after it is due.
5. `EndCall` is the last command, exactly once; afterwards every event is ignored.
6. A call outlives its model sessions: what a change of legs means is decided in handover.py.
7. The same events at the same times give the same commands: no clock, no chance, no I/O.
"""

from collections.abc import Callable
from typing import Any

from app.call.commands import (
    AddUserText,
    CancelResponse,
    CloseLeg,
    Command,
    CreateResponse,
    DeleteItem,
    EndCall,
    PlayPhrase,
    RewriteItem,
    SendToolOutput,
    TruncateItem,
)
from app.call.endings import CARRIER_ENDINGS, HANG_UP_ENDINGS, MODEL_ENDINGS, EndReason
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CarrierClosed,
    CloseCause,
    DeadlineReached,
    Event,
    HangUpRequested,
    ItemAdded,
    KeyPressed,
    MarkEchoed,
    ModelClosed,
    ModelFault,
    ModelReady,
    PhraseStored,
    ResponseCreated,
    ResponseFinished,
    RolloverRequested,
    Snapshot,
    SpeechStarted,
    SpeechStopped,
    StreamStarted,
    SummaryWritten,
    TextReceived,
    ToolCall,
    ToolFinished,
)
from app.call.floor import Decision, Floor
from app.call.goodbye import Goodbye
from app.call.handover import Handover
from app.call.history import History
from app.call.keypad import Keypad
from app.call.memory import SilentItems, delete, mend
from app.call.phases import TRANSITIONS, CallSettings, Phase
from app.call.playout import Played, Playout, Settled
from app.call.responses import Responses
from app.call.scribe import Scribe
from app.call.timeline import Timeline
from app.call.tool_desk import HANG_UP_TOOL, ToolDesk, refuse
from app.call.transcript import Transcript

MOVE_WORDS_MS = 1_000
"""How long a call that must move waits for the words of the caller's last turn."""
CALLER_SPOKE = "the caller spoke before the goodbye was over; the call goes on"


class Call:
    """See the module's text. `now_ms` is the call clock: whole milliseconds, never backward."""

    def __init__(self, settings: CallSettings | None = None) -> None:
        self.settings = settings or CallSettings()
        self.phase = Phase.OPENING
        self.playout = Playout(self.settings.playout)
        self.responses = Responses(self.settings.responses)
        self.floor = Floor()
        self.history = History()
        self._scribe = Scribe(self.playout, self.history.log.append)
        self._caller_heard = False
        self._greeted = not self.settings.greeting
        self._silent_items = SilentItems()
        self._tools = ToolDesk()
        self._keypad = Keypad(self.settings.key_pause_ms)
        self._goodbye = Goodbye(self.settings.goodbye_timeout_ms)
        self._failures = 0
        self._requests = 0
        self._phrases = 0
        self._move_due_ms: int | None = None
        """The call moves to another worker: in a quiet moment, or then."""
        self._stream = StreamStarted("", "")
        self.handover = Handover(
            self.settings.relay,
            self.settings.prices,
            history=self.history,
            responses=self.responses,
            floor=self.floor,
            playout=self.playout,
            scribe=self._scribe,
        )

    @property
    def timeline(self) -> Timeline:
        return self._scribe.timeline

    @property
    def transcript(self) -> Transcript:
        return self._scribe.transcript

    @property
    def due_ms(self) -> int | None:
        """When `DeadlineReached` must be handled, on the call clock; None: nothing is awaited."""
        if self.phase is Phase.ENDED:
            return None
        due = (
            self.playout.due_ms,
            self.responses.due_ms,
            None if self.phase is Phase.OPENING else self._keypad.due_ms,
            self._goodbye.due_ms(self.playout),
            self.handover.due_ms,
            self._must_move_ms,
        )
        return min((at for at in due if at is not None), default=None)

    def handle(self, event: Event, now_ms: int) -> list[Command]:
        """What to do about `event`; an empty list once the call has ended."""
        if self.phase is Phase.ENDED:
            return []
        self._scribe.saw(event, now_ms)
        handler = _HANDLERS.get(type(event))
        commands = handler(self, event, now_ms) if handler is not None else []
        if self.handover.waiting and not _ends(commands):
            commands += self.handover.look(now_ms, quiet=self._quiet)
        if self._move_due_ms is not None and not _ends(commands):
            commands += self._move(now_ms)
        if not self.handover.relay.leg:
            commands = self._reachable(commands)
        reason = self._goodbye.over(self.playout, now_ms, busy=self.responses.busy)
        if reason is not None and not _ends(commands):
            commands.append(EndCall(reason))
        self._scribe.did(commands, now_ms)
        if _ends(commands):
            self._enter("end")
            self._scribe.closed(self.playout.close(now_ms), self.responses.complete)
        return commands

    @property
    def call_id(self) -> str:
        """The carrier's id; "" before the stream has started."""
        return self._stream.call_id

    def snapshot(self, *, moved: bool = False) -> Snapshot:
        """What another worker needs to go on. `moved`: handed over on purpose."""
        return self.handover.snapshot(self._stream.call_id, self._stream, moved=moved)

    def _own_id(self, kind: str, number: int) -> str:
        """An item's id of our making; another stream of this call makes others."""
        return f"{kind}-{number}-{self._stream.stream_id[-8:]}"

    @property
    def _must_move_ms(self) -> int | None:
        """From then on no moment is waited for. Words that were just said would be lost with this
        worker, so these are waited for a little."""
        if self._move_due_ms is None or self._goodbye.begun:
            return None
        return self._move_due_ms + (MOVE_WORDS_MS if self.history.words_awaited else 0)

    def _move(self, now_ms: int) -> list[Command]:
        """Leave the call to another worker, if this is the moment."""
        must_move_ms = self._must_move_ms
        if must_move_ms is None:
            return []
        if now_ms >= must_move_ms or self.phase is Phase.OPENING:
            return [EndCall(EndReason.DRAINED)]
        still = self._quiet and self.responses.still and not self.floor.caller_speaking
        return [EndCall(EndReason.DRAINED)] if still else []

    @property
    def _quiet(self) -> bool:
        """Nothing is played, pressed or run."""
        busy = self.playout.unplayed or self._keypad.busy or self._tools.busy
        return self.phase is Phase.TALKING and not busy

    def _reachable(self, commands: list[Command]) -> list[Command]:
        """While no session carries the call, what it should be told waits in the history."""
        return [c for c in commands if not isinstance(c, _FOR_THE_MODEL)]

    def _enter(self, happening: str) -> None:
        self.phase = TRANSITIONS[self.phase, happening]

    # Opening

    def _stream_started(self, event: StreamStarted, now_ms: int) -> list[Command]:
        self._stream = event
        commands = self.handover.begin(event, now_ms)
        if event.resumed is not None:
            self._greeted = True
            calls = [
                ToolCall(u.call_id, u.item_id, u.name, u.arguments) for u in self.history.open_tools
            ]
            commands += self._tools.resume(calls)
        return commands

    def _model_ready(self, event: ModelReady, now_ms: int) -> list[Command]:
        commands = self.handover.ready(event, now_ms)
        if self.phase is Phase.OPENING and self.handover.relay.leg:
            self._enter("ready")
        return commands + self._greet(now_ms)

    def _caller_audio_began(self, _event: CallerAudioBegan, now_ms: int) -> list[Command]:
        self._caller_heard = True
        return self._greet(now_ms)

    def _greet(self, now_ms: int) -> list[Command]:
        if self._greeted or not self._caller_heard or self.phase is not Phase.TALKING:
            return []
        self._greeted = True
        self.timeline.begin("greeting")
        return self.responses.want(self.settings.greeting, now_ms)

    # The floor

    def _speech_started(self, event: SpeechStarted, now_ms: int) -> list[Command]:
        if not self.handover.speech_started(event):
            return []
        self._scribe.speech_started(event, now_ms)
        agent_has_floor = self.playout.unplayed or self.responses.busy
        decision = self.floor.caller_started(agent_has_floor=agent_has_floor)
        self.responses.caller_started()
        commands = self._interrupt(now_ms) if decision is Decision.YIELD else []
        return commands + self._call_off_goodbye()

    def _speech_stopped(self, event: SpeechStopped, now_ms: int) -> list[Command]:
        self.handover.speech_stopped(event, now_ms)
        self.floor.caller_stopped()
        return self.responses.caller_stopped(now_ms)

    def _interrupt(self, now_ms: int) -> list[Command]:
        commands = self.responses.interrupt()
        if not self.playout.unplayed:
            self._scribe.interrupted(now_ms)
            return commands
        self._scribe.cut(self.playout.generation, now_ms)
        cut, settled = self.playout.cut(now_ms)
        if settled is not None:
            commands += self._settle(settled, now_ms)
        return cut + commands

    def _settle(self, settled: Settled, now_ms: int) -> list[Command]:
        self._scribe.settled(settled, self.responses.complete, now_ms)
        return self.handover.memory.mended(mend(settled, self.responses.complete))

    # What the agent says

    def _response_created(self, event: ResponseCreated, now_ms: int) -> list[Command]:
        return self.responses.created(event.response_id, event.request_id, now_ms)

    def _item_added(self, event: ItemAdded, now_ms: int) -> list[Command]:
        self.responses.progressed(now_ms)
        if event.kind == "message":
            self._silent_items.opened(event.item_id, event.response_id)
        return []

    def _audio_received(self, event: AudioReceived, now_ms: int) -> list[Command]:
        self.responses.progressed(now_ms)
        if not self.responses.alive(event.response_id) or not event.n_bytes:
            return []
        self._silent_items.sounded(event.item_id)
        self.handover.memory.sounded(event.item_id, event.n_bytes)
        return self.playout.receive(
            event.response_id, event.item_id, event.content_index, event.n_bytes, now_ms
        )

    def _text_received(self, event: TextReceived, now_ms: int) -> list[Command]:
        self.responses.progressed(now_ms)
        if self.responses.alive(event.response_id):
            self._scribe.said(event, now_ms)
        return []

    def _response_finished(self, event: ResponseFinished, now_ms: int) -> list[Command]:
        alive = self.responses.alive(event.response_id)
        commands: list[Command] = self._forget_silent_items(event.response_id, dead=not alive)
        if alive:
            commands += self.playout.finish(now_ms)
        if alive and event.status == "failed":
            commands += self._response_failed(event, now_ms)
        elif event.status == "completed":
            self._failures = 0
            commands += self._run_tools(event, now_ms)
        completed = event.status == "completed"
        if _ends(commands):
            return commands
        commands += self.responses.finished(event.response_id, now_ms, completed=completed)
        return commands + self.handover.answered(event, now_ms)

    def _forget_silent_items(self, response_id: str, *, dead: bool) -> list[Command]:
        """Items of a dead response that never came to sound would stay in the model's memory."""
        silent = self._silent_items.take(response_id)
        for item_id in silent:
            self.transcript.agent_silent(item_id, interrupted=dead)
        return [delete(item_id) for item_id in silent] if dead else []

    def _response_failed(self, event: ResponseFinished, now_ms: int) -> list[Command]:
        self._failures += 1
        self.timeline.note(now_ms, "fault", f"response failed: {event.error_code or event.reason}")
        if self._failures >= self.settings.max_failures:
            self._failures = 0
            return self._abandon_leg("failed", event.error_code or event.reason, now_ms)
        return self._want_answer(now_ms)

    def _want_answer(self, now_ms: int) -> list[Command]:
        return [] if self.phase is Phase.GOODBYE else self.responses.want("", now_ms)

    # Tools

    def _run_tools(self, event: ResponseFinished, now_ms: int) -> list[Command]:
        calls = event.tool_calls
        if not calls or any(call.name != HANG_UP_TOOL for call in calls):
            for call in calls:
                self.history.called(call)
            return self._told(self._tools.start(calls))
        if not self.responses.alive(event.response_id):
            return [refuse(call.call_id, CALLER_SPOKE) for call in calls]
        self._begin_goodbye(EndReason.AGENT_HUNG_UP, now_ms, calls[0].call_id)
        return [refuse(call.call_id, "the call is being ended already") for call in calls[1:]]

    def _tool_finished(self, event: ToolFinished, now_ms: int) -> list[Command]:
        commands, last = self._tools.finished(event)
        commands = self._told(commands)
        return commands + self._want_answer(now_ms) if last else commands

    def _told(self, commands: list[Command]) -> list[Command]:
        """Outputs of tools belong to the history, whoever reads them."""
        for command in commands:
            if isinstance(command, SendToolOutput):
                self.history.returned(command.call_id, command.output)
        return commands

    # The carrier

    def _mark_echoed(self, event: MarkEchoed, now_ms: int) -> list[Command]:
        verdict = self.playout.echoed(event.name, event.carrier_lo_ms, event.carrier_hi_ms)
        match verdict:
            case Played():
                self._scribe.played(verdict, now_ms)
            case Settled():
                return self._settle(verdict, now_ms)
            case None:
                pass
        return []

    def _key_pressed(self, event: KeyPressed, now_ms: int) -> list[Command]:
        self._keypad.press(event.digit, now_ms)
        return []

    def _tell_keys(self, now_ms: int) -> list[Command]:
        """Before the model is ready they are kept."""
        keys = "" if self.phase is Phase.OPENING else self._keypad.take(now_ms)
        if not keys:
            return []
        self._requests += 1
        text = f"The caller pressed these keys: {' '.join(keys)}"
        self.timeline.begin("keys")
        request_id = self._own_id("keys", self._requests)
        self.history.pressed(request_id, text)
        return [AddUserText(request_id, text), *self._want_answer(now_ms)]

    def _carrier_closed(self, event: CarrierClosed, _now_ms: int) -> list[Command]:
        return [EndCall(CARRIER_ENDINGS[event.cause], event.detail)]

    # Faults, deadlines, the end

    def _model_fault(self, event: ModelFault, now_ms: int) -> list[Command]:
        if event.kind == "active_response":
            self.responses.conflicted(event.request_id, now_ms)
        if event.kind == "fatal":
            return self._abandon_leg("failed", event.code, now_ms)
        return []

    def _model_closed(self, event: ModelClosed, now_ms: int) -> list[Command]:
        return self.handover.closed(event, now_ms) + self._given_up()

    def _abandon_leg(self, cause: CloseCause, detail: str, now_ms: int) -> list[Command]:
        """The session lives, but it is of no use any more."""
        leg = self.handover.relay.leg
        if not leg:
            return []
        closed = ModelClosed(cause, detail, leg)
        self.timeline.leg_closed(leg, cause, now_ms)
        return [CloseLeg(leg), *self._model_closed(closed, now_ms)]

    def _given_up(self) -> list[Command]:
        """Without a model there is nothing to talk with; a goodbye is said to its end."""
        given_up = self.handover.relay.given_up
        if given_up is None or self.phase is Phase.GOODBYE:
            return []
        return [EndCall(MODEL_ENDINGS[given_up.cause], given_up.detail)]

    def _summary_written(self, event: SummaryWritten, now_ms: int) -> list[Command]:
        return self.handover.summary_written(event, now_ms)

    def _rollover_requested(self, event: RolloverRequested, now_ms: int) -> list[Command]:
        return self.handover.wish(event.cause, now_ms)

    def _phrase_stored(self, event: PhraseStored, now_ms: int) -> list[Command]:
        """It is said only while it still has a purpose: no model is there and nothing plays."""
        if not event.n_bytes or self.handover.relay.leg or self.playout.unplayed:
            return []
        self._phrases += 1
        phrase_id = self._own_id("phrase", self._phrases)
        self.transcript.agent_says(phrase_id, event.text, now_ms)
        commands = self.playout.receive(phrase_id, phrase_id, 0, event.n_bytes, now_ms)
        self.handover.memory.said_by_nobody(phrase_id)
        return commands + self.playout.finish(now_ms)

    def _hang_up_requested(self, event: HangUpRequested, now_ms: int) -> list[Command]:
        if event.by == "drain":
            again = self._move_due_ms is not None
            self._move_due_ms = now_ms if again else now_ms + self.settings.move_wait_ms
            return []
        self._begin_goodbye(HANG_UP_ENDINGS[event.by], now_ms)
        return []

    def _begin_goodbye(self, reason: EndReason, now_ms: int, call_id: str = "") -> None:
        self._enter("goodbye")
        self.responses.want_nothing()
        self._goodbye.begin(reason, now_ms, call_id)

    def _call_off_goodbye(self) -> list[Command]:
        if not self._goodbye.call_off():
            return []
        self._enter("called_off")
        call_id = self._goodbye.call_id
        return [refuse(call_id, CALLER_SPOKE)] if call_id else []

    def _deadline_reached(self, _event: DeadlineReached, now_ms: int) -> list[Command]:
        commands = self.playout.release(now_ms)
        for settled in self.playout.expire(now_ms):
            commands += self._settle(settled, now_ms)
        commands += self._tell_keys(now_ms)
        commands += self._expire_responses(now_ms)
        if self.responses.given_up:
            self.responses.stalls = self.responses.settings.max_stalls - 1
            commands += self._abandon_leg("stalled", "the model did not go on", now_ms)
        if _ends(commands):
            return commands
        commands += self.handover.expire(now_ms)
        if self.handover.relay.filler_due(now_ms) and not self.playout.unplayed:
            commands.append(PlayPhrase(self.settings.relay.filler))
        return commands + self._given_up()

    def _expire_responses(self, now_ms: int) -> list[Command]:
        stalls = self.responses.stalls
        commands = self.responses.expire(now_ms)
        if self.responses.stalls == stalls:
            return commands
        self.timeline.note(now_ms, "stall", "the model did not go on in time")
        return self.playout.finish(now_ms) + commands


def _ends(commands: list[Command]) -> bool:
    return bool(commands) and isinstance(commands[-1], EndCall)


_FOR_THE_MODEL = (
    AddUserText,
    CancelResponse,
    CreateResponse,
    DeleteItem,
    RewriteItem,
    SendToolOutput,
    TruncateItem,
)

_HANDLERS: dict[type, Callable[[Call, Any, int], list[Command]]] = {
    StreamStarted: Call._stream_started,
    ModelReady: Call._model_ready,
    CallerAudioBegan: Call._caller_audio_began,
    SpeechStarted: Call._speech_started,
    SpeechStopped: Call._speech_stopped,
    ResponseCreated: Call._response_created,
    ItemAdded: Call._item_added,
    AudioReceived: Call._audio_received,
    TextReceived: Call._text_received,
    ResponseFinished: Call._response_finished,
    ToolFinished: Call._tool_finished,
    MarkEchoed: Call._mark_echoed,
    KeyPressed: Call._key_pressed,
    CarrierClosed: Call._carrier_closed,
    ModelFault: Call._model_fault,
    ModelClosed: Call._model_closed,
    SummaryWritten: Call._summary_written,
    PhraseStored: Call._phrase_stored,
    RolloverRequested: Call._rollover_requested,
    HangUpRequested: Call._hang_up_requested,
    DeadlineReached: Call._deadline_reached,
}
