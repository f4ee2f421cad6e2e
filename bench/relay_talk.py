"""What is said in the calls of `bench.relay`: callers who plant facts, and answers of known words.

All sound is coded and each word is known by itself, so that every millisecond and every answer can
be accounted for: a caller's words name their call and place ("c07u03 ..."), those of an answer are
of relay_words.py.
"""

import random
import time
from dataclasses import dataclass
from typing import Final

from app.lab.phone.script import HangUp, Interrupt, Say, Script, Step, Wait, WaitForBot
from app.lab.speech.coded import coded_audio
from bench.relay_words import APART, MOST_ANSWERS, Letter, Words, whole_ms, words_of

MOST_CALLS: Final = 60
MOST_UTTERANCES: Final = MOST_ANSWERS
BACKGROUND: Final = MOST_CALLS * MOST_UTTERANCES
"""Coded stream of a caller's line while nobody speaks: this, and the call's number."""
PREAMBLE: Final = 100
"""Coded stream of what is said before a tool is run: this, and the utterance's number. An answer's
stream is the utterance's number itself."""
GREETING, PHRASE, PARDON = APART
"""Coded streams of what belongs to no utterance. `PHRASE` is what a model says when it was told to
say that the line broke; `PARDON` when it was asked for an answer and was told of nothing to answer.
"""
GREETING_WORDS: Final = 5
PHRASE_WORDS: Final = 3
PREAMBLE_WORDS: Final = 3
SPARED_MS: Final = 700
"""An interruption comes no later before the end of an answer: the caller would wait for what is not
there if a word were left out where another session finished it."""
TOOL: Final = "look_up"

_SYLLABLES = ("ba", "do", "ki", "lu", "mer", "no", "ra", "sol", "ti", "ven")
_MONTHS = ("January", "March", "May", "August", "October", "December")


def stream_of(letter: Letter, number: int) -> int:
    """The coded stream of what is said."""
    return PREAMBLE + number if letter == "p" else number


def said_in(stream: int) -> tuple[Letter, int]:
    """What is said in this coded stream of a bot's."""
    if stream >= GREETING:
        return "g", stream
    return ("p", stream - PREAMBLE) if stream >= PREAMBLE else ("a", stream)


def words_apart(number: int) -> Words:
    """What belongs to no utterance."""
    return words_of("g", number, GREETING_WORDS if number == GREETING else PHRASE_WORDS)


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

    def words(self, letter: Letter, number: int) -> Words:
        """All of what is said there."""
        match letter:
            case "g":
                return words_apart(number)
            case "p":
                return words_of("p", number, PREAMBLE_WORDS)
            case "a":
                return words_of("a", number, self.utterances[number].answer_words)

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
        longest_ms = _interruptible_ms(before) if before else 0
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


def _interruptible_ms(answer: Utterance) -> int:
    words = words_of("a", answer.number, answer.answer_words)
    return max(100, min(whole_ms(words) - SPARED_MS, 1_800))


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
