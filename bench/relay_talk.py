"""What is said in the calls of `bench.relay`: a caller who plants facts, and a model that answers.

All sound is coded and all words are numbered, so that every millisecond and every answer can be
accounted for: a caller's words name their call and place ("c07u03 ..."), the words of the answer to
them are "a03.00 a03.01 ..." of `WORD_MS` each, those before a tool is run "p03.00 ...". The model
keeps nothing but what the conversation shows, as a real one does.
"""

import random
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from app.call.summary import CUT_OFF_BY_THE_LINE, GO_ON
from app.lab.phone.script import HangUp, Interrupt, Say, Script, Step, Wait, WaitForBot
from app.lab.realtime.ports import CallFunction, Output, Turn
from app.lab.realtime.ports import Say as ModelSays
from app.lab.speech.coded import coded_audio, decode_coded
from app.lab.speech.resume import INTERRUPTED, told_in_progress
from app.lab.speech.summary import summarise

WORD_MS: Final = 240
MOST_CALLS: Final = 60
MOST_UTTERANCES: Final = 30
BACKGROUND: Final = MOST_CALLS * MOST_UTTERANCES
"""Coded stream of a caller's line while nobody speaks: this, and the call's number."""
PREAMBLE: Final = 100
"""Coded stream of what is said before a tool is run: this, and the utterance's number. An answer's
stream is the utterance's number itself."""
GREETING: Final = 900
PHRASE: Final = 901
"""What a model says when it was told to say that the line broke."""
GREETING_WORDS: Final = 6
PHRASE_WORDS: Final = 3
PREAMBLE_WORDS: Final = 3
TOOL: Final = "look_up"

_SYLLABLES = ("ba", "do", "ki", "lu", "mer", "no", "ra", "sol", "ti", "ven")
_MONTHS = ("January", "March", "May", "August", "October", "December")
_TOKEN = re.compile(r"\bc(\d+)u(\d+)\b")
_WORD = re.compile(r"\b([apg])(\d+)\.(\d+)\b")

SaidKind: TypeAlias = Literal["greet", "answer", "tool", "continue", "again", "empty", "phrase"]


@dataclass(frozen=True, slots=True)
class Utterance:
    number: int
    fact: str
    ms: int
    answer_words: int
    tool_ms: int = 0
    """The answer needs a tool that takes so long; 0: none."""
    interrupts_ms: int = 0
    """Said when so much of the answer before it was heard; 0: the caller waits for its end."""
    pause_ms: int = 0
    """What the caller waits in quiet before it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One call's script, before anybody speaks."""

    call: int
    utterances: tuple[Utterance, ...]

    def token(self, utterance: int) -> str:
        return f"c{self.call:02}u{utterance:02}"

    def text(self, utterance: int) -> str:
        return f"{self.token(utterance)} {self.utterances[utterance].fact}"

    def result(self, utterance: int) -> str:
        """What the tool finds for this utterance."""
        return f"{self.token(utterance)} found {self.call * 7919 + utterance * 104_729:07}"

    def stream(self, utterance: int) -> int:
        return self.call * MOST_UTTERANCES + utterance

    def script(self, *, quiet_ms: int, limit_ms: int = 150_000) -> tuple[Script, "Voice"]:
        """`quiet_ms`: how long the bot must be quiet before the caller takes it to be through."""
        steps: list[Step] = [WaitForBot.finished(quiet_ms)]
        for said in self.utterances:
            audio = coded_audio(self.stream(said.number), 0, said.ms, quiet=False)
            if said.interrupts_ms:
                steps.append(Interrupt(audio, said.interrupts_ms, self.text(said.number)))
            else:
                steps += [Wait(said.pause_ms), Say(audio, self.text(said.number))]
            following = self.utterances[said.number + 1 : said.number + 2]
            if not (following and following[0].interrupts_ms):
                steps.append(WaitForBot.finished(quiet_ms, said_ms=100))
        voice = Voice(self)
        script = Script((*steps, Wait(1_500), HangUp()), line_audio=voice, limit_ms=limit_ms)
        return script, voice


