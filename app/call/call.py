"""One phone call as a state machine: `handle(event, now_ms) -> commands`.

Its phases are in phases.py, its machines in machines.py, what they do together in agent_side.py,
caller_side.py, model_side.py and collecting.py.

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

from app.call.agent_side import AgentSide
from app.call.bill import Bill
from app.call.caller_side import CallerSide
from app.call.calling_off import CallingOff
from app.call.collecting import Collecting
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
from app.call.earliest import earliest
from app.call.endings import CARRIER_ENDINGS, HANG_UP_ENDINGS, EndReason
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CallerTranscribed,
    CallerTurnCommitted,
    CarrierClosed,
    DeadlineReached,
    Event,
    HangUpRequested,
    ItemAdded,
    KeyPressed,
    KeysUnsafe,
    MarkEchoed,
    ModelClosed,
    ModelFault,
    ModelReady,
    PhraseStored,
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
from app.call.model_side import ModelSide
from app.call.moving import Moving
from app.call.notices import Notices
from app.call.offers import Offers
from app.call.opening import Opening
from app.call.own_turns import OwnTurns
from app.call.phases import CallSettings, Phase
from app.call.playout import Playout
from app.call.responses import Responses
from app.call.silence import Silence
from app.call.spending import Spending
from app.call.timeline import Timeline
from app.call.tool_sound import ToolSound
from app.call.transcript import Transcript


class Call:
    """See the module's text. `now_ms` is the call clock: whole milliseconds, never backward."""

    def __init__(self, settings: CallSettings | None = None) -> None:
        self.settings = settings or CallSettings()
        self._m = m = machines(self.settings)
        self._moving = Moving(m, self.settings.move_wait_ms)
        self._models = models = ModelSide(m)
        self._opening = opening = Opening(m)
        self._collecting = collecting = Collecting(m)
        self._agent = agent = AgentSide(m, models, opening, collecting)
        self._caller = caller = CallerSide(m)
        self._turns = turns = OwnTurns(m, caller)
        self._silence = Silence(m)
        self._sound = ToolSound(m)
        self._offers = Offers(m)
        self._spending = Spending(m)
        self._calling_off = CallingOff(m)
        self._handlers: dict[type, Callable[[Any, int], list[Command]]] = {
            StreamStarted: self._stream_started,
            CallerAudioBegan: self._caller_audio_began,
            CarrierClosed: self._carrier_closed,
            HangUpRequested: self._hang_up_requested,
            DeadlineReached: self._deadline_reached,
            ModelReady: self._model_ready,
            ModelFault: self._model_fault,
            ModelClosed: models.closed,
            SummaryWritten: models.summary_written,
            RolloverRequested: models.rollover_requested,
            VoiceStarted: self._voice_started,
            VoiceStopped: self._voice_stopped,
            TurnJudged: turns.judged,
            SpeechStarted: caller.speech_started,
            SpeechStopped: caller.speech_stopped,
            CallerTurnCommitted: turns.committed,
            CallerTranscribed: self._transcribed,
            MarkEchoed: caller.mark_echoed,
            KeyPressed: caller.key_pressed,
            KeysUnsafe: collecting.unsafe,
            ResponseCreated: agent.response_created,
            ItemAdded: agent.item_added,
            AudioReceived: agent.audio_received,
            TextReceived: agent.text_received,
            ResponseFinished: agent.response_finished,
            PhraseStored: self._phrase_stored,
            ToolBegan: agent.tool_began,
            ToolFinished: agent.tool_finished,
            TonesMade: agent.effects.tones_made,
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
        )

    # One step

    @property
    def due_ms(self) -> int | None:
        """When `DeadlineReached` must be handled, on the call clock; None: nothing is awaited."""
        m = self._m
        if m.phase is Phase.ENDED:
            return None
        # Asked after every event of every call: whoever is seldom at work is only asked then.
        due = [m.playout.due_ms, m.responses.due_ms, self._silence.due_ms, m.handover.due_ms]
        if self._caller.waits:
            due.append(self._caller.due_ms)
        if m.turn_end is not None:
            due.append(m.turn_end.due_ms)
        if self._opening.notices_pending:
            due.append(self._opening.due_ms)
        if self._sound.at_work:
            due += (self._collecting.due_ms, self._sound.due_ms, self._calling_off.due_ms)
        if m.keypad.busy and m.phase is not Phase.OPENING:
            due.append(m.keypad.due_ms)
        if m.goodbye.begun:
            due.append(m.goodbye.due_ms(m.playout))
        if self._moving.begun:
            due.append(self._moving.due_ms)
        return earliest(due)

    def handle(self, event: Event, now_ms: int) -> list[Command]:
        """What to do about `event`; an empty list once the call has ended."""
        m = self._m
        if m.phase is Phase.ENDED:
            return []
        m.scribe.saw(event, now_ms)
        self._silence.saw(event, now_ms)
        self._collecting.saw(event, now_ms)
        if self._offers.at_work:
            self._offers.saw(event)
        handler = self._handlers.get(type(event))
        commands = handler(event, now_ms) if handler is not None else []
        if not ends(commands):
            commands += self._look(now_ms)
        if m.handover.waiting and not ends(commands):
            commands += m.handover.look(now_ms, quiet=m.quiet)
        if self._moving.begun and not ends(commands):
            commands += self._moving.look(now_ms)
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

    def _look(self, now_ms: int) -> list[Command]:
        """What each machine makes of what has just happened; whoever is seldom at work is only
        asked then."""
        commands: list[Command] = []
        if self._opening.notices_pending:
            commands += self._opening.look(now_ms)
        commands += self._caller.look(now_ms)
        commands += self._turns.look(now_ms)
        commands += self._agent.look(now_ms)
        commands += self._collecting.look(now_ms)
        self._silence.look(now_ms)
        if self._calling_off.at_work:
            commands += self._agent.told(self._calling_off.look(now_ms))
        if self._sound.at_work:
            commands += self._sound.look(now_ms)
        if self._offers.at_work:
            commands += self._offers.look(now_ms)
        if self._spending.at_work:
            commands += self._spending.look(now_ms)
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
            self._opening.resumed(event.resumed.notices_heard)
            commands += self._agent.resume_tools(now_ms)
        return commands

    def _model_ready(self, event: ModelReady, now_ms: int) -> list[Command]:
        return self._models.ready(event, now_ms) + self._opening.look(now_ms)

    def _model_fault(self, event: ModelFault, now_ms: int) -> list[Command]:
        return self._turns.fault(event, now_ms) + self._models.fault(event, now_ms)

    def _phrase_stored(self, event: PhraseStored, now_ms: int) -> list[Command]:
        commands = self._sound.phrase_stored(event, now_ms)
        return self._agent.phrase_stored(event, now_ms) if commands is None else commands

    def _voice_started(self, event: VoiceStarted, now_ms: int) -> list[Command]:
        commands = self._caller.voice_started(event, now_ms)
        return commands + self._turns.voice_started(event, now_ms)

    def _voice_stopped(self, event: VoiceStopped, now_ms: int) -> list[Command]:
        commands = self._caller.voice_stopped(event, now_ms)
        return commands + self._turns.voice_stopped(event, now_ms)

    def _transcribed(self, event: CallerTranscribed, now_ms: int) -> list[Command]:
        commands = self._caller.transcribed(event, now_ms)
        return commands + self._turns.transcribed(event, now_ms)

    def _caller_audio_began(self, _event: CallerAudioBegan, now_ms: int) -> list[Command]:
        return self._opening.caller_audio_began(now_ms)

    def _carrier_closed(self, event: CarrierClosed, _now_ms: int) -> list[Command]:
        return [EndCall(CARRIER_ENDINGS[event.cause], event.detail)]

    def _hang_up_requested(self, event: HangUpRequested, now_ms: int) -> list[Command]:
        if event.by == "drain":
            self._moving.begin(now_ms)
        else:
            self._m.begin_goodbye(HANG_UP_ENDINGS[event.by], now_ms)
        return []

    def _prompted(self, event: Prompted, now_ms: int) -> list[Command]:
        m = self._m
        if m.phase is Phase.GOODBYE:
            return []
        m.scribe.timeline.note(now_ms, "prompt", event.why)
        return m.responses.want(event.say, now_ms)

    def _deadline_reached(self, _event: DeadlineReached, now_ms: int) -> list[Command]:
        m = self._m
        commands = m.playout.release(now_ms)
        for settled in m.playout.expire(now_ms):
            commands += m.settle(settled, now_ms)
        commands += self._caller.expire(now_ms)
        commands += self._turns.expire(now_ms)
        commands += self._caller.tell_keys(now_ms)
        commands += self._silence.expire(now_ms)
        commands += self._models.expire_answers(now_ms)
        return commands if ends(commands) else commands + self._models.expire_legs(now_ms)


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
