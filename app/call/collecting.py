"""Digits that the model asked for by a tool call: collected without it, told to it once.

    none --the model calls collect_digits--> running
    running --complete, no tries left, the caller spoke, another call of it--> none

Rules:
1. The call has one output: the digits, or why there are none. A try that failed while others are
   left is no output; the model is told to ask again.
2. The first kind of answer counts, as with telephone menus that take both. Words before the first
   key end the collection, so that whoever says the number, or that they have none, is not kept
   waiting for a time-out. Words after it do not: people read digits aloud while they type.
3. A voice that only listens ("okay"), a noise and a wish for a moment ("let me find my card") are
   no answers; the caller who asked for a moment gets it.
4. Waiting for the first key begins when nothing is said any more and no answer is under way.
5. A model that calls the tool again while it runs means the same collection, unless it asks for
   something else: then that is begun, and the former call is told so.
6. Another session goes on with it. Another worker begins it anew and has the caller asked again:
   keys are kept nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.call.barge_in import Words
from app.call.caller_words import kind_of
from app.call.collect_tool import (
    BEGIN_ANEW,
    COLLECT_TOOL,
    REPLACED,
    SPOKE,
    UNSAFE,
    ArgumentsError,
    ask_again,
    called_off,
    result,
    wishes,
)
from app.call.commands import Command
from app.call.events import (
    CallerTranscribed,
    CallerTurnCommitted,
    Event,
    KeyPressed,
    KeysUnsafe,
    ResponseCreated,
    SpeechStopped,
    ToolCall,
)
from app.call.floor import FloorState
from app.call.holding import wants_to_hold
from app.call.key_entry import Collect, KeyEntry
from app.call.machines import Machines
from app.call.phases import Phase
from app.call.timeline import Cause

WORDS_MS = 4_000
"""How long the words of a turn are waited for. Without them it counts as an answer: the model has
heard it."""


@dataclass(frozen=True, slots=True)
class Running:
    """A call of the tool that has no output yet."""

    call_id: str
    settings: Collect
    alone: bool
    """No other tool was called with it."""


class Collecting:
    """One per call."""

    def __init__(self, machines: Machines) -> None:
        self._m = machines
        self._running: Running | None = None
        self._said: dict[str, int] = {}
        """Turns of the caller whose words are awaited, and when they were over."""
        self._spoke = False
        """The caller answered in words."""
        self._answered = False
        """The model began an answer since the caller's last turn."""
        self._hold_until_ms: int | None = None
        """The caller asked for a moment."""

    # The model asks

    def begin(self, calls: Sequence[ToolCall], now_ms: int) -> list[Command]:
        """Of the calls of one response the one that collects, if there is one."""
        call = next((call for call in calls if call.name == COLLECT_TOOL), None)
        if call is None:
            return []
        self._m.scribe.tool_began(call.call_id, call.name, now_ms)
        try:
            settings = wishes(call.arguments)
        except ArgumentsError as error:
            why = f"{COLLECT_TOOL} was not run: {error}"
            return self._called_off(call.call_id, why, now_ms, answer=True)
        commands, before = self._replaced(now_ms), self._running
        if before is None or before.settings != settings:
            self._m.keypad.cancel(now_ms)
            self._taken(now_ms)
            self._m.keypad.collect(settings, now_ms)
        self._running = Running(call.call_id, settings, len(calls) == 1)
        self._said.clear()
        self._spoke, self._hold_until_ms = False, None
        return commands

    def begin_anew(self, calls: Sequence[ToolCall], now_ms: int) -> list[Command]:
        """On another worker, for the calls that had no output yet."""
        commands = self.begin(calls, now_ms)
        if self._running is None:
            return commands
        return commands + self._m.responses.want(BEGIN_ANEW, now_ms)

    def unsafe(self, _event: KeysUnsafe, now_ms: int) -> list[Command]:
        """A private entry is called off; any other goes on."""
        running = self._running
        if running is None or not running.settings.masked:
            return []
        self._m.keypad.cancel(now_ms)
        self._taken(now_ms)
        self._end()
        return self._called_off(running.call_id, UNSAFE, now_ms, answer=True)

    def _replaced(self, now_ms: int) -> list[Command]:
        """The answer to the newer call is the answer to this one too."""
        before = self._running
        if before is None:
            return []
        return self._called_off(before.call_id, REPLACED, now_ms, answer=not before.alone)

    # The caller answers

    def saw(self, event: Event, now_ms: int) -> None:
        """Before the heart acts on it."""
        if self._running is None:
            return
        match event:
            case SpeechStopped() | CallerTurnCommitted():
                self._said[event.item_id] = now_ms
                self._answered = False
            case ResponseCreated():
                self._answered = True
            case CallerTranscribed() if self._said.pop(event.item_id, None) is not None:
                self._heard(event.text, now_ms)
            case KeyPressed():
                self._hold_until_ms = None
            case _:
                pass

    def _heard(self, text: str, now_ms: int) -> None:
        m = self._m
        if wants_to_hold(text, m.settings.language):
            self._hold_until_ms = now_ms + m.settings.patience.hold_ms
        elif kind_of(text, m.settings.language) is Words.SPEECH:
            self._spoke = not m.keypad.typing

    # Time

    @property
    def due_ms(self) -> int | None:
        """When `look` has something to do though nothing happens; the keypad has times too."""
        due = [ended_ms + WORDS_MS for ended_ms in self._said.values()]
        if self._hold_until_ms is not None:
            due.append(self._hold_until_ms)
        return min(due, default=None)

    def look(self, now_ms: int) -> list[Command]:
        """After each step."""
        m, running = self._m, self._running
        if running is None:
            return []
        self._expire(now_ms)
        m.keypad.question(now_ms, playing=self._waits)
        if self._spoke:
            m.keypad.cancel(now_ms)
        entry = self._taken(now_ms)
        if entry is None:
            return []
        if entry.tries_left:
            return self._ask_again(running, entry, now_ms)
        self._end()
        if entry.reason == "cancelled":
            answer = not (running.alone and self._words_answered)
            return self._called_off(running.call_id, SPOKE, now_ms, answer=answer)
        commands, last = self._returned(running.call_id, result(entry), now_ms, ok=entry.complete)
        if not last or m.phase is Phase.GOODBYE:
            return commands
        m.scribe.timeline.begin(_cause(entry))
        return commands + m.want_answer(now_ms)

    @property
    def _words_answered(self) -> bool:
        """The model answers what the caller said, or will: nothing need be asked of it. A noise
        that nobody took for a turn is answered by nobody."""
        return self._answered or self._m.responses.owed

    def _expire(self, now_ms: int) -> None:
        if self._hold_until_ms is not None and now_ms >= self._hold_until_ms:
            self._hold_until_ms = None
        for item_id, ended_ms in list(self._said.items()):
            if now_ms >= ended_ms + WORDS_MS:
                del self._said[item_id]
                self._spoke = not self._m.keypad.typing

    @property
    def _waits(self) -> bool:
        """The caller is asked, speaks, or was given a moment: no key is expected yet."""
        m = self._m
        speaks = m.floor.caller_speaking or m.floor.state is not FloorState.FREE or self._said
        asked = m.playout.unplayed or m.responses.owed
        return bool(asked or speaks) or self._hold_until_ms is not None

    def _taken(self, now_ms: int) -> KeyEntry | None:
        """What came of the newest try that ended; what is noticed late counts no more."""
        newest = None
        while (entry := self._m.keypad.take_collected(now_ms)) is not None:
            newest = entry
        return newest

    def _ask_again(self, running: Running, entry: KeyEntry, now_ms: int) -> list[Command]:
        m = self._m
        if m.phase is Phase.GOODBYE:
            return []
        m.scribe.timeline.begin(_cause(entry))
        return m.responses.want(ask_again(entry, running.settings), now_ms)

    def _end(self) -> None:
        self._running, self._spoke, self._hold_until_ms = None, False, None
        self._said.clear()

    def _called_off(self, call_id: str, why: str, now_ms: int, *, answer: bool) -> list[Command]:
        """`answer`: one is due if this is the last output of its group."""
        commands, last = self._returned(call_id, called_off(why), now_ms, ok=False)
        return commands + self._m.want_answer(now_ms) if last and answer else commands

    def _returned(
        self, call_id: str, told: str, now_ms: int, *, ok: bool
    ) -> tuple[list[Command], bool]:
        """The tool's output, and whether it was the last that its group waited for."""
        m = self._m
        m.scribe.tool_ended(call_id, now_ms, ok=ok)
        m.history.returned(call_id, told)
        return m.tools.came_back(call_id, told)


def _cause(entry: KeyEntry) -> Cause:
    """What makes the agent speak."""
    return "silence" if entry.reason == "no_input" else "keys"
