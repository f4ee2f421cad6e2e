"""The model in the calls of `bench.relay`: its ear, and a brain that answers what waits.

It keeps nothing but what the conversation shows, as a real one does, and writes down what it was
asked for: so an answer given twice, or never, is found.
"""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from app.call.summary import CUT_OFF_BY_THE_LINE, GO_ON
from app.lab.realtime.ports import CallFunction, Output, Say, Turn
from app.lab.speech.coded import coded_audio, decode_coded
from app.lab.speech.resume import INTERRUPTED, told_in_progress
from app.lab.speech.summary import summarise
from bench.relay_talk import (
    BACKGROUND,
    GREETING,
    MOST_UTTERANCES,
    PARDON,
    PHRASE,
    TOOL,
    Plan,
    stream_of,
    words_apart,
)
from bench.relay_words import Letter, Place, Words, found_in, from_ms, text_of, whole_ms

_TOKEN = re.compile(r"\bc(\d+)u(\d+)\b")

SaidKind: TypeAlias = Literal["greet", "answer", "tool", "continue", "again", "empty", "phrase"]


class CodedEar:
    """Knows what was said by the coded stream in which it was said."""

    def __init__(self, plans: Mapping[int, Plan]) -> None:
        self._plans = plans

    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        """See `app.lab.realtime.ports.Ear`."""
        streams = {run.stream_id for run in decode_coded(utterance) if run.stream_id < BACKGROUND}
        found = [divmod(stream, MOST_UTTERANCES) for stream in sorted(streams)]
        words = [self._plans[call].text(number) for call, number in found if call in self._plans]
        return " ".join(words) or "(nothing)"


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that the model was asked for and gave."""

    at_s: float
    kind: SaidKind
    call: int
    """-1 where the conversation did not show which one it was."""
    utterance: int = -1


@dataclass(slots=True)
class _Seen:
    """What a conversation shows to whoever must go on with it."""

    call: int = -1
    waiting: list[int] = field(default_factory=list)
    """Utterances to which no answer is seen."""
    returned: list[int] = field(default_factory=list)
    """Utterances whose tool came back, and nothing was said about it yet."""
    called: set[int] = field(default_factory=set)
    newest: int = -1
    last_words: tuple[Place, ...] = ()
    """Of the agent's newest line."""
    cut: bool = False

    def take(self, turn: Turn) -> None:
        numbers = [int(utterance) for _, utterance in _TOKEN.findall(turn.text)]
        self.call = next((int(call) for call, _ in _TOKEN.findall(turn.text)), self.call)
        match turn.role:
            case "user":
                self.waiting += [number for number in numbers if number not in self.waiting]
                self.newest = max([self.newest, *numbers])
            case "assistant":
                self._hear_agent(turn.text)
            case "function_call":
                self.called.update(numbers)
                self.waiting = [u for u in self.waiting if u not in self.called]
            case "function_call_output":
                # One that came to nothing names no utterance: it belongs to the newest call.
                self.returned += numbers or sorted(self.called)[-1:]
            case _:
                pass

    def _hear_agent(self, text: str) -> None:
        """An answer without words was cut, and its words forgotten: it was the one in turn."""
        self.last_words = tuple(found_in(text))
        self.cut = not text or text.endswith(INTERRUPTED)
        said = {(place.letter, place.number) for place in self.last_words}
        if not said:
            (self.returned or self.waiting or [0]).pop(0)
        self.returned = [u for u in self.returned if ("a", u) not in said]
        self.waiting = [u for u in self.waiting if not {("a", u), ("p", u)} & said]


