"""Whole calls side by side for `bench.turns`, each on a stage of its own: a bot, a model, a line.

A model of its own for each call, so that its ear and its answers are that call's.
"""

import asyncio
import json
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from app.beyond import ALONE, Beyond
from app.bridge.call_record import EVENTS_FILE, TIMELINE_FILE, call_folder
from app.call.call import Call
from app.call.commands import Command
from app.call.events import Event
from app.demo.stage import CALLED, CALLER, Stage
from app.lab.phone.impairments import Impairments
from app.lab.phone.report import CallReport, StreamReport
from app.lab.phone.script import Script
from app.lab.phone.verbs import Pace
from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.log import SessionLog
from app.lab.realtime.ports import Output, Say, Turn
from app.lab.speech.coded import coded_audio
from app.persona import Adjust, as_it_is
from bench.stages import NoMouth, side_by_side, written
from bench.turns_ear import Known, MatchingEar

AT_ONCE: Final = 24
APART_S: Final = 0.06
"""Between the beginnings of a round's calls."""
FIRST: Final = 1
"""The coded stream of the model's first answer, where it is coded; later ones count on."""
LATER_MS: Final = 500
"""How long each answer after the first one is."""
LATE_MS: Final = 60
KEEP_ENV: Final = "EARSHOT_BENCH_KEEP"
"""Names a folder for the records of calls that went wrong, for whoever looks for the cause."""
AGENT: Final = """\
instructions = "Be kind."
greeting = "{greeting}"
{turns}
[barge_in]
by = "voice"
"""


@dataclass(frozen=True, slots=True)
class Act:
    """One call to be held."""

    name: str
    script: Script
    impairments: Impairments
    first: bytes | None = None
    """The model's first answer, μ-law; None: it is short as all others."""
    known: tuple[Known, ...] = ()
    """What the model's ear understands."""
    behaviour: Behaviour = field(default_factory=Behaviour)
    greeting: str = "Hello."
    turns: str = ""
    """The agent's table [turn_detection], and whatever else its file needs, as TOML."""
    beyond: Beyond = ALONE
    adjust: Adjust = as_it_is
    settings: tuple[tuple[str, Any], ...] = ()
    """Fields of `Settings`."""
    before: Callable[[Stage], Awaitable[None]] | None = None
    """Done on the stage before the round begins."""


class Watch:
    """An `Observer` that learns how the call's clock lies to the machine's."""

    def __init__(self) -> None:
        self._offset_ms = float("inf")

    def step(self, call: Call, event: Event, commands: list[Command], now_ms: int) -> None:
        """See `app.bridge.ports.Observer`."""
        # The call's clock is read before the step is told of, so the least difference is nearest.
        self._offset_ms = min(self._offset_ms, time.monotonic() * 1000 - now_ms)

    def monotonic_ms(self, call_ms: float) -> float:
        """The machine's clock (`time.monotonic`, in ms) at this time of the call."""
        return call_ms + self._offset_ms


class Brain:
    """One long answer, then short ones, whatever it is asked."""

    def __init__(self, first: bytes | None) -> None:
        self._first = first
        self._number = FIRST
        self.asked: list[str] = []
        """The instructions of every response."""

    def hints(self) -> Sequence[str]:
        """See `app.lab.realtime.ports.Brain`."""
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        """See `app.lab.realtime.ports.Brain`."""
        self.asked.append(instructions)
        first, self._first = self._first, None
        if first is not None:
            return [Say("first answer", first)]
        self._number += 1
        audio = coded_audio(self._number, 0, LATER_MS, quiet=False)
        return [Say(f"answer {self._number}", audio)]


@dataclass(slots=True)
class Held:
    """One call, from every side."""

    act: Act
    report: CallReport
    session: SessionLog | None
    timeline: dict[str, Any]
    asked: list[str]
    watch: Watch
    journal: Path
    again: bool = False
    """The machine was too busy the first time."""

    @property
    def stream(self) -> StreamReport:
        """Raises IndexError where there was none."""
        return self.report.streams[0]


async def hold_all(acts: Sequence[Act], at_once: int = AT_ONCE) -> AsyncIterator[Held]:
    """Rounds of `at_once` calls. What a round left on disk is gone when the next one begins.

    A call that the machine left no time, so that its telephone's clock was late by more than
    `LATE_MS`, says nothing about the bot: it is held once more, and then counts as it is.
    """
    waiting = deque((act, False) for act in acts)
    while waiting:
        next_ = [waiting.popleft() for _ in range(min(at_once, len(waiting)))]
        stages = [partial(_Staged, act, n * APART_S) for n, (act, _) in enumerate(next_)]
        async with side_by_side(stages) as round_:
            for held, (act, again) in zip(round_, next_, strict=True):
                if held.report.max_lag_ms > LATE_MS and not again:
                    waiting.append((act, True))
                else:
                    held.again = again
                    yield held


class _Staged:
    def __init__(self, act: Act, wait_s: float, folder: Path) -> None:
        self._act = act
        self._wait_s = wait_s
        self._folder = folder
        self._watch = Watch()
        self._brain = Brain(act.first)
        self._stage = Stage(
            brain=lambda: self._brain,
            ear=MatchingEar(act.known),
            mouth=NoMouth(),
            data_dir=folder,
            agent=str(_agent_file(act, folder)),
            behaviour=act.behaviour,
            observers=[self._watch],
            adjust=act.adjust,
            beyond=act.beyond,
            **dict(act.settings),
        )

    async def __aenter__(self) -> "_Staged":
        await self._stage.__aenter__()
        if self._act.before is not None:
            await self._act.before(self._stage)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stage.__aexit__(None, None, None)

    async def hold(self) -> Held:
        stage, act = self._stage, self._act
        await asyncio.sleep(self._wait_s)
        line = stage.line(act.impairments, pace=Pace(say_ms_per_char=1, play_ms=0, pause_factor=0))
        report = await line.call(act.script, from_=CALLER, to=CALLED)
        record = call_folder(self._folder, report.identity.call_sid)
        await written(record / TIMELINE_FILE)
        sessions = stage.model.sessions
        session = sessions[0] if sessions else None
        timeline = _read(record / TIMELINE_FILE)
        return Held(
            act, report, session, timeline, self._brain.asked, self._watch, record / EVENTS_FILE
        )


def _agent_file(act: Act, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "agent.toml"
    path.write_text(AGENT.format(greeting=act.greeting, turns=act.turns), encoding="utf-8")
    return path


def _read(path: Path) -> dict[str, Any]:
    """Empty where the app left none."""
    if not path.exists():
        return {}
    record: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return record


def keep(held: Held) -> None:
    """Keep a call's journal and timeline, where a folder is named for them."""
    folder = os.environ.get(KEEP_ENV)
    if not folder:
        return
    place = Path(folder) / held.act.name.replace("/", "-").replace(" ", "_")
    place.mkdir(parents=True, exist_ok=True)
    (place / "timeline.json").write_text(json.dumps(held.timeline, indent=1), encoding="utf-8")
    if held.journal.exists():
        (place / EVENTS_FILE).write_bytes(held.journal.read_bytes())


def held_again(calls: int) -> str:
    """For a section's title."""
    return f", {calls} of them held again on a machine that was too busy" if calls else ""
