"""A realtime model in virtual time, as OpenAI's GA guide describes a WebSocket session.

It speaks in bursts, stalls, cancels when the caller speaks (with audio still on its way), and
refuses what the real one refuses: a second response, a truncation above what it generated, an
item or an output that it knows nothing of.
"""

import math
import random
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from app.call.commands import (
    AddAgentText,
    AddUserText,
    CancelResponse,
    ClearInput,
    Command,
    CommitInput,
    CreateResponse,
    DeleteItem,
    RewriteItem,
    SendToolOutput,
    TruncateItem,
)
from app.call.events import (
    AudioReceived,
    CallerTranscribed,
    CallerTurnCommitted,
    Entry,
    Event,
    ItemAdded,
    ItemDeleted,
    ItemTruncated,
    ModelFault,
    ResponseCreated,
    ResponseFinished,
    SpeechStarted,
    SpeechStopped,
    TextReceived,
    ToolCall,
)
from tests.call.virtual_time import BYTES_PER_MS, ITEM_SHIFT, NO_AUDIO, Audio, Heap, Wire


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


@dataclass(frozen=True, slots=True)
class Speech:
    """Something that the caller says, in milliseconds of the caller axis."""

    start_ms: float
    end_ms: float
    text: str = ""
    """As it is transcribed; "": it is not."""


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

    def __init__(self, heap: Heap, chance: random.Random, to_bot: Wire, leg: int = 1) -> None:
        self.script: deque[Answer] = deque()
        self.endless: Callable[[], Answer] | None = None
        """What it answers when the script is over; None: nothing."""
        self.items: dict[str, Item] = {}
        self.told: dict[str, Entry] = {}
        """By item id what it was told of the time before."""
        self.heard: list[Speech] = []
        """What the caller said to it."""
        self.refused: list[str] = []
        self.commands: list[Command] = []
        self.decides = True
        """It hears where the caller's turns begin and end; else they are committed."""
        self.server_answers = True
        self.server_cancels = True
        self.turns: set[str] = set()
        """The caller's items that it remembers."""
        self.deliver: Callable[[Event, array[int]], object] = lambda event, audio: None
        self.active: Running | None = None
        self.responses = 0
        self._heap, self._chance, self._to_bot = heap, chance, to_bot
        self._turns = 0
        self._buffer: list[Speech] = []
        """What it was handed since the last commit, where it decides nothing."""
        self._calls: set[str] = set()
        self._leg = leg

    def _id(self, kind: str, number: int) -> str:
        """Vendors' ids are never the same in two sessions."""
        return f"{kind}-{number}" if self._leg == 1 else f"{kind}-{self._leg}.{number}"

    def tell(self, entry: Entry) -> None:
        assert entry.item_id, "an item without an id cannot be rewritten"
        self.told[entry.item_id] = entry
        if entry.kind == "tool" and entry.output is None:
            self._calls.add(entry.call_id)

    def hear(self, speech_ms: float) -> None:
        """The caller begins to speak now and stops after so long."""
        self.listen(Speech(self._heap.now_ms, self._heap.now_ms + speech_ms))

    def listen(self, speech: Speech) -> None:
        """The caller begins to speak now, or began earlier and it is handed over now."""
        self.heard.append(speech)
        if not self.decides:
            self._buffer.append(speech)
            return
        self._turns += 1
        item_id, axis_ms = self._id("caller", self._turns), int(self._heap.now_ms)
        self._emit(SpeechStarted(item_id, max(0, int(speech.start_ms) - 300), axis_ms))
        # Audio that the server had on its way when it noticed still follows the event.
        running, late_ms = self.active, self._chance.uniform(0, 40)
        if running is not None and self.server_cancels:
            self._heap.at(self._heap.now_ms + late_ms, lambda: self._cancel_if(running))
        end_ms = max(speech.end_ms, self._heap.now_ms + 20)
        self._heap.at(end_ms, lambda: self._hear_end(item_id, speech))

    def _cancel_if(self, running: Running) -> None:
        if self.active is running:
            self._cancel("turn_detected")

    def _hear_end(self, item_id: str, speech: Speech) -> None:
        end_ms, axis_ms = int(speech.end_ms), int(self._heap.now_ms)
        self._emit(SpeechStopped(item_id, end_ms, axis_ms, 500))
        self._emit(CallerTurnCommitted(item_id))
        self.turns.add(item_id)
        if speech.text:
            said = CallerTranscribed(item_id, speech.text)
            self._heap.at(axis_ms + self._chance.uniform(50, 400), lambda: self._emit(said))
        if self.server_answers:
            self.respond("")

    def _commit(self) -> None:
        """What was said in full becomes an item."""
        now_ms = self._heap.now_ms
        said = [speech.text for speech in self._buffer if speech.end_ms <= now_ms]
        self._buffer = [speech for speech in self._buffer if speech.end_ms > now_ms]
        self._turns += 1
        item_id = self._id("caller", self._turns)
        self.turns.add(item_id)
        self._emit(CallerTurnCommitted(item_id))
        words = CallerTranscribed(item_id, " ".join(said))
        self._heap.at(now_ms + self._chance.uniform(50, 400), lambda: self._emit(words))

    def _forget(self, keep_ms: int) -> None:
        since_ms = self._heap.now_ms - keep_ms
        self._buffer = [speech for speech in self._buffer if speech.end_ms > since_ms]

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
            case RewriteItem():
                self._rewrite(command)
            case CommitInput():
                self._commit()
            case ClearInput(keep_ms):
                self._forget(keep_ms)
            case SendToolOutput():
                if command.call_id not in self._calls:
                    self.refused.append(f"output of {command.call_id}")
                self._calls.discard(command.call_id)
            case AddAgentText():
                self.told[command.item_id] = Entry("agent", command.item_id, command.text)
            case _:
                assert isinstance(command, AddUserText)

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
        if command.item_id in self.turns:
            self.turns.discard(command.item_id)
            self._emit(ItemDeleted(command.item_id))
            return
        if item is None or item.deleted:
            self.refused.append(f"delete {command.item_id}")
            self._emit(ModelFault("item_not_found", "", "rejected", command.request_id))
            return
        item.deleted = True
        self._emit(ItemDeleted(command.item_id))

    def _rewrite(self, command: RewriteItem) -> None:
        entry = self.told.pop(command.item_id, None)
        if entry is None:
            self.refused.append(f"rewrite {command.item_id}")
        elif command.text:
            self.told[command.new_id] = replace(entry, item_id=command.new_id, text=command.text)

    def respond(self, request_id: str) -> None:
        if self.active is not None or not (self.script or self.endless):
            return
        self.responses += 1
        answer = self.script.popleft() if self.script or self.endless is None else self.endless()
        running = self.active = Running(self._id("response", self.responses), answer)
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
        self.items[say.item_id] = Item(1_000 * self._leg + len(self.items))
        self._emit(ItemAdded(running.response_id, say.item_id, "message"))
        if say.text:
            self._emit(TextReceived(running.response_id, say.item_id, say.text))

    def _chunk(self, running: Running, item_id: str, n_bytes: int) -> Callable[[], object]:
        def send() -> None:
            item = self.items[item_id]
            base = (item.number << ITEM_SHIFT) + item.generated
            item.generated += n_bytes
            audio = array("q", range(base, base + n_bytes))
            self._emit(AudioReceived(running.response_id, item_id, n_bytes), audio)

        return send

    def _done(self, running: Running) -> None:
        self.active = None
        calls = running.answer.tools
        self._calls.update(call.call_id for call in calls)
        self._emit(ResponseFinished(running.response_id, "completed", tool_calls=calls))

    def _cancel(self, reason: str) -> None:
        running = self.active
        if running is not None:
            running.cancelled, self.active = True, None
            self._emit(ResponseFinished(running.response_id, "cancelled", reason))

    def _emit(self, event: Event, audio: Audio = NO_AUDIO) -> None:
        self._to_bot.send(lambda: self.deliver(event, audio))
