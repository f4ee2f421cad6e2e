"""A telephone line and a realtime model in virtual time, around one real `Call`.

Both are written from the documentation, not from the heart. No clock and no socket: a heap of due
happenings. What was really played is known to the byte.
"""

import math
import random
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.call.call import Call
from app.call.commands import (
    CloseLeg,
    Command,
    EndCall,
    KeepAudio,
    KeepSilence,
    OpenLeg,
    PlayPhrase,
    RunTool,
    SendAudio,
    SendClear,
    SendMark,
    Summarise,
    TakeLeg,
)
from app.call.events import (
    CallerAudioBegan,
    DeadlineReached,
    Event,
    MarkEchoed,
    ModelClosed,
    ModelReady,
    StreamStarted,
    SummaryWritten,
    ToolFinished,
)
from app.call.phases import CallSettings
from tests.call.virtual_carrier import Carrier, CarrierTime
from tests.call.virtual_model import Model
from tests.call.virtual_time import ITEM_SHIFT, NO_AUDIO, SILENCE, Audio, Heap, Wire


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
        self.model = self._new_model()
        """The session that carries the call."""
        self.carrier.on_media, self.carrier.on_echo = self._media, self._echoed
        self.shell = Shell()
        self._ready_ms = 50.0
        self.tool_ms: dict[str, float] = {}
        """How long each tool takes, by name."""
        self._time = CarrierTime()
        self._media_seen = False
        self._deadline_ms: int | None = None

    def open(self, model_ready_ms: float = 50.0) -> None:
        self._ready_ms = model_ready_ms
        self.deliver(StreamStarted("call", "stream"))

    def _new_model(self) -> Model:
        n = self.network
        model = Model(self.heap, self.chance, Wire(self.heap, self.chance, n.model_ms, 10.0))
        model.deliver = lambda event, audio: self._from(model, event, audio)
        return model

    def _from(self, model: Model, event: Event, audio: Audio) -> None:
        """A session that does not carry the call is not listened to."""
        if model is self.model:
            self.deliver(event, audio)

    def drop(self) -> None:
        """The session that carries the call is gone."""
        leg = self.call.handover.relay.leg
        self.model.deliver = lambda event, audio: None
        self.deliver(ModelClosed("lost", "", leg))

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
        number = self.model.items[item_id].number
        offsets = [
            b & 0xFFFFFFFF for b in self.carrier.played if b >= 0 and b >> ITEM_SHIFT == number
        ]
        assert offsets == list(range(len(offsets))), f"{item_id} was not played in order and once"
        return len(offsets)

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

    def _do(self, command: Command, audio: Audio) -> None:
        shell = self.shell
        match command:
            case KeepAudio(generation, n_bytes):
                assert len(audio) == n_bytes
                shell.store.setdefault(generation, array("q")).extend(audio)
            case KeepSilence(generation, n_bytes):
                shell.store[generation].extend([SILENCE] * n_bytes)
            case SendAudio(generation, start, end):
                piece = shell.store[generation][start:end]
                assert len(piece) == end - start
                shell.sent += piece
                self._to_carrier.send(lambda: self.carrier.media(piece))
            case SendMark(name):
                self._to_carrier.send(lambda: self.carrier.mark(name))
            case SendClear():
                self._to_carrier.send(self.carrier.clear)
            case RunTool():
                finish_ms = self.heap.now_ms + self.tool_ms.get(command.name, 100.0)
                call_id = command.call_id
                self.heap.at(finish_ms, lambda: self._tool_done(call_id))
            case EndCall():
                shell.ended = command
            case OpenLeg(leg):
                self.legs[leg] = self.model if leg == 1 else self._new_model()
                ready = ModelReady("session", "model", leg=leg)
                self.heap.at(self.heap.now_ms + self._ready_ms, lambda: self.deliver(ready))
            case TakeLeg(leg):
                self.model = self.legs[leg]
            case Summarise(request_id):
                written = SummaryWritten(request_id, '{"facts": ["4711"]}')
                self.heap.at(self.heap.now_ms + 200, lambda: self.deliver(written))
            case CloseLeg() | PlayPhrase():
                pass
            case _:
                self._to_model.send(lambda: self.model.command(command))

    def _tool_done(self, call_id: str) -> None:
        self.deliver(ToolFinished(call_id, "{}"))
