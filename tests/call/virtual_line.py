"""A telephone line and a realtime model in virtual time, around one real `Call`.

Both are written from the documentation, not from the heart. No clock and no socket: a heap of due
happenings. What was really played is known to the byte.
"""

import math
import random
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from app.call.call import Call
from app.call.commands import (
    CancelTool,
    CloseLeg,
    Command,
    EndCall,
    JudgeTurn,
    KeepAudio,
    KeepSilence,
    OpenLeg,
    PlayPhrase,
    ReplayAudio,
    RunTool,
    SendAudio,
    SendClear,
    SendMark,
    SendSound,
    Summarise,
    TakeLeg,
)
from app.call.events import (
    CallerAudioBegan,
    CloseCause,
    DeadlineReached,
    Event,
    MarkEchoed,
    ModelClosed,
    ModelReady,
    PhraseStored,
    StreamStarted,
    SummaryWritten,
    ToolBegan,
    ToolFinished,
    TurnJudged,
    VoiceStarted,
    VoiceStopped,
)
from app.call.phases import CallSettings
from tests.call.virtual_carrier import Carrier, CarrierTime
from tests.call.virtual_model import Item, Model, Speech
from tests.call.virtual_time import (
    BYTES_PER_MS,
    ITEM_SHIFT,
    NO_AUDIO,
    SILENCE,
    SOUND,
    Audio,
    Heap,
    Wire,
)

FIRST_PHRASE = 1_000_000
"""Recordings count from here, the models' items from 0."""


@dataclass(frozen=True, slots=True)
class Network:
    """One-way delays and their uniform jitter, in milliseconds."""

    carrier_ms: float = 40.0
    jitter_ms: float = 30.0
    model_ms: float = 30.0
    model_jitter_ms: float = 10.0
    pacer_ms: int = 10
    """Deadlines are handled on this grid."""


@dataclass(slots=True)
class Shell:
    """The bridge: carries commands out, keeps audio by generation as the heart says."""

    store: dict[int, Audio] = field(default_factory=dict)
    sent: Audio = field(default_factory=lambda: array("q"))
    log: list[tuple[int, Event, list[Command]]] = field(default_factory=list)
    taken: list[TakeLeg] = field(default_factory=list)
    ended: EndCall | None = None