def make_plan(call: int, seed: int, utterances: int, *, longest_words: int = 16) -> Plan:
    """Everything drawn from `seed`; the same seed makes the same call."""
    dice = random.Random(f"{seed}/{call}")
    made: list[Utterance] = []
    for number in range(utterances):
        before = made[-1] if made else None
        interrupts = before is not None and not before.tool_ms and dice.random() < 0.35
        longest_ms = min(before.answer_words * WORD_MS - 200, 1_800) if before else 0
        made.append(
            Utterance(
                number=number,
                fact=_fact(dice, number),
                ms=dice.randrange(500, 1_900, 20),
                answer_words=dice.randint(4, longest_words),
                tool_ms=dice.randint(1_000, 3_500) if dice.random() < 0.4 else 0,
                interrupts_ms=dice.randint(100, longest_ms) if interrupts else 0,
                pause_ms=dice.randint(0, 1_500),
            )
        )
    return Plan(call, tuple(made))


def _fact(dice: random.Random, number: int) -> str:
    match number % 3:
        case 0:
            name = "".join(dice.choice(_SYLLABLES) for _ in range(3)).capitalize()
            return f"the name is {name}{dice.randint(10, 99)}"
        case 1:
            return f"the number is {dice.randint(1000, 9999)}-{dice.randint(100, 999)}"
        case _:
            at = f"{dice.randint(0, 23):02}:{dice.randint(0, 59):02}"
            return f"on {dice.randint(1, 28)} {dice.choice(_MONTHS)} at {at}"


@dataclass(slots=True)
class Spoken:
    """One utterance as the telephone sent it. Seconds of `time.monotonic`."""

    utterance: int
    began_s: float
    ended_s: float
    unsent_frames: int = 0
    """Those that fell where no stream was open: nobody can have heard them."""


class Voice:
    """A caller's line: `Script.line_audio`. Every frame is coded, also where nobody speaks."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.spoken: list[Spoken] = []
        self.sent: list[tuple[int, int, float]] = []
        """(coded stream, first ms, when) of each frame that went out."""
        self._background = BACKGROUND + plan.call
        self._quiet_ms = 0
        self._speech_ms = 0
        self._second = b""
        self._speaking = False

    def __call__(self, tick: int, frame: bytes | None) -> bytes:
        now_s = time.monotonic()
        if frame is None:
            self._speaking = False
            return self._quiet(tick, now_s)
        if not self._speaking:
            self._speaking, self._speech_ms = True, 0
            self.spoken.append(Spoken(len(self.spoken), now_s, now_s))
        spoken = self.spoken[-1]
        spoken.ended_s = now_s + 0.020
        if tick >= 0:
            self.sent.append((self.plan.stream(spoken.utterance), self._speech_ms, now_s))
        else:
            spoken.unsent_frames += 1
        self._speech_ms += 20
        return frame

    def _quiet(self, tick: int, now_s: float) -> bytes:
        into_ms = self._quiet_ms % 1_000
        if not into_ms:
            self._second = coded_audio(self._background, self._quiet_ms, 1_000, quiet=True)
        if tick >= 0:
            self.sent.append((self._background, self._quiet_ms, now_s))
            self._quiet_ms += 20
        return self._second[into_ms * 8 : into_ms * 8 + 160]


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
        return [ModelSays(summarise(conversation, instructions), b"")]

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
            self._note("empty", plan.call)
            return []
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
        self._note("continue" if found else "empty", -1)
        first = min(int(found[-1][2]) if found else 0, GREETING_WORDS - 1)
        return [_line("g", GREETING, first, GREETING_WORDS)] if found else []

    def _note(self, kind: SaidKind, call: int, utterance: int = -1) -> None:
        self._log.append(Said(time.monotonic(), kind, call, utterance))


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


def _line(letter: str, stream: int, first: int, words: int) -> ModelSays:
    number = stream % PREAMBLE if letter == "p" else stream
    text = " ".join(f"{letter}{number:02}.{word:02}" for word in range(first, words))
    audio = coded_audio(stream, first * WORD_MS, (words - first) * WORD_MS, quiet=False)
    return ModelSays(text, audio)


def _call(plan: Plan, number: int) -> CallFunction:
    said = plan.utterances[number]
    return CallFunction(TOOL, {"token": plan.token(number), "takes_ms": said.tool_ms})
