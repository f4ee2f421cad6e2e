"""One phone call as a state machine: `handle(event, now_ms) -> commands`.

Its phases are in phases.py, its machines in machines.py, what they do together in the sides of
sides.py. Here stands which event is whose, and the call's own events.

Rules:
1. The agent greets once, as soon as caller audio flows (opening.py).
2. The caller's speech takes the floor: what plays is cut, the answer in progress is dead, and the
   model's memory is mended as soon as the fence says what was heard.
3. Only `Responses` asks for answers. After parallel tools there is one request.
4. Hanging up waits for the last mark, and for no longer than `goodbye_timeout_ms` after it is due.
5. `EndCall` is the last command, exactly once; afterwards every event is ignored.
6. A call outlives its model sessions: what a change of legs means is decided in handover.py.
7. The same events at the same times give the same commands: no clock, no chance, no I/O.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.call.answer_machine import AnswerMachine, AnswerState
from app.call.bill import Bill
from app.call.commands import (
    AddAgentText,
    AddUserText,
    CancelResponse,
    ClearInput,
    Command,
    CommitInput,
    CreateResponse,
    DeleteItem,
    EndCall,
    RewriteItem,
    SendToolOutput,
    TruncateItem,
)
from app.call.endings import CARRIER_ENDINGS, HANG_UP_ENDINGS, EndReason
from app.call.events import (
    Answered,
    AudioReceived,
    BeepHeard,
    CallerAudioBegan,
    CallerTranscribed,
    CallerTurnCommitted,
    CarrierClosed,
    DeadlineReached,
    Event,
    HangUpRequested,
    ItemAdded,
    ItemTruncated,
    KeyPressed,
    KeysUnsafe,
    MarkEchoed,
    ModelClosed,
    ModelFault,
    ModelReady,
    PhraseStored,
    PlayBegan,
    PlayCut,
    PlayEnded,
    Prompted,
    ResponseCreated,
    ResponseFinished,
    RolloverRequested,
    Snapshot,
    SpeechStarted,
    SpeechStopped,
    StreamStarted,
    SummaryWritten,
    TextReceived,
    TonesMade,
    ToolBegan,
    ToolFinished,
    TurnJudged,
    VoiceStarted,
    VoiceStopped,
)
from app.call.floor import Floor
from app.call.handover import Handover
from app.call.history import History
from app.call.keypad import Keypad
from app.call.machines import ends, machines
from app.call.notices import Notices
from app.call.phases import CallSettings, Phase
from app.call.playout import Playout
from app.call.responses import Responses
from app.call.sides import sides
from app.call.timeline import Timeline
from app.call.transcript import Transcript


class Call:
    """See the module's text. `now_ms` is the call clock: whole milliseconds, never backward."""

    def __init__(self, settings: CallSettings | None = None) -> None:
        self.settings = settings or CallSettings()
        self._m = machines(self.settings)
        self._sides = s = sides(self._m)
        self._sides_due_ms: int | None = None
        self._handlers: dict[type, Callable[[Any, int], list[Command]]] = {
            StreamStarted: self._stream_started,
            CallerAudioBegan: self._caller_audio_began,
            Answered: s.answer.answered,
            BeepHeard: s.answer.beep,
            CarrierClosed: self._carrier_closed,
            HangUpRequested: self._hang_up_requested,
            DeadlineReached: s.deadline_reached,
            ModelReady: self._model_ready,
            ModelFault: self._model_fault,
            ModelClosed: s.models.closed,
            SummaryWritten: s.models.summary_written,
            RolloverRequested: s.models.rollover_requested,
            VoiceStarted: self._voice_started,
            VoiceStopped: self._voice_stopped,
            TurnJudged: s.turns.judged,
            SpeechStarted: s.caller.speech_started,
            SpeechStopped: s.caller.speech_stopped,
            CallerTurnCommitted: s.turns.committed,
            CallerTranscribed: self._transcribed,
            MarkEchoed: s.caller.mark_echoed,
            KeyPressed: s.caller.key_pressed,
            KeysUnsafe: s.collecting.unsafe,
            ResponseCreated: s.agent.response_created,
            ItemAdded: s.agent.item_added,
            AudioReceived: s.agent.audio_received,
            TextReceived: s.agent.text_received,
            ResponseFinished: s.agent.response_finished,
            PlayBegan: s.served.began,
            PlayEnded: s.served.ended,
            PlayCut: s.served.cut,
            ItemTruncated: s.served.truncated,
            PhraseStored: self._phrase_stored,
            ToolBegan: s.agent.tool_began,
            ToolFinished: s.agent.tool_finished,
            TonesMade: s.agent.effects.tones_made,
            Prompted: self._prompted,
        }

    # What others may look at

    @property
    def phase(self) -> Phase:
        return self._m.phase

    @property
    def playout(self) -> Playout:
        return self._m.playout

    @property
    def responses(self) -> Responses:
        return self._m.responses

    @property
    def floor(self) -> Floor:
        return self._m.floor

    @property
    def keypad(self) -> Keypad:
        return self._m.keypad

    @property
    def history(self) -> History:
        return self._m.history

    @property
    def handover(self) -> Handover:
        return self._m.handover

    @property
    def bill(self) -> Bill:
        return self._m.bill

    @property
    def timeline(self) -> Timeline:
        return self._m.scribe.timeline

    @property
    def transcript(self) -> Transcript:
        return self._m.scribe.transcript

    @property
    def notices(self) -> Notices:
        return self._m.notices

    @property
    def answer(self) -> AnswerMachine:
        """Who answered, where we called."""
        return self._m.answer

    @property
    def proofs(self) -> tuple[str, ...]:
        """How the caller has proved who they are."""
        return self._m.proofs

    @property
    def call_id(self) -> str:
        """The carrier's id; "" before the stream has started."""
        return self._m.stream.call_id

    def snapshot(self, *, moved: bool = False) -> Snapshot:
        """What another worker needs to go on. `moved`: handed over on purpose."""
        m = self._m
        snapshot = m.handover.snapshot(m.stream.call_id, m.stream, moved=moved)
        broke_off = snapshot.broke_off and not m.notices.under_way
        left = m.goodbye.reason is EndReason.HANDED_ON
        return replace(
            snapshot,
            broke_off=broke_off,
            notices_heard=m.notices.heard,
            topics=m.handover.topics,
            proofs=m.proofs,
            left_by=m.goodbye.call_id if left else "",
            answer="" if m.answer.state is AnswerState.NOT_ASKED else m.answer.state.value,
        )

    # One step

    @property
    def due_ms(self) -> int | None:
        """When `DeadlineReached` must be handled, on the call clock; None: nothing is awaited."""
        if self._m.phase is Phase.ENDED:
            return None
        playout_ms, sides_ms = self._m.playout.due_ms, self._sides_due_ms
        if playout_ms is None or sides_ms is None:
            return sides_ms if playout_ms is None else playout_ms
        return min(playout_ms, sides_ms)

    def handle(self, event: Event, now_ms: int) -> list[Command]:
        """What to do about `event`; an empty list once the call has ended."""
        m = self._m
        if m.phase is Phase.ENDED:
            return []
        if type(event) is DeadlineReached and self._only_audio_is_due(now_ms):
            commands = m.playout.release(now_ms)
            m.scribe.did(commands, now_ms)
            return commands
        commands = self._act(event, now_ms)
        self._sides_due_ms = self._sides.due_ms
        return commands

    def _only_audio_is_due(self, now_ms: int) -> bool:
        due_ms = self._sides_due_ms
        return (due_ms is None or now_ms < due_ms) and self._sides.in_midstream

    def _act(self, event: Event, now_ms: int) -> list[Command]:
        m, s = self._m, self._sides
        m.scribe.saw(event, now_ms)
        s.silence.saw(event, now_ms)
        s.collecting.saw(event, now_ms)
        if s.offers.at_work:
            s.offers.saw(event)
        handler = self._handlers.get(type(event))
        commands = handler(event, now_ms) if handler is not None else []
        if m.answer.at_work and not ends(commands):
            commands += s.answer.look(event, now_ms)
        if not ends(commands):
            commands += s.look(now_ms)
        if m.handover.waiting and not ends(commands):
            commands += m.handover.look(now_ms, quiet=m.quiet)
        if s.moving.begun and not ends(commands):
            commands += s.moving.look(now_ms)
        if not m.handover.relay.leg:
            commands = _reachable(commands)
        reason = m.goodbye.over(m.playout, now_ms, busy=m.responses.busy)
        if reason is not None and not ends(commands):
            commands.append(EndCall(reason, m.goodbye.detail))
        m.scribe.did(commands, now_ms)
        if ends(commands):
            m.enter("end")
            m.handover.broke_off = m.playout.unplayed
            m.scribe.closed(m.playout.close(now_ms), m.responses.complete)
        return commands

    # The call's own events

    def _stream_started(self, event: StreamStarted, now_ms: int) -> list[Command]:
        m = self._m
        m.stream = event
        commands = m.handover.begin(event, now_ms)
        if event.keys_in_doubt:
            m.keypad.doubt(now_ms)
        if event.resumed is not None:
            m.proofs = event.resumed.proofs
            self._sides.opening.resumed(event.resumed.notices_heard)
            commands += self._sides.agent.resume_tools(now_ms)
        return commands + self._sides.answer.started(event, now_ms)

    def _model_ready(self, event: ModelReady, now_ms: int) -> list[Command]:
        return self._sides.models.ready(event, now_ms) + self._sides.opening.look(now_ms)

    def _model_fault(self, event: ModelFault, now_ms: int) -> list[Command]:
        return self._sides.turns.fault(event, now_ms) + self._sides.models.fault(event, now_ms)

    def _phrase_stored(self, event: PhraseStored, now_ms: int) -> list[Command]:
        commands = self._sides.answer.phrase_stored(event, now_ms)
        if commands is None:
            commands = self._sides.sound.phrase_stored(event, now_ms)
        return self._sides.agent.phrase_stored(event, now_ms) if commands is None else commands

    def _voice_started(self, event: VoiceStarted, now_ms: int) -> list[Command]:
        commands = self._sides.caller.voice_started(event, now_ms)
        return commands + self._sides.turns.voice_started(event, now_ms)

    def _voice_stopped(self, event: VoiceStopped, now_ms: int) -> list[Command]:
        commands = self._sides.caller.voice_stopped(event, now_ms)
        return commands + self._sides.turns.voice_stopped(event, now_ms)

    def _transcribed(self, event: CallerTranscribed, now_ms: int) -> list[Command]:
        commands = self._sides.caller.transcribed(event, now_ms)
        return commands + self._sides.turns.transcribed(event, now_ms)

    def _caller_audio_began(self, _event: CallerAudioBegan, now_ms: int) -> list[Command]:
        return self._sides.opening.caller_audio_began(now_ms)

    def _carrier_closed(self, event: CarrierClosed, _now_ms: int) -> list[Command]:
        return [EndCall(CARRIER_ENDINGS[event.cause], event.detail)]

    def _hang_up_requested(self, event: HangUpRequested, now_ms: int) -> list[Command]:
        if event.by == "drain":
            self._sides.moving.begin(now_ms)
        else:
            self._m.begin_goodbye(HANG_UP_ENDINGS[event.by], now_ms)
        return []

    def _prompted(self, event: Prompted, now_ms: int) -> list[Command]:
        m = self._m
        if m.phase is Phase.GOODBYE:
            return []
        m.scribe.timeline.note(now_ms, "prompt", event.why)
        return m.responses.want(event.say, now_ms)


def _reachable(commands: list[Command]) -> list[Command]:
    """While no session carries the call, what it should be told waits in the history."""
    return [c for c in commands if not isinstance(c, _FOR_THE_MODEL)]


_FOR_THE_MODEL = (
    AddAgentText,
    AddUserText,
    CancelResponse,
    ClearInput,
    CommitInput,
    CreateResponse,
    DeleteItem,
    RewriteItem,
    SendToolOutput,
    TruncateItem,
)