class VirtualLine:
    """A call between a virtual carrier and a virtual model, driven as the bridge drives it."""

    def __init__(
        self, seed: int, network: Network | None = None, settings: CallSettings | None = None
    ) -> None:
        self.network = network or Network()
        self.chance = random.Random(seed)
        self.heap = Heap()
        self.call = Call(settings or CallSettings(greeting="Greet."))
        n = self.network
        self._to_carrier = Wire(self.heap, self.chance, n.carrier_ms, n.jitter_ms)
        self._to_model = Wire(self.heap, self.chance, n.model_ms, n.model_jitter_ms)
        up = Wire(self.heap, self.chance, n.carrier_ms, n.jitter_ms)
        self.carrier = Carrier(self.heap, up, self.chance)
        self.legs: dict[int, Model] = {}
        """Every session that was opened, by leg."""
        self.model = self._new_model(1)
        """The session that carries the call, or did last."""
        self.on_open: Callable[[Model, int], None] = lambda model, leg: None
        """Called with every session from the second on, and its leg."""
        self.fails: dict[int, CloseCause] = {}
        """By leg why it cannot be opened."""
        self.said: list[Speech] = []
        """All that the caller said by `speak`."""
        self.broken: list[Speech] = []
        """What no session heard whole."""
        self.carrier.on_media, self.carrier.on_echo = self._media, self._echoed
        self.shell = Shell()
        self.ready_ms = 50.0
        self._heard_ms: float | None = None
        """Up to where a session that is gone heard the caller; None while one carries the call."""
        self.judge: Callable[[str], bool | None] = lambda text: text.endswith((".", "?"))
        """Whether a turn's words are complete; None: it does not say."""
        self.judge_ms = 150.0
        self.phrases: dict[str, int] = {}
        """By text how long the recordings are that are at hand, in milliseconds."""
        self.tool_ms: dict[str, float] = {}
        """How long each tool takes, by name."""
        self.manners: dict[str, tuple[str, bool]] = {}
        """By tool its words for when it takes long, and whether it may be called off."""
        self.called_off: set[str] = set()
        """Tool calls that were broken off."""
        self._time = CarrierTime()
        self._media_seen = False
        self._deadline_ms: int | None = None

    def open(self, model_ready_ms: float = 50.0) -> None:
        self.ready_ms = model_ready_ms
        self.deliver(StreamStarted("call", "stream"))

    def _new_model(self, leg: int) -> Model:
        wire = Wire(self.heap, self.chance, self.network.model_ms, 10.0)
        model = Model(self.heap, self.chance, wire, leg)
        model.deliver = lambda event, audio: self._from(model, event, audio)
        return model

    def _from(self, model: Model, event: Event, audio: Audio) -> None:
        """A session that does not carry the call is not listened to."""
        if model is self.model and self._heard_ms is None:
            self.deliver(event, audio)

    def speak(self, speech_ms: float, text: str = "") -> None:
        """The caller begins to speak now and stops after so long, whoever listens."""
        speech = Speech(self.heap.now_ms, self.heap.now_ms + speech_ms, text)
        self.said.append(speech)
        if self._heard_ms is None and self.shell.taken:
            self.model.listen(speech)

    def voice(self, speech_ms: float, text: str = "", *, model_hears: bool = True) -> None:
        """The caller begins to speak now, and our own voice detection hears it."""
        began_ms, now_ms = int(self.heap.now_ms), self.heap.now_ms
        onset_ms = began_ms + int(self.chance.uniform(100, 180))
        end_ms = began_ms + int(speech_ms)
        if end_ms > onset_ms:
            self.heap.at(onset_ms, lambda: self._hears_begin(began_ms))
            self.heap.at(end_ms + 200, lambda: self._hears_end(end_ms, end_ms - began_ms))
        if model_hears and not self.model.decides:
            self.speak(speech_ms, text)
        elif model_hears:
            self.heap.at(now_ms + self.chance.uniform(50, 300), lambda: self.speak(speech_ms, text))

    def _hears_begin(self, began_ms: int) -> None:
        self.deliver(VoiceStarted(began_ms, int(self.heap.now_ms)))

    def _hears_end(self, ended_ms: int, voiced_ms: int) -> None:
        self.deliver(VoiceStopped(ended_ms, int(self.heap.now_ms), voiced_ms))

    def drop(self) -> None:
        """The session that carries the call is gone."""
        leg = self.call.handover.relay.leg
        assert leg, "no session carries the call"
        self._heard_ms = self.heap.now_ms
        self.deliver(ModelClosed("lost", "", leg))

    def _open(self, leg: int) -> None:
        if leg > 1:
            self.legs[leg] = self._new_model(leg)
            self.on_open(self.legs[leg], leg)
        else:
            self.legs[leg] = self.model
        cause = self.fails.get(leg)
        told = (
            ModelReady("session", "model", leg=leg)
            if cause is None
            else ModelClosed(cause, leg=leg)
        )
        self.heap.at(self.heap.now_ms + self.ready_ms, lambda: self.deliver(told))

    def _take(self, command: TakeLeg) -> None:
        """The session hears what the caller path would hand to it."""
        heard_ms = self.heap.now_ms if self._heard_ms is None else self._heard_ms
        start_ms = float(command.heard_ms)
        if command.replay_ms is not None:
            start_ms = max(start_ms, heard_ms - command.replay_ms)
        self.model, self._heard_ms = self.legs[command.leg], None
        self.shell.taken.append(command)
        for entry in command.entries:
            self.model.tell(entry)
        for speech in self.said:
            if speech.end_ms > start_ms + 1:
                if speech.start_ms < start_ms - 1:
                    self.broken.append(speech)
                self.model.listen(speech)

    def run_until(self, end_ms: float) -> None:
        self.heap.run_until(end_ms)

    def run_for(self, ms: float) -> None:
        self.heap.run_until(self.heap.now_ms + ms)

    def deliver(self, event: Event, audio: Audio = NO_AUDIO) -> list[Command]:
        now_ms = int(self.heap.now_ms)
        commands = self.call.handle(event, now_ms)
        self.shell.log.append((now_ms, event, commands))
        for command in commands:
            self._do(command, audio)
        self._wait_for_deadline()
        return commands

    def heard(self, item_id: str) -> int:
        """Bytes of the item that were really played. Raises if they were not its first ones."""
        number = self.item(item_id).number
        offsets = [
            b & 0xFFFFFFFF for b in self.carrier.played if b >= 0 and b >> ITEM_SHIFT == number
        ]
        assert offsets == list(range(len(offsets))), f"{item_id} was not played in order and once"
        return len(offsets)

    def item(self, item_id: str) -> Item:
        """What any session remembers of an item."""
        return next(m.items[item_id] for m in self.legs.values() if item_id in m.items)

    def frames_of(self, item_id: str) -> list[float]:
        """When the frames began to sound that begin with this item, in milliseconds."""
        number = self.item(item_id).number
        return [
            at for at, byte in self.carrier.frames if byte >= 0 and byte >> ITEM_SHIFT == number
        ]

    def heard_all(self) -> dict[str, int]:
        return {item_id: self.heard(item_id) for item_id in self.model.items}

    def commands(self) -> Iterable[Command]:
        return (command for _, _, commands in self.shell.log for command in commands)

    def _media(self, timestamp_ms: int) -> None:
        self._time.on_media(timestamp_ms, int(self.heap.now_ms))
        if not self._media_seen:
            self._media_seen = True
            self.deliver(CallerAudioBegan(timestamp_ms))

    def _echoed(self, name: str) -> None:
        self.deliver(MarkEchoed(name, *self._time.at(int(self.heap.now_ms))))

    def _wait_for_deadline(self) -> None:
        due_ms = self.call.due_ms
        if due_ms is None or due_ms == self._deadline_ms:
            return
        self._deadline_ms = due_ms
        grid_ms = self.network.pacer_ms
        self.heap.at(math.ceil(due_ms / grid_ms) * grid_ms, self._pace)

    def _pace(self) -> None:
        due_ms, now_ms = self.call.due_ms, int(self.heap.now_ms)
        if due_ms is None or due_ms > now_ms:
            return
        self._deadline_ms = None
        self.deliver(DeadlineReached())
        left_ms = self.call.due_ms
        assert left_ms is None or left_ms > now_ms, f"due_ms stays in the past: {left_ms}"

    def _do(self, command: Command, audio: Audio) -> None:  # noqa: PLR0912 - a line a command
        shell = self.shell
        match command:
            case KeepAudio(generation, n_bytes):
                assert len(audio) == n_bytes
                shell.store.setdefault(generation, array("q")).extend(audio)
            case KeepSilence(generation, n_bytes):
                shell.store[generation].extend([SILENCE] * n_bytes)
            case ReplayAudio(generation, source, start, end):
                assert generation not in shell.store
                shell.store[generation] = shell.store[source][start:end]
                assert len(shell.store[generation]) == end - start
            case SendAudio(generation, start, end):
                piece = shell.store[generation][start:end]
                assert len(piece) == end - start
                shell.sent += piece
                self._to_carrier.send(lambda: self.carrier.media(piece))
            case SendSound(start, end):
                noise = array("q", [SOUND]) * (end - start)
                shell.sent += noise
                self._to_carrier.send(lambda: self.carrier.media(noise))
            case SendMark(name):
                self._to_carrier.send(lambda: self.carrier.mark(name))
            case SendClear():
                self._to_carrier.send(self.carrier.clear)
            case RunTool():
                self._run_tool(command)
            case CancelTool(call_id):
                self.called_off.add(call_id)
            case EndCall():
                shell.ended = command
            case OpenLeg(leg):
                self._open(leg)
            case TakeLeg():
                self._take(command)
            case Summarise(request_id):
                written = SummaryWritten(request_id, '{"facts": ["4711"]}')
                self.heap.at(self.heap.now_ms + 200, lambda: self.deliver(written))
            case JudgeTurn(request_id, text):
                judged = TurnJudged(request_id, self.judge(text))
                self.heap.at(self.heap.now_ms + self.judge_ms, lambda: self.deliver(judged))
            case PlayPhrase(text):
                self.heap.at(self.heap.now_ms + 1, lambda: self._phrase(text))
            case CloseLeg():
                pass
            case _:
                assert self._heard_ms is None, f"nobody is there to be told {command}"
                model = self.model
                self._to_model.send(lambda: model.command(command))

    def _phrase(self, text: str) -> None:
        n_bytes = self.phrases.get(text, 0) * BYTES_PER_MS
        base = self._phrase_base(text)
        self.deliver(PhraseStored(text, n_bytes), array("q", range(base, base + n_bytes)))

    def _phrase_base(self, text: str) -> int:
        return (FIRST_PHRASE + list(self.phrases).index(text) if text in self.phrases else 0) << (
            ITEM_SHIFT
        )

    def heard_phrase(self, text: str) -> list[tuple[float, int]]:
        """When each frame began to sound that begins with this recording, and at which byte."""
        base = self._phrase_base(text)
        return [
            (at, b - base) for at, b in self.carrier.frames if b >> ITEM_SHIFT == base >> ITEM_SHIFT
        ]

    def _run_tool(self, command: RunTool) -> None:
        now_ms, call_id = self.heap.now_ms, command.call_id
        if command.name in self.manners:
            began = ToolBegan(call_id, *self.manners[command.name])
            self.heap.at(now_ms, lambda: self.deliver(began))
        finish_ms = now_ms + self.tool_ms.get(command.name, 100.0)
        self.heap.at(finish_ms, lambda: self._tool_done(call_id))

    def _tool_done(self, call_id: str) -> None:
        if call_id not in self.called_off:
            self.deliver(ToolFinished(call_id, "{}"))
