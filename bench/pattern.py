"""Cases of interruption: what the model says, and when the caller speaks into it.

All bot audio is coded audio (every millisecond names its item), so what was really played is
decoded from what the telephone heard, not computed by anybody's clock.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from app.lab.phone.impairments import Window
from app.lab.phone.script import HangUp, Interrupt, Script, Step, WaitForBot
from app.lab.realtime.ports import CallFunction, Output, Say, Turn
from app.lab.speech.coded import coded_audio

SHOUT_STREAM = 2_000
"""Coded stream id of the caller's own voice; bot items count from 1."""


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of interruption. The greeting is the first answer; each shout asks for the next."""

    name: str
    answers: tuple[tuple["Line | Tool", ...], ...]
    """What the model says, response by response; the last one repeats."""
    after_ms: tuple[int, ...]
    """For each interruption, how much bot audio the caller hears before speaking."""
    gaps: tuple[Window, ...] = ()
    """Spans without caller media, on the stream's clock."""


@dataclass(frozen=True, slots=True)
class Line:
    ms: int
    """Length of this item's audio."""
    stall_after_ms: int | None = None
    stall_ms: int = 0


@dataclass(frozen=True, slots=True)
class Tool:
    """A call of the agent's tool, whose output brings the next answer."""


CASES = (
    Case("steady", ((Line(6_000),),), (1_300, 2_400, 900)),
    Case("stalls and goes on", ((Line(6_000, 1_200, 900),),), (1_900, 2_300, 1_600)),
    Case("short stall at the seam", ((Line(5_000, 800, 260),),), (1_250, 1_000, 2_000)),
    Case("several items", ((Line(900), Line(1_100), Line(4_000)),), (500, 1_500, 2_600)),
    Case(
        "preamble, tool, answer",
        ((Line(1_400), Tool()), (Line(5_000),)),
        (900, 2_200),
    ),
    Case("answer queued behind one", ((Line(2_600), Tool()), (Line(4_000),)), (1_800, 3_300)),
    Case("before the first mark", ((Line(5_000),),), (20, 60, 120)),
    Case("after everything was sent", ((Line(1_000),),), (860, 640, 420)),
    Case("two in a row", ((Line(5_000),),), (700, 100, 600, 80)),
    Case(
        "gaps in caller media",
        ((Line(6_000),),),
        (1_700, 1_700),
        (Window(1_200, 500), Window(5_000, 700), Window(6_500, 150)),
    ),
)


class CodedBrain:
    """Answers by the case; every item has a stream id of its own, unique in the process."""

    ids = itertools.count(1)

    def __init__(self, case: Case) -> None:
        self._answers = itertools.chain(case.answers, itertools.repeat(case.answers[-1]))

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        return [self._output(part) for part in next(self._answers)]

    def _output(self, part: Line | Tool) -> Output:
        if isinstance(part, Tool):
            return CallFunction("book_table", {"party_size": 2, "time": "19:00"})
        stream = next(self.ids) % SHOUT_STREAM or next(self.ids) % SHOUT_STREAM
        audio = coded_audio(stream, 0, part.ms, quiet=False)
        return Say(
            f"item {stream}", audio, stall_after_ms=part.stall_after_ms, stall_ms=part.stall_ms
        )


def script_of(case: Case) -> Script:
    shout = coded_audio(SHOUT_STREAM, 0, 600, quiet=False)
    steps: list[Step] = [Interrupt(shout, after_ms) for after_ms in case.after_ms]
    steps += [WaitForBot(said_ms=400), HangUp()]
    return Script(tuple(steps))


class DeafEar:
    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        return "(shout)"


class CodedMouth:
    async def say(self, text: str, voice: str) -> bytes:
        raise RuntimeError("every item of a case brings its own audio")
