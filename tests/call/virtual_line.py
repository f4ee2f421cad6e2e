"""A telephone line and a realtime model in virtual time, around one real `Call`.

The line carries Media Streams as Twilio documents them, the model speaks as OpenAI's GA Realtime
endpoint does; both are written from the documentation, not from the heart. No clock and no socket:
a heap of due happenings. Every byte of bot audio carries its identity (which item, which byte of
it), so what was really played is known exactly.

Our reading where the documentation is silent: the carrier takes 160 bytes at each tick of its own
20 ms clock; a frame that began to sound is heard to its end, also after `clear`; a mark is due when
the frame with the last byte before it has ended.
"""

import heapq
import math
import random
from array import array
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from app.call.call import Call, CallSettings
from app.call.commands import (
    AddUserText,
    CancelResponse,
    Command,
    CreateResponse,
    DeleteItem,
    EndCall,
    KeepAudio,
    KeepSilence,
    RunTool,
    SendAudio,
    SendClear,
    SendMark,
    SendToolOutput,
    TruncateItem,
)
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CallerTurnCommitted,
    DeadlineReached,
    Event,
    ItemAdded,
    ItemDeleted,
    ItemTruncated,
    MarkEchoed,
    ModelFault,
    ModelReady,
    ResponseCreated,
    ResponseFinished,
    SpeechStarted,
    SpeechStopped,
    StreamStarted,
    TextReceived,
    ToolCall,
    ToolFinished,
)

FRAME_MS = 20
FRAME_BYTES = 160
BYTES_PER_MS = 8
QUIET_MS = 60
"""Without caller media for longer than this the adapter carries the carrier's clock on."""
SILENCE = -1
_ITEM_SHIFT = 32

Audio: TypeAlias = "array[int]"
"""One entry a byte: item number << 32 | offset within the item, or SILENCE."""
NO_AUDIO: Audio = array("q")


class Heap:
    """Happenings in order of time, then of arrival. Times are milliseconds, fractions allowed."""

    def __init__(self) -> None:
        self.now_ms = 0.0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0

    def at(self, at_ms: float, work: Callable[[], object]) -> None:
        self._count += 1
        heapq.heappush(self._due, (max(at_ms, self.now_ms), self._count, work))

    def run_until(self, end_ms: float) -> None:
        while self._due and self._due[0][0] <= end_ms:
            self.now_ms, _, work = heapq.heappop(self._due)
            work()
        self.now_ms = end_ms


class Wire:
    """One direction of an ordered socket: delay and uniform jitter, nothing overtakes."""

    def __init__(self, heap: Heap, chance: random.Random, delay_ms: float, jitter_ms: float):
        self._heap, self._chance = heap, chance
        self._delay_ms, self._jitter_ms = delay_ms, jitter_ms
        self._newest_ms = 0.0

    def send(self, work: Callable[[], object]) -> None:
        delay_ms = self._delay_ms + self._chance.uniform(0, self._jitter_ms)
        self._newest_ms = max(self._newest_ms, self._heap.now_ms + delay_ms)
        self._heap.at(self._newest_ms, work)


