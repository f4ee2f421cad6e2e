"""Writes timeline and transcript from what the heart saw and did. It decides nothing."""

from app.call.commands import (
    Command,
    CreateResponse,
    EndCall,
    RunTool,
    SendAudio,
    TruncateItem,
)
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CallerTranscribed,
    CallerTurnCommitted,
    Event,
    ItemTruncated,
    KeyPressed,
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
from app.call.playout import Played, Playout, Settled
from app.call.timeline import Interruption, Stamp, Timeline, ToolRun, Turn
from app.call.transcript import Transcript


class Scribe:
    """One per call; `playout` is only read."""

    def __init__(self, playout: Playout) -> None:
        self.timeline = Timeline()
        self.transcript = Transcript()
        self._playout = playout
        self._carrier_start_ms = 0
        self._cut: dict[int, Turn] = {}

    def saw(self, event: Event, now_ms: int) -> None:
        """Before the heart acts on it."""
        timeline = self.timeline
        match event:
            case StreamStarted():
                timeline.started_ms = now_ms
            case CallerAudioBegan():
                self._carrier_start_ms = event.carrier_ms
            case ModelReady():
                timeline.model_ready_ms = now_ms
            case KeyPressed():
                timeline.note(now_ms, "key", "the caller pressed a key")
            case RateLimits():
                timeline.rate_limits = dict(event.remaining)
            case ModelFault():
                timeline.note(now_ms, "fault", f"{event.code}: {event.message}")
            case ToolFinished():
                self._tool_finished(event, now_ms)
            case SpeechStarted() | SpeechStopped() | CallerTurnCommitted() | CallerTranscribed():
                self._saw_caller(event, now_ms)
            case _:
                self._saw_model(event, now_ms)

    def did(self, commands: list[Command], now_ms: int) -> None:
        """After the heart decided."""
        for command in commands:
            match command:
                case SendAudio():
                    self._sent_audio(command, now_ms)
                case CreateResponse():
                    self.timeline.turn.stamp(Stamp.RESPONSE_REQUESTED, now_ms)
                case TruncateItem():
                    self.timeline.item(command.item_id).stamp(Stamp.TRUNCATE_SENT, now_ms)
                case RunTool():
                    run = ToolRun(command.call_id, command.name, now_ms)
                    self.timeline.turn.tools.append(run)
                case EndCall():
                    self.timeline.close(command.reason, command.detail, now_ms)
                case _:
                    pass

    def interrupted(self, now_ms: int) -> None:
        """The caller took the floor while the agent spoke or thought."""
        self._answered().stamp(Stamp.INTERRUPTION_DETECTED, now_ms)

    def cut(self, generation: int, now_ms: int) -> None:
        """What plays of this generation is about to be cut."""
        self._cut[generation] = self._answered()
        self._cut[generation].stamp(Stamp.CLEAR_SENT, now_ms)

    def said(self, event: TextReceived, now_ms: int) -> None:
        """Words of an answer that nobody has interrupted yet."""
        self.timeline.item(event.item_id, event.response_id)
        self.transcript.agent_says(event.item_id, event.text, now_ms)

    def _answered(self) -> Turn:
        """The turn whose answer is in progress: the one before the speech that interrupts it."""
        turns = self.timeline.turns
        return turns[-2] if len(turns) > 1 else self.timeline.turn

    def played(self, played: Played, now_ms: int) -> None:
        if played.kind != "progress":
            self._first_played(played, now_ms)
        for item in played.items:
            self.transcript.agent_heard(item.item_id)
            turn = self.timeline.item(item.item_id, item.response_id)
            turn.stamps[Stamp.LAST_FRAME_PLAYED] = now_ms

    def settled(self, settled: Settled, now_ms: int) -> None:
        turn = self._cut.pop(settled.generation, self.timeline.turn)
        if settled.by != "unsent":
            turn.stamp(Stamp.SILENCE_REACHED, now_ms)
        if settled.by == "clock":
            self.timeline.note(now_ms, "fallback", "no fence: heard position estimated by clock")
        heard = sum(item.heard_ms for item in settled.items)
        received = sum(item.received_bytes // 8 for item in settled.items)
        turn.interruption = Interruption(heard, received, settled.by)
        for item in settled.items:
            self.transcript.agent_cut(item.item_id, item.heard_bytes, item.received_bytes)

    def _saw_caller(
        self,
        event: SpeechStarted | SpeechStopped | CallerTurnCommitted | CallerTranscribed,
        now_ms: int,
    ) -> None:
        match event:
            case SpeechStarted():
                turn = self.timeline.begin("caller")
                turn.caller_item_id = event.item_id
                began_ms = now_ms - max(0, event.axis_ms - event.audio_start_ms)
                turn.stamp(Stamp.SPEECH_STARTED, began_ms)
                self.transcript.caller_began(event.item_id, began_ms)
            case SpeechStopped():
                turn = self.timeline.turn
                end_ms = event.audio_end_ms - event.silence_ms
                turn.stamp(Stamp.SPEECH_ENDED, now_ms - max(0, event.axis_ms - end_ms))
                turn.stamp(Stamp.VAD_DECIDED, now_ms)
                turn.speech_ended_carrier_ms = self._carrier_start_ms + end_ms
            case CallerTurnCommitted():
                self.timeline.turn.stamp(Stamp.TURN_COMMITTED, now_ms)
            case CallerTranscribed():
                self.transcript.caller_said(event.item_id, event.text, now_ms)

    def _saw_model(self, event: Event, now_ms: int) -> None:
        match event:
            case ResponseCreated():
                turn = self.timeline.response(event.response_id)
                turn.stamp(Stamp.RESPONSE_CREATED, now_ms)
            case AudioReceived():
                turn = self.timeline.item(event.item_id, event.response_id)
                turn.stamp(Stamp.FIRST_MODEL_AUDIO, now_ms)
            case ResponseFinished():
                turn = self.timeline.response(event.response_id)
                turn.stamps[Stamp.RESPONSE_DONE] = now_ms
                if event.usage is not None:
                    turn.usage.append(event.usage)
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

    def _first_played(self, played: Played, now_ms: int) -> None:
        """A start mark, or the end mark of the answer before, says that the next one begins."""
        span = self._playout.span_at(played.position)
        if span is None:
            return
        turn = self.timeline.item(span.item_id, span.response_id)
        turn.stamp(Stamp.FIRST_FRAME_PLAYED, now_ms)
        if turn.first_played_carrier_ms is None:
            turn.first_played_carrier_ms = played.carrier_ms

    def _tool_finished(self, event: ToolFinished, now_ms: int) -> None:
        run = self.timeline.tool(event.call_id)
        if run is not None:
            run.finished_ms, run.ok = now_ms, event.ok
