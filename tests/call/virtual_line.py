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
    Command,
    EndCall,
    KeepAudio,
    KeepSilence,
    RunTool,
    SendAudio,
    SendClear,
    SendMark,
)
from app.call.events import (
    CallerAudioBegan,
    DeadlineReached,
    Event,
    MarkEchoed,
    ModelReady,
    StreamStarted,
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
        from_model = Wire(self.heap, self.chance, n.model_ms, n.model_jitter_ms)
        self.model = Model(self.heap, self.chance, from_model)
        self.carrier.on_media, self.carrier.on_echo = self._media, self._echoed
        self.model.deliver = self.deliver
        self.shell = Shell()
        self.tool_ms: dict[str, float] = {}
        """How long each tool takes, by name."""
        self._time = CarrierTime()
        self._media_seen = False
        self._deadline_ms: int | None = None

    def open(self, model_ready_ms: float = 50.0) -> None:
        self.deliver(StreamStarted("call", "stream"))
        self.heap.at(model_ready_ms, lambda: self.deliver(ModelReady("session", "model")))

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
            case _:
                self._to_model.send(lambda: self.model.command(command))

    def _tool_done(self, call_id: str) -> None:
        self.deliver(ToolFinished(call_id, "{}"))