class Carrier:
    """Playout buffer, marks, `clear`, and the caller's media, on the carrier's own clock."""

    def __init__(self, heap: Heap, up: Wire, chance: random.Random) -> None:
        self.played: Audio = array("q")
        """Every byte that sounded, in order, fill-up silence of the carrier left out."""
        self.gaps: list[tuple[float, float]] = []
        """From and to when no caller media is sent, in milliseconds."""
        self.clears_ms: list[float] = []
        self.on_media: Callable[[int], None] = lambda timestamp_ms: None
        self.on_echo: Callable[[str], None] = lambda name: None
        self._heap, self._up = heap, up
        self._queue: deque[array[int] | str] = deque()
        self._sounding = False
        heap.at(chance.uniform(0, FRAME_MS), self._tick)
        self._media_phase_ms = chance.uniform(0, FRAME_MS)
        self._media_count = 0
        heap.at(self._media_phase_ms + FRAME_MS, self._media)

    def media(self, audio: Audio) -> None:
        self._queue.append(audio)

    def mark(self, name: str) -> None:
        if self._queue or self._sounding:
            self._queue.append(name)
        else:
            self._echo(name)

    def clear(self) -> None:
        self.clears_ms.append(self._heap.now_ms)
        pending = [entry for entry in self._queue if isinstance(entry, str)]
        self._queue.clear()
        self._sounding = False
        for name in pending:
            self._echo(name)

    def _tick(self) -> None:
        self._heap.at(self._heap.now_ms + FRAME_MS, self._tick)
        self._sounding = False
        self._return_marks()
        frame: Audio = array("q")
        while self._queue and len(frame) < FRAME_BYTES:
            head = self._queue[0]
            if isinstance(head, str):
                break
            wanted = FRAME_BYTES - len(frame)
            frame += head[:wanted]
            if len(head) > wanted:
                self._queue[0] = head[wanted:]
            else:
                self._queue.popleft()
        self._sounding = bool(frame)
        self.played += frame

    def _return_marks(self) -> None:
        while self._queue and isinstance(head := self._queue[0], str):
            self._queue.popleft()
            self._echo(head)

    def _echo(self, name: str) -> None:
        self._up.send(lambda: self.on_echo(name))

    def _media(self) -> None:
        now_ms = self._heap.now_ms
        timestamp_ms = FRAME_MS * self._media_count
        self._media_count += 1
        self._heap.at(now_ms + FRAME_MS, self._media)
        if not any(start <= now_ms < end for start, end in self.gaps):
            self._up.send(lambda: self.on_media(timestamp_ms))


class CarrierTime:
    """The bounds on an echo's carrier time, as the Twilio adapter gives them."""

    def __init__(self) -> None:
        self._end_ms = 0
        self._seen_ms = 0

    def on_media(self, timestamp_ms: int, now_ms: int) -> None:
        self._end_ms, self._seen_ms = timestamp_ms + FRAME_MS, now_ms

    def at(self, now_ms: int) -> tuple[int, int]:
        quiet_ms = now_ms - self._seen_ms
        return self._end_ms, self._end_ms + (quiet_ms if quiet_ms > QUIET_MS else FRAME_MS)


@dataclass(frozen=True, slots=True)
class Say:
    """One message item, `audio_ms` long, which comes in chunks `speed` times faster than sound."""

    item_id: str
    audio_ms: float
    speed: float = 5.0
    stall_at_ms: float = math.inf
    """The model goes silent at this position of the item,"""
    stall_ms: float = 0.0
    """for this long."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model does in one response."""

    items: tuple[Say, ...] = ()
    tools: tuple[ToolCall, ...] = ()
    think_ms: float = 100.0


@dataclass(slots=True)
class Running:
    response_id: str
    answer: Answer
    cancelled: bool = False


@dataclass(slots=True)
class Item:
    """What the model remembers of an output item."""

    number: int
    generated: int = 0
    """Bytes."""
    remembered_ms: float | None = None
    """After `truncate`; None: all of it."""
    deleted: bool = False