class RelayBrain:
    """One session's mind. It answers whatever in the conversation waits for an answer."""

    def __init__(self, plans: Mapping[int, Plan], log: list[Said]) -> None:
        self._plans = plans
        self._log = log

    def hints(self) -> Sequence[str]:
        """See `app.lab.realtime.ports.Brain`."""
        return ()

    def aside(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        """A summary: everything that the caller said and every tool's result, word for word."""
        return [Say(summarise(conversation, instructions), b"")]

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        """See `app.lab.realtime.ports.Brain`."""
        seen = _Seen()
        for turn in conversation:
            seen.take(turn)
        begin: list[Output] = []
        if CUT_OFF_BY_THE_LINE in instructions:
            begin = [_apart(PHRASE)]
            self._note("phrase", seen.call)
        return [*begin, *self._answers(seen, instructions, nothing_yet=not conversation)]

    def _answers(self, seen: _Seen, instructions: str, *, nothing_yet: bool) -> Sequence[Output]:
        if nothing_yet and not told_in_progress(instructions):
            self._note("greet", -1)
            return [_apart(GREETING)]
        plan = self._plans.get(seen.call)
        if plan is None:
            return self._go_on_greeting(seen)
        answers: list[Output] = []
        owed = seen.returned or seen.waiting
        broke_off = bool(seen.last_words) and not _whole(plan, seen)
        if not owed or (_to_go_on(instructions) and broke_off):
            answers += self._go_on(plan, seen, instructions)
        for number in seen.returned:
            self._note("tool", seen.call, number)
            answers.append(_line(plan, "a", number))
        for number in seen.waiting:
            self._note("answer", seen.call, number)
            answers += self._answer(plan, number)
        return answers

    def _answer(self, plan: Plan, number: int) -> list[Output]:
        said = plan.utterances[number]
        if said.tool_ms:
            return [_line(plan, "p", number), _call(plan, number)]
        return [_line(plan, "a", number)]

    def _go_on(self, plan: Plan, seen: _Seen, instructions: str) -> Sequence[Output]:
        """What was being said is finished, or said once more if it was whole."""
        if seen.called and not seen.last_words:
            return self._ask_again(plan.call)
        if not seen.last_words:
            number = seen.newest
            self._note("again", plan.call, number)
            return self._answer(plan, number) if number >= 0 else []
        last = seen.last_words[-1]
        if last.letter == "g":
            return self._go_on_greeting(seen)
        wanted = _to_go_on(instructions) or not _whole(plan, seen)
        self._note("continue" if wanted else "again", plan.call, last.number)
        rest: list[Output] = [_line(plan, last.letter, last.number, _after(seen))]
        if last.letter == "p" and last.number not in seen.called:
            rest.append(_call(plan, last.number))
        return rest

    def _go_on_greeting(self, seen: _Seen) -> Sequence[Output]:
        """The conversation was in progress, but the caller has said nothing yet."""
        if not seen.last_words or seen.last_words[-1].number != GREETING or _greeted(seen):
            return self._ask_again(-1)
        self._note("continue", -1)
        return [_apart(GREETING, _after(seen))]

    def _ask_again(self, call: int) -> list[Output]:
        self._note("empty", call)
        return [_apart(PARDON)]

    def _note(self, kind: SaidKind, call: int, utterance: int = -1) -> None:
        self._log.append(Said(time.monotonic(), kind, call, utterance))


def _greeted(seen: _Seen) -> bool:
    """Whether the agent's last words were the end of the greeting."""
    return not seen.cut and seen.last_words[-1].index + 1 >= len(words_apart(GREETING))


def _to_go_on(instructions: str) -> bool:
    return GO_ON in instructions or CUT_OFF_BY_THE_LINE in instructions


def _whole(plan: Plan, seen: _Seen) -> bool:
    """Whether the agent's last words were all of their answer."""
    if not seen.last_words or seen.cut:
        return False
    last = seen.last_words[-1]
    return last.index + 1 >= len(plan.words(last.letter, last.number))


def _after(seen: _Seen) -> int:
    """The word with which a speaker who was cut goes on: the last one, said once more."""
    last = seen.last_words[-1]
    return last.index if seen.cut else last.index + 1


def _apart(number: int, first: int = 0) -> Say:
    return _said(words_apart(number), number, first)


def _line(plan: Plan, letter: Letter, number: int, first: int = 0) -> Say:
    return _said(plan.words(letter, number), stream_of(letter, number), first)


def _said(words: Words, stream: int, first: int) -> Say:
    """What is left from a word on; the last one if nothing is."""
    first = min(first, len(words) - 1)
    start_ms = from_ms(words, first)
    audio = coded_audio(stream, start_ms, whole_ms(words) - start_ms, quiet=False)
    return Say(text_of(words, first), audio)


def _call(plan: Plan, number: int) -> CallFunction:
    said = plan.utterances[number]
    return CallFunction(TOOL, {"token": plan.token(number), "takes_ms": said.tool_ms})
