"""Writes timeline and transcript from what the heart saw and did. It decides nothing."""

from collections.abc import Callable, Sequence

from app.call.answer_record import AnswerRecord
from app.call.axis import BYTES_PER_MS, ItemHeard
from app.call.barge_in import Claim
from app.call.commands import (
    CancelTool,
    CloseLeg,
    Command,
    CreateResponse,
    EndCall,
    KeepAudio,
    OpenLeg,
    RunTool,
    SendAudio,
    SendMark,
    TakeLeg,
    TruncateItem,
)
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CallerTranscribed,
    CallerTurnCommitted,
    DeadlineReached,
    Event,
    ItemTruncated,
    KeyPressed,
    MarkEchoed,
    ModelClosed,
    ModelFault,
    ModelReady,
    RateLimits,
    ResponseCreated,
    ResponseFinished,
    SpeechStarted,
    SpeechStopped,
    StreamStarted,
    TextReceived,
    ToolFinished,
)
from app.call.memory import stays
from app.call.notice_record import NoticeRecords
from app.call.playout import Played, Playout, Settled
from app.call.recent import Recent
from app.call.timeline import Claim as ClaimRecord
from app.call.timeline import Ending, Interruption, Stamp, Timeline, ToolRun, Turn
from app.call.transcript import Line, Transcript
from app.call.wording import Wording

_UNNOTED = frozenset({DeadlineReached, MarkEchoed, TextReceived})
_NOT_WRITTEN = frozenset({KeepAudio, SendMark})
"""Most events and commands of a call are of a kind that is not written down."""


