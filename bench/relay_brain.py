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
    GREETING_WORDS,
    MOST_UTTERANCES,
    PARDON,
    PHRASE,
    PHRASE_WORDS,
    PREAMBLE,
    PREAMBLE_WORDS,
    TOOL,
    WORD_MS,
    Plan,
)

_TOKEN = re.compile(r"\bc(\d+)u(\d+)\b")
_WORD = re.compile(r"\b([apg])(\d+)\.(\d+)\b")

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


class NoMouth:
    """Every line brings its own sound."""

    async def say(self, text: str, voice: str) -> bytes:
        """See `app.lab.realtime.ports.Mouth`."""
        raise RuntimeError(f"no audio was given for {text!r}")


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
    last_words: str = ""
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
        self.last_words = text
        self.cut = not text or text.endswith(INTERRUPTED)
        said = {(letter, int(number)) for letter, number, _ in _WORD.findall(text)}
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
            begin = [_line("g", PHRASE, 0, PHRASE_WORDS)]
            self._note("phrase", seen.call)
        return [*begin, *self._answers(seen, instructions, nothing_yet=not conversation)]

    def _answers(self, seen: _Seen, instructions: str, *, nothing_yet: bool) -> Sequence[Output]:
        if nothing_yet and not told_in_progress(instructions):
            self._note("greet", -1)
            return [_line("g", GREETING, 0, GREETING_WORDS)]
        plan = self._plans.get(seen.call)
        if plan is None:
            return self._go_on_greeting(seen)
        answers: list[Output] = []
        owed = seen.returned or seen.waiting
        broke_off = _WORD.search(seen.last_words) is not None and not _whole(plan, seen)
        if not owed or (_to_go_on(instructions) and broke_off):
            answers += self._go_on(plan, seen, instructions)
        for number in seen.returned:
            self._note("tool", seen.call, number)
            answers.append(_line("a", number, 0, plan.utterances[number].answer_words))
        for number in seen.waiting:
            self._note("answer", seen.call, number)
            answers += self._answer(plan, number)
        return answers

    def _answer(self, plan: Plan, number: int) -> list[Output]:
        said = plan.utterances[number]
        if said.tool_ms:
            return [_line("p", PREAMBLE + number, 0, PREAMBLE_WORDS), _call(plan, number)]
        return [_line("a", number, 0, said.answer_words)]

    def _go_on(self, plan: Plan, seen: _Seen, instructions: str) -> Sequence[Output]:
        """What was being said is finished, or said once more if it was whole."""
        found = _WORD.findall(seen.last_words)
        if seen.called and not found:
            return self._ask_again(plan.call)
        if not found:
            number = seen.newest
            self._note("again", plan.call, number)
            return self._answer(plan, number) if number >= 0 else []
        letter, number, last = found[-1][0], int(found[-1][1]), int(found[-1][2])
        if letter == "g":
            return self._go_on_greeting(seen)
        whole = _words_of(plan, letter, number)
        first = min(last if seen.cut else last + 1, whole - 1)
        wanted = _to_go_on(instructions) or not _whole(plan, seen)
        self._note("continue" if wanted else "again", plan.call, number)
        stream = PREAMBLE + number if letter == "p" else number
        rest: list[Output] = [_line(letter, stream, first, whole)]
        if letter == "p" and number not in seen.called:
            rest.append(_call(plan, number))
        return rest

    def _go_on_greeting(self, seen: _Seen) -> Sequence[Output]:
        """The conversation was in progress, but the caller has said nothing yet."""
        found = _WORD.findall(seen.last_words)
        if not found or _said_whole_greeting(seen):
            return self._ask_again(-1)
        self._note("continue", -1)
        first = min(int(found[-1][2]), GREETING_WORDS - 1)
        return [_line("g", GREETING, first, GREETING_WORDS)]

    def _ask_again(self, call: int) -> list[Output]:
        self._note("empty", call)
        return [_line("g", PARDON, 0, PHRASE_WORDS)]

    def _note(self, kind: SaidKind, call: int, utterance: int = -1) -> None:
        self._log.append(Said(time.monotonic(), kind, call, utterance))


def _said_whole_greeting(seen: _Seen) -> bool:
    found = _WORD.findall(seen.last_words)
    return not seen.cut and found[-1][0] == "g" and int(found[-1][2]) + 1 >= GREETING_WORDS


def _to_go_on(instructions: str) -> bool:
    return GO_ON in instructions or CUT_OFF_BY_THE_LINE in instructions


def _words_of(plan: Plan, letter: str, number: int) -> int:
    match letter:
        case "g":
            return GREETING_WORDS
        case "p":
            return PREAMBLE_WORDS
        case _:
            return plan.utterances[number].answer_words


def _whole(plan: Plan, seen: _Seen) -> bool:
    """Whether the agent's last words were all of their answer."""
    found = _WORD.findall(seen.last_words)
    if not found or seen.cut:
        return False
    letter, number, last = found[-1][0], int(found[-1][1]), int(found[-1][2])
    return last + 1 >= _words_of(plan, letter, number)


def _line(letter: str, stream: int, first: int, words: int) -> Say:
    number = stream % PREAMBLE if letter == "p" else stream
    text = " ".join(f"{letter}{number:02}.{word:02}" for word in range(first, words))
    audio = coded_audio(stream, first * WORD_MS, (words - first) * WORD_MS, quiet=False)
    return Say(text, audio)


def _call(plan: Plan, number: int) -> CallFunction:
    said = plan.utterances[number]
    return CallFunction(TOOL, {"token": plan.token(number), "takes_ms": said.tool_ms})