class Model:
    """One session. Answers come from `script`, in order; every refused command is in `refused`."""

    def __init__(self, heap: Heap, chance: random.Random, to_bot: Wire) -> None:
        self.script: deque[Answer] = deque()
        self.items: dict[str, Item] = {}
        self.refused: list[str] = []
        self.commands: list[Command] = []
        self.server_answers = True
        self.deliver: Callable[[Event, array[int]], object] = lambda event, audio: None
        self.active: Running | None = None
        self.responses = 0
        self._heap, self._chance, self._to_bot = heap, chance, to_bot
        self._turns = 0

    def hear(self, speech_ms: float) -> None:
        """The caller begins to speak now and stops after so long."""
        self._turns += 1
        item_id, axis_ms = f"caller-{self._turns}", int(self._heap.now_ms)
        self._emit(SpeechStarted(item_id, max(0, axis_ms - 300), axis_ms))
        # Audio that the server had on its way when it noticed still follows the event.
        running, late_ms = self.active, self._chance.uniform(0, 40)
        if running is not None:
            self._heap.at(self._heap.now_ms + late_ms, lambda: self._cancel_if(running))
        self._heap.at(self._heap.now_ms + speech_ms, lambda: self._hear_end(item_id))

    def _cancel_if(self, running: Running) -> None:
        if self.active is running:
            self._cancel("turn_detected")

    def _hear_end(self, item_id: str) -> None:
        axis_ms = int(self._heap.now_ms)
        self._emit(SpeechStopped(item_id, axis_ms, axis_ms, 500))
        self._emit(CallerTurnCommitted(item_id))
        if self.server_answers:
            self.respond("")

    def command(self, command: Command) -> None:
        self.commands.append(command)
        match command:
            case CreateResponse():
                self._create(command)
            case CancelResponse():
                if self.active is not None and self.active.response_id == command.response_id:
                    self._cancel("client_cancelled")
            case TruncateItem():
                self._truncate(command)
            case DeleteItem():
                self._delete(command)
            case _:
                assert isinstance(command, SendToolOutput | AddUserText)

    def _create(self, command: CreateResponse) -> None:
        if self.active is not None:
            code = "conversation_already_has_active_response"
            self._emit(ModelFault(code, "", "active_response", command.request_id))
        else:
            self.respond(command.request_id)

    def _truncate(self, command: TruncateItem) -> None:
        item = self.items.get(command.item_id)
        longest = 0 if item is None or item.deleted else item.generated // BYTES_PER_MS
        if item is None or not 0 < command.audio_end_ms <= longest:
            self.refused.append(f"truncate {command.item_id} at {command.audio_end_ms}/{longest}")
            self._emit(ModelFault("invalid_value", "", "rejected", command.request_id))
            return
        item.remembered_ms = command.audio_end_ms
        self._emit(ItemTruncated(command.item_id, command.audio_end_ms))

    def _delete(self, command: DeleteItem) -> None:
        item = self.items.get(command.item_id)
        if item is None or item.deleted:
            self.refused.append(f"delete {command.item_id}")
            self._emit(ModelFault("item_not_found", "", "rejected", command.request_id))
            return
        item.deleted = True
        self._emit(ItemDeleted(command.item_id))

    def respond(self, request_id: str) -> None:
        if not self.script or self.active is not None:
            return
        self.responses += 1
        running = self.active = Running(f"response-{self.responses}", self.script.popleft())
        self._emit(ResponseCreated(running.response_id, request_id))
        at_ms = self._heap.now_ms + running.answer.think_ms
        for say in running.answer.items:
            at_ms = self._plan_item(running, say, at_ms)
        self._later(running, at_ms + 10, lambda: self._done(running))

    def _plan_item(self, running: Running, say: Say, at_ms: float) -> float:
        self._later(running, at_ms, lambda: self._add_item(running, say))
        rest, total = int(say.audio_ms * BYTES_PER_MS), int(say.audio_ms * BYTES_PER_MS)
        stall_left = say.stall_ms
        while rest:
            n_bytes = min(rest, self._chance.randint(700, 3_000))
            if stall_left and (total - rest + n_bytes) / BYTES_PER_MS > say.stall_at_ms:
                at_ms, stall_left = at_ms + stall_left, 0.0
            at_ms += n_bytes / BYTES_PER_MS / say.speed
            self._later(running, at_ms, self._chunk(running, say.item_id, n_bytes))
            rest -= n_bytes
        return at_ms

    def _later(self, running: Running, at_ms: float, work: Callable[[], object]) -> None:
        self._heap.at(at_ms, lambda: None if running.cancelled else work())

    def _add_item(self, running: Running, say: Say) -> None:
        self.items[say.item_id] = Item(len(self.items))
        self._emit(ItemAdded(running.response_id, say.item_id, "message"))
        if say.text:
            self._emit(TextReceived(running.response_id, say.item_id, say.text))

    def _chunk(self, running: Running, item_id: str, n_bytes: int) -> Callable[[], object]:
        def send() -> None:
            item = self.items[item_id]
            base = (item.number << _ITEM_SHIFT) + item.generated
            item.generated += n_bytes
            audio = array("q", range(base, base + n_bytes))
            self._emit(AudioReceived(running.response_id, item_id, n_bytes), audio)

        return send

    def _done(self, running: Running) -> None:
        self.active = None
        calls = running.answer.tools
        self._emit(ResponseFinished(running.response_id, "completed", tool_calls=calls))

    def _cancel(self, reason: str) -> None:
        running = self.active
        if running is not None:
            running.cancelled, self.active = True, None
            self._emit(ResponseFinished(running.response_id, "cancelled", reason))

    def _emit(self, event: Event, audio: Audio = NO_AUDIO) -> None:
        self._to_bot.send(lambda: self.deliver(event, audio))


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
        offsets = [b & 0xFFFFFFFF for b in self.carrier.played if b >= 0 and b >> 32 == number]
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