class Scribe:
    """One per call; `playout` is only read."""

    def __init__(self, playout: Playout, began: Callable[[Line], None]) -> None:
        """`began` is told of each line of the transcript."""
        self.timeline = Timeline()
        self.wording = Wording()
        self.transcript = Transcript(began)
        self.notices = NoticeRecords(self.timeline)
        self._playout = playout
        self._carrier_start_ms = 0
        self._cut_ms: dict[int, int] = {}
        """When each generation was cut whose verdict is still awaited."""
        self._claim: tuple[Claim, ClaimRecord] | None = None
        """The newest one."""
        self._asked_in: Recent[Turn] = Recent()
        """By the id of a request the turn in which it was made."""
        self._tools_of: Recent[Turn] = Recent()
        """By the id of a tool call the turn whose answer made it."""

    def saw(self, event: Event, now_ms: int) -> None:
        """Before the heart acts on it."""
        if type(event) in _UNNOTED:
            return
        timeline = self.timeline
        match event:
            case StreamStarted():
                timeline.started_ms = now_ms
                self._answered(event)
            case CallerAudioBegan():
                self._carrier_start_ms = event.carrier_ms
                if timeline.answer is not None:
                    timeline.answer.audio_began(now_ms, event.carrier_ms)
            case ModelReady():
                timeline.leg_ready(event.leg, event.model, now_ms)
            case KeyPressed():
                timeline.note(now_ms, "key", "the caller pressed a key")
            case RateLimits():
                timeline.rate_limits = dict(event.remaining)
            case ModelFault():
                timeline.note(now_ms, "fault", f"{event.code}: {event.message}")
            case ToolFinished():
                self.tool_ended(event.call_id, now_ms, ok=event.ok)
            case SpeechStopped() | CallerTurnCommitted() | CallerTranscribed():
                self._saw_caller(event, now_ms)
            case ModelClosed():
                timeline.leg_closed(event.leg, event.cause, now_ms)
            case _:
                self._saw_model(event, now_ms)

    def did(self, commands: list[Command], now_ms: int) -> None:
        """After the heart decided."""
        for command in commands:
            if type(command) in _NOT_WRITTEN:
                continue
            match command:
                case SendAudio():
                    self._sent_audio(command, now_ms)
                case CreateResponse():
                    self.timeline.turn.stamp(Stamp.RESPONSE_REQUESTED, now_ms)
                    self._asked_in.put(command.request_id, self.timeline.turn)
                case TruncateItem():
                    self.timeline.item(command.item_id).stamp(Stamp.TRUNCATE_SENT, now_ms)
                case OpenLeg():
                    self.timeline.leg_opened(command.leg, command.model, now_ms)
                case CloseLeg():
                    self.timeline.leg_closed(command.leg, None, now_ms)
                case TakeLeg():
                    self.timeline.leg_taken(command.leg, command.cause, now_ms)
                case RunTool():
                    self.tool_began(command.call_id, command.name, now_ms)
                case CancelTool():
                    self.tool_ended(command.call_id, now_ms, ok=False)
                case EndCall():
                    self.timeline.close(command.reason, command.detail, now_ms)
                case _:
                    pass

    def speech_started(self, event: SpeechStarted, now_ms: int) -> None:
        """The caller began to speak."""
        turn = self.timeline.begin("caller")
        turn.caller_item_id = event.item_id
        began_ms = now_ms - max(0, event.axis_ms - event.audio_start_ms)
        turn.stamp(Stamp.SPEECH_STARTED, began_ms)
        self.transcript.caller_began(event.item_id, event.audio_start_ms, began_ms)

    def speech_went_on(self, event: SpeechStarted, now_ms: int) -> None:
        """The caller's turn has another piece."""
        began_ms = now_ms - max(0, event.axis_ms - event.audio_start_ms)
        self.transcript.caller_began(event.item_id, event.audio_start_ms, began_ms)

    def turn_ended(self, item_id: str, ended_axis_ms: int, ending: Ending, now_ms: int) -> None:
        """The caller has said all: `item_id` is the turn's first piece."""
        turn = self.timeline.caller(item_id)
        turn.ending = ending
        turn.stamp(Stamp.SPEECH_ENDED, now_ms - ending.silence_ms)
        turn.stamp(Stamp.VAD_DECIDED, now_ms)
        turn.speech_ended_carrier_ms = self._carrier_start_ms + ended_axis_ms

    def carried(self, item_id: str, new_id: str) -> None:
        """What the caller is saying, or said a moment ago, has another id now."""
        turn = self.timeline.caller(item_id)
        if turn.caller_item_id == item_id:
            turn.caller_item_id = new_id
        self.transcript.caller_carried(item_id, new_id)

    def interrupted(self, now_ms: int) -> None:
        """The caller took the floor while the agent thought."""
        self._turn_answered().stamp(Stamp.INTERRUPTION_DETECTED, now_ms)

    def cut(self, generation: int, now_ms: int) -> None:
        """The caller took the floor while audio of this generation played or waited. Whose answer
        it was shows when it is settled."""
        self._cut_ms[generation] = now_ms

    def said(self, event: TextReceived, now_ms: int) -> None:
        """Words of an answer that nobody has interrupted yet."""
        self.timeline.item(event.item_id, event.response_id)
        self.transcript.agent_says(event.item_id, event.text, now_ms)
        self.wording.said(event.response_id, event.item_id, event.text)

    def broke_off(self, response_id: str) -> bool:
        """Nothing more comes of this answer: words without their sound were never said. False where
        words had come and none of them was said."""
        cut = None if self._playout.served else self.wording.broke_off(response_id)
        if cut is None:
            return True
        item_id, said, unsaid = cut
        self.transcript.agent_broke_off(item_id, said, unsaid)
        return bool(said) or not unsaid

    def _turn_answered(self) -> Turn:
        """The turn whose answer is in progress: the one before the speech that interrupts it."""
        turns = self.timeline.turns
        return turns[-2] if len(turns) > 1 else self.timeline.turn

    def played(self, played: Played, now_ms: int) -> None:
        if played.kind != "progress":
            self._first_played(played, now_ms)
        self.heard(played.items, now_ms)

    def heard(self, items: Sequence[ItemHeard], now_ms: int) -> None:
        """The caller heard these to their end."""
        for item in items:
            if self.wording.whole(item.item_id):
                self.transcript.agent_heard(item.item_id)
            else:
                self._broke_off(item)
            self.notices.heard(item, now_ms)
            self._heard_message(item, now_ms)
            turn = self.timeline.item(item.item_id, item.response_id)
            turn.stamps[Stamp.LAST_FRAME_PLAYED] = now_ms

    def plays(self, response_id: str, now_ms: int) -> None:
        """Where the model's side plays: the caller begins to hear this answer."""
        turn = self.timeline.response(response_id)
        for stamp in (Stamp.FIRST_MODEL_AUDIO, Stamp.FIRST_FRAME_SENT, Stamp.FIRST_FRAME_PLAYED):
            turn.stamp(stamp, now_ms)
        ended_ms, spoke_ms = turn.speech_ended_carrier_ms, turn.stamps.get(Stamp.SPEECH_ENDED)
        if turn.first_played_carrier_ms is None and ended_ms is not None and spoke_ms is not None:
            turn.first_played_carrier_ms = ended_ms + now_ms - spoke_ms

    def claimed(self, claim: Claim, *, held: bool) -> None:
        """The caller's voice was heard while the agent had the floor."""
        record = ClaimRecord(claim.began_ms, claim.noticed_ms, claim.situation.value, held)
        self.timeline.claims.append(record)
        self._claim = (claim, record)

    def decided(self, claim: Claim, decision: str, now_ms: int) -> None:
        """What the voice was; words that come late may change it once."""
        if self._claim is None or self._claim[0] is not claim:
            self.claimed(claim, held=False)
        assert self._claim is not None
        record = self._claim[1]
        record.decision = "late_yield" if record.decision == "resume" else decision
        record.decided_ms, record.voiced_ms = now_ms, claim.voiced_ms or None
        record.words = "" if claim.words is None else claim.words.value

    def settled(self, settled: Settled, complete: Callable[[str], bool], now_ms: int) -> None:
        cut_ms = self._cut_ms.pop(settled.generation, now_ms)
        turn = self._turn_cut(settled)
        turn.stamp(Stamp.INTERRUPTION_DETECTED, cut_ms)
        if settled.by not in ("unsent", "model"):
            turn.stamp(Stamp.CLEAR_SENT, cut_ms)
        if settled.by != "unsent":
            turn.stamp(Stamp.SILENCE_REACHED, now_ms)
        if settled.by == "clock":
            self.timeline.note(now_ms, "fallback", "no fence: heard position estimated by clock")
        items = [i for i in settled.items if self.timeline.item(i.item_id, i.response_id) is turn]
        heard = sum(item.heard_bytes for item in items) // BYTES_PER_MS
        received = sum(item.received_bytes for item in items) // BYTES_PER_MS
        turn.interruption = Interruption(heard, received, settled.by)
        self._write_heard(settled, complete, cut=True)
        for item in settled.items:
            self._heard_message(item, now_ms)

    def closed(self, verdicts: list[Settled], complete: Callable[[str], bool]) -> None:
        """The call is over: what still played or waited was heard as far as the clock says. Of what
        the caller did not interrupt and had not begun to hear, the next stream is told nothing."""
        for settled in verdicts:
            self._write_heard(settled, complete, cut=settled.generation in self._cut_ms)
            for item in settled.items:
                self.notices.heard(item, None)
                self._heard_message(item, self.timeline.ended_ms)
        self.transcript.close()

    def _turn_cut(self, settled: Settled) -> Turn:
        """The turn of the first item that was not heard to its end."""
        for item in settled.items:
            if not item.whole:
                return self.timeline.item(item.item_id, item.response_id)
        if settled.items:
            last = settled.items[-1]
            return self.timeline.item(last.item_id, last.response_id)
        return self._turn_answered()

    def _write_heard(self, settled: Settled, complete: Callable[[str], bool], *, cut: bool) -> None:
        """`cut`: by the caller."""
        for item in settled.items:
            if stays(item, settled, complete):
                self.transcript.agent_heard(item.item_id)
            elif not cut:
                self._broke_off(item)
            else:
                self.transcript.agent_cut(item.item_id, *self._words(item))

    def _broke_off(self, item: ItemHeard) -> None:
        """What came of it was played, as far as it will be."""
        self.transcript.agent_broke_off(item.item_id, *self._words(item), played=True)

    def _words(self, item: ItemHeard) -> tuple[str, str]:
        """Those that were heard, and the others."""
        return self.wording.cut(item.item_id, item.heard_bytes, item.received_bytes)

    def tool_began(self, call_id: str, name: str, now_ms: int) -> None:
        turn = self._tools_of.pop(call_id) or self.timeline.turn
        turn.tools.append(ToolRun(call_id, name, now_ms))

    def tool_ended(self, call_id: str, now_ms: int, *, ok: bool) -> None:
        run = self.timeline.tool(call_id)
        if run is not None:
            run.finished_ms, run.ok = now_ms, ok

    def _saw_caller(
        self,
        event: SpeechStopped | CallerTurnCommitted | CallerTranscribed,
        now_ms: int,
    ) -> None:
        match event:
            case SpeechStopped():
                self.transcript.caller_ended(event.item_id, event.audio_end_ms)
                end_ms = event.audio_end_ms - event.silence_ms
                ending = Ending("model", "", max(0, event.axis_ms - end_ms))
                self.turn_ended(event.item_id, end_ms, ending, now_ms)
            case CallerTurnCommitted():
                self.timeline.caller(event.item_id).stamp(Stamp.TURN_COMMITTED, now_ms)
            case CallerTranscribed():
                self.transcript.caller_said(event.item_id, event.text, now_ms)

    def _saw_model(self, event: Event, now_ms: int) -> None:
        match event:
            case ResponseCreated():
                asked_in = self._asked_in.pop(event.request_id)
                turn = self.timeline.response(event.response_id, asked_in)
                turn.stamp(Stamp.RESPONSE_CREATED, now_ms)
            case AudioReceived():
                turn = self.timeline.item(event.item_id, event.response_id)
                turn.stamp(Stamp.FIRST_MODEL_AUDIO, now_ms)
            case ResponseFinished():
                turn = self.timeline.response(event.response_id)
                turn.stamps[Stamp.RESPONSE_DONE] = now_ms
                if event.usage is not None:
                    turn.usage.append(event.usage)
                for call in event.tool_calls:
                    self._tools_of.put(call.call_id, turn)
            case ItemTruncated():
                turn = self.timeline.item(event.item_id)
                turn.stamp(Stamp.TRUNCATE_ACKNOWLEDGED, now_ms)
            case _:
                pass

    def _sent_audio(self, command: SendAudio, now_ms: int) -> None:
        span = self._playout.span_at(command.start)
        if span is not None and command.generation == self._playout.generation:
            turn = self.timeline.item(span.item_id, span.response_id)
            turn.stamp(Stamp.FIRST_FRAME_SENT, now_ms)

    def _answered(self, started: StreamStarted) -> None:
        """A call that we placed."""
        if started.direction == "outbound":
            on_machine = "" if started.on_answer is None else started.on_answer.on_machine
            goes_on = started.resumed is not None
            since_ms = None if goes_on else started.since_answer_ms
            self.timeline.answer = AnswerRecord(on_machine, since_ms, goes_on)

    def _heard_message(self, item: ItemHeard, now_ms: int | None) -> None:
        if self.timeline.answer is not None:
            self.timeline.answer.heard(item, now_ms)

    def _first_played(self, played: Played, now_ms: int) -> None:
        """A start mark, or the end mark of the answer before, says that the next one begins."""
        span = self._playout.span_at(played.position)
        if span is None:
            return
        self.notices.first_played(span.response_id, now_ms)
        if self.timeline.answer is not None:
            self.timeline.answer.first_played(span.item_id, now_ms)
        turn = self.timeline.item(span.item_id, span.response_id)
        turn.stamp(Stamp.FIRST_FRAME_PLAYED, now_ms)
        if turn.first_played_carrier_ms is None:
            turn.first_played_carrier_ms = played.carrier_ms
