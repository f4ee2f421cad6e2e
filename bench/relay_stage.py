"""Whole calls side by side in one process for `bench.relay`, each on a stage of its own.

A stage is the bot and a model for one call, so that the session logs and what befalls the model
are that call's own.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from app.bridge.call_record import EVENTS_FILE, TIMELINE_FILE, call_folder
from app.call.call import Call
from app.call.commands import Command, SendClear, TakeLeg
from app.call.events import Event, LegCause, ResponseFinished
from app.call.phases import CallSettings
from app.demo.stage import CALLED, CALLER, Stage
from app.lab.phone.report import CallReport
from app.lab.phone.verbs import Pace
from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.log import SessionLog
from bench.relay_agent import ToolRun, read_runs, write_agent
from bench.relay_brain import CodedEar, RelayBrain, Said
from bench.relay_talk import Plan, Voice
from bench.stages import NoMouth, side_by_side, written

Moment: TypeAlias = Literal[
    "caller speaking", "answer arriving", "bot speaking", "tool running", "thinking", "quiet"
]
MOMENTS: tuple[Moment, ...] = get_args(Moment)
CHANGED: frozenset[LegCause | None] = frozenset(
    {"time", "expiry", "context", "spend", "operator", "failover"}
)
"""Causes of a planned change of sessions."""


def moment_of(call: Call) -> Moment:
    """What was going on in a call."""
    if call.floor.caller_speaking:
        return "caller speaking"
    if call.playout.unplayed:
        return "answer arriving" if call.responses.busy else "bot speaking"
    if call.history.open_tools:
        return "tool running"
    return "thinking" if call.responses.owed else "quiet"


@dataclass(frozen=True, slots=True)
class Taken:
    """A session took over. Seconds of `time.monotonic`."""

    at_s: float
    cause: LegCause
    moment: Moment
    """Of the instant before."""


class Watch:
    """An `Observer` of one call: when sessions took over, and in what moment."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.cleared_s: list[float] = []
        self.moment: Moment = "quiet"

    def step(self, call: Call, event: Event, commands: list[Command], now_ms: int) -> None:
        """See `app.bridge.ports.Observer`."""
        for command in commands:
            if isinstance(command, TakeLeg):
                moment = self.moment
                if moment == "answer arriving" and isinstance(event, ResponseFinished):
                    moment = "bot speaking"  # it has just come whole
                self.taken.append(Taken(time.monotonic(), command.cause, moment))
            elif isinstance(command, SendClear):
                self.cleared_s.append(time.monotonic())
        self.moment = moment_of(call)


@dataclass(frozen=True, slots=True)
class Act:
    """One call to be held. `disturb` runs beside it and is cancelled at its end."""

    plan: Plan
    behaviour: Behaviour
    quiet_ms: int
    """How long the bot must be quiet before the caller takes it to be through."""
    adjust: Callable[[CallSettings], CallSettings]
    disturb: Callable[[Stage, Watch], Awaitable[None]] | None = None
    before: Callable[[Stage], Awaitable[None]] | None = None
    """Done on the stage before the call comes."""


@dataclass(slots=True)
class Held:
    """One call, from every side."""

    act: Act
    report: CallReport
    voice: Voice
    sessions: list[SessionLog]
    said: list[Said]
    watch: Watch
    runs: list[ToolRun]
    journal: Path
    timeline: Path
    began_s: float = field(default_factory=time.monotonic)


async def hold_all(acts: Sequence[Act], at_once: int) -> AsyncIterator[list[Held]]:
    """Rounds of `at_once` calls. What a round left on disk is gone when the next one begins."""
    for first in range(0, len(acts), at_once):
        stages = [partial(_Staged, act) for act in acts[first : first + at_once]]
        async with side_by_side(stages) as held:
            yield held


class _Staged:
    def __init__(self, act: Act, folder: Path) -> None:
        self._act = act
        self._folder = folder
        self._said: list[Said] = []
        self._watch = Watch()
        plans = {act.plan.call: act.plan}
        self._stage = Stage(
            brain=lambda: RelayBrain(plans, self._said),
            ear=CodedEar(plans),
            mouth=NoMouth(),
            data_dir=folder,
            agent=str(write_agent(folder)),
            behaviour=act.behaviour,
            observers=[self._watch],
            adjust=act.adjust,
        )

    async def __aenter__(self) -> "_Staged":
        await self._stage.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stage.__aexit__(None, None, None)

    async def hold(self) -> Held:
        stage, act = self._stage, self._act
        script, voice = act.plan.script(quiet_ms=act.quiet_ms)
        if act.before is not None:
            await act.before(stage)
        began_s = time.monotonic()
        line = stage.line(pace=Pace(say_ms_per_char=5, pause_factor=0.1))
        calling = asyncio.ensure_future(line.call(script, from_=CALLER, to=CALLED))
        work: list[asyncio.Future[None]] = []
        if act.disturb is not None:
            work.append(asyncio.ensure_future(act.disturb(stage, self._watch)))
        try:
            report = await calling
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
        record = call_folder(self._folder, report.identity.call_sid)
        await written(record / TIMELINE_FILE)
        return Held(
            act,
            report,
            voice,
            stage.model.sessions,
            self._said,
            self._watch,
            read_runs(self._folder),
            record / EVENTS_FILE,
            record / TIMELINE_FILE,
            began_s,
        )


def with_relay(**fields: object) -> Callable[[CallSettings], CallSettings]:
    """An adjustment of the relay's settings."""
    return lambda call: replace(call, relay=replace(call.relay, **fields))  # type: ignore[arg-type]


def count_moments(moments: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for moment in moments:
        counts[moment] += 1
    return counts
