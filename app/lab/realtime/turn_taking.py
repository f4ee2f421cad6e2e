"""The caller's side of a session: speech boundaries become events, items and responses."""

from app.lab.realtime.caller_audio import CallerAudio, Heard, Paused, Started, Stopped
from app.lab.realtime.completeness import sounds_finished
from app.lab.realtime.config import SessionConfig, response_request
from app.lab.realtime.conversation import Item, Part, turns
from app.lab.realtime.hearing import Hearing
from app.lab.realtime.idle import IdleTimer
from app.lab.realtime.refusals import RequestRefused
from app.lab.realtime.responder import Responder
from app.lab.realtime.response import ResponseRun
from app.lab.realtime.stage import Stage


class TurnTaking:
    def __init__(self, stage: Stage, config: SessionConfig) -> None:
        self.audio = CallerAudio(
            stage.log.caller_audio, config.input_format, config.vad, stage.behaviour.sense
        )
        self.hearing = Hearing(stage)
        self.responder = Responder(stage, self.hearing, self._response_ended)
        self._stage = stage
        self._config = config
        self._idle = IdleTimer(lambda: self.audio.axis_ms, self._idled)
        self._turn_id = ""

    def configure(self, config: SessionConfig) -> None:
        self._config = config
        self.audio.configure(config.input_format, config.vad)
        if config.vad is None or config.vad.idle_timeout_ms is None:
            self._idle.stop()

    def close(self) -> None:
        self._idle.stop()

    def hear(self, audio: bytes) -> None:
        """Raises `RequestRefused` for audio that does not fit the input format."""
        for heard in self.audio.append(audio):
            self._take(heard)

    def _take(self, heard: Heard) -> None:
        match heard:
            case Started():
                self._started(heard)
            case Paused():
                self._stage.tasks.spawn(self._weigh(heard))
            case Stopped():
                self._stopped(heard)

    def _started(self, heard: Started) -> None:
        self._idle.stop()
        self._turn_id = self._stage.ids.new("item")
        self._stage.outbox.emit(
            "input_audio_buffer.speech_started",
            audio_start_ms=heard.audio_start_ms,
            item_id=self._turn_id,
        )
        if self.audio.vad is not None and self.audio.vad.interrupt_response:
            self.responder.interrupt()

    async def _weigh(self, pause: Paused) -> None:
        """Let the words say how long the pause may last."""
        text = await self.hearing.so_far(pause.audio, self._config.input_format)
        unfinished = self._stage.behaviour.semantic_doubt
        if text is not None:
            unfinished = 0.0 if sounds_finished(text, self._last_answer()) else 1.0
        for heard in self.audio.decide(pause.number, unfinished):
            self._take(heard)

    def _last_answer(self) -> str:
        said = turns(self._stage.conversation.items)
        return next((turn.text for turn in reversed(said) if turn.role == "assistant"), "")

    def _stopped(self, heard: Stopped) -> None:
        self._stage.outbox.emit(
            "input_audio_buffer.speech_stopped",
            audio_end_ms=heard.audio_end_ms,
            item_id=self._turn_id,
        )
        self._commit(self._turn_id, heard.audio)
        if self.audio.vad is not None and self.audio.vad.create_response:
            self._respond()

    def commit(self) -> None:
        """The client ends the turn. Raises `RequestRefused` when the buffer is too small."""
        item_id = self._turn_id if self.audio.speaking else self._stage.ids.new("item")
        self._commit(item_id, self.audio.commit())

    def _commit(self, item_id: str, audio: bytes, *, silent: bool = False) -> None:
        part = Part("input_audio", audio=bytearray(audio), audio_format=self._config.input_format)
        item = Item(item_id, "message", role="user", parts=[part])
        emit, previous_id = self._stage.outbox.emit, self._stage.conversation.last_id
        emit("input_audio_buffer.committed", previous_item_id=previous_id, item_id=item_id)
        self.add(item)
        if not silent:
            self.hearing.begin(item, self._config.transcription_model)

    def add(self, item: Item, after: str | None = None) -> None:
        """Put an item into the conversation and say so. Raises `RequestRefused`."""
        emit, previous_id = self._stage.outbox.emit, self._stage.conversation.insert(item, after)
        for stage in ("added", "done"):
            emit(f"conversation.item.{stage}", previous_item_id=previous_id, item=item.json())

    def _respond(self) -> None:
        try:
            self.responder.create(response_request(self._config, None), self._config.input_format)
        except RequestRefused as refusal:
            self._stage.outbox.refuse(refusal, None)

    def _response_ended(self, run: ResponseRun) -> None:
        vad = self.audio.vad
        if run.request.out_of_band or vad is None or vad.idle_timeout_ms is None:
            return
        if not self.audio.speaking:
            self._idle.arm(run.audio_ms, vad.idle_timeout_ms)

    def _idled(self, start_ms: int) -> None:
        if self.responder.active or self.audio.speaking:
            return
        item_id = self._stage.ids.new("item")
        self._stage.outbox.emit(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=start_ms,
            audio_end_ms=self.audio.axis_ms,
            item_id=item_id,
        )
        self._commit(item_id, self.audio.take_since(start_ms), silent=True)
        self._respond()
