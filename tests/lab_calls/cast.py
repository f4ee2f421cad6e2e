"""Who takes part in a whole call: a model that says what a test gives it, and what was recorded.

All audio is coded: every millisecond names its stream and its place, so what was heard, lost or
doubled is read from the sound itself.
"""

import asyncio
import itertools
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

import pytest

from app.bridge.call_record import EVENTS_FILE, TIMELINE_FILE, call_folder
from app.carriers.asterisk.identity import call_id_of
from app.demo.stage import CALLED, CALLER, Stage, greeting_first
from app.lab.phone.impairments import Impairments
from app.lab.phone.report import CallReport, StreamReport
from app.lab.phone.script import Script
from app.lab.phone.verbs import Pace
from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.log import LoggedItem, SessionLog
from app.lab.realtime.ports import Output, Say, Turn
from app.lab.speech.coded import coded_audio, decode_coded
from app.persona import Adjust, as_it_is
from tests.sip_line.debian import there
from tests.sip_line.talking import called_by_sip

T = TypeVar("T")
Carrier: TypeAlias = Literal["twilio", "pbx", "sip"]
BY_SOCKET: tuple[Carrier, ...] = ("twilio", "pbx")
CARRIERS: tuple[Carrier, ...] = (*BY_SOCKET, "sip") if there("sipp") else BY_SOCKET
"""Over what a call comes: a conversation is the same over each of them. `sip`: real SIP and RTP, by
the line of our own; left out where Debian's sipp is not installed."""
Answers: TypeAlias = Sequence[Sequence[Output]]
FAST = Pace(say_ms_per_char=1, play_ms=0, pause_factor=0)
BUSY_LAG_MS = 90
ATTEMPTS = 4
CALLER_STREAM = 1_900
"""Callers' coded streams count from here, the model's from 1."""


def shout(stream: int = CALLER_STREAM, ms: int = 300) -> bytes:
    """The caller's voice, loud enough to be taken for speech."""
    return coded_audio(stream, 0, ms, quiet=False)


def line(stream: int, ms: int, text: str = "", **stall: int) -> Say:
    """What the model says, loud enough to be heard; `text` defaults to the stream's name."""
    return Say(text or f"line {stream}", coded_audio(stream, 0, ms, quiet=False), **stall)


class ScriptedBrain:
    """Gives the answers in order, whatever it is asked; then it has nothing to say."""

    def __init__(self, answers: Answers) -> None:
        self._answers = iter(answers)
        self.asked: list[str] = []
        """The instructions of every response."""

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        self.asked.append(instructions)
        return next(self._answers, ())


class CodeEar:
    """Knows the caller's words by the coded stream in which they were said."""

    def __init__(self, words: dict[int, str] | None = None) -> None:
        self._words = words or {}

    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        streams = {run.stream_id for run in decode_coded(utterance)}
        known = [self._words[stream] for stream in sorted(streams) if stream in self._words]
        return " ".join(known) or "(something)"


class NoMouth:
    """Every line of these tests brings its own audio."""

    async def say(self, text: str, voice: str) -> bytes:
        raise RuntimeError(f"no audio was given for {text!r}")


def stage_for(
    data_dir: Path,
    *answers: Sequence[Output],
    behaviour: Behaviour | None = None,
    adjust: Adjust = as_it_is,
    words: dict[int, str] | None = None,
    **settings: Any,
) -> Stage:
    """App and lab; every session's model gives the same `answers`."""
    return Stage(
        brain=lambda: ScriptedBrain(answers),
        ear=CodeEar(words),
        mouth=NoMouth(),
        revise=greeting_first,
        data_dir=data_dir,
        behaviour=behaviour,
        adjust=adjust,
        **settings,
    )


@dataclass(frozen=True, slots=True)
class Recorded:
    """One call, from every side."""

    report: CallReport
    """The telephone's."""
    folder: Path
    """The app's."""
    session: SessionLog | None = None
    """The model's, if one was opened."""
    carrier: Carrier = "twilio"

    @property
    def call_id(self) -> str:
        """The app's name for it."""
        return app_call_id(self.report, self.carrier)

    @property
    def stream(self) -> StreamReport:
        return self.report.streams[0]

    @property
    def model(self) -> SessionLog:
        assert self.session is not None, "no model session was opened for this call"
        return self.session

    @property
    def timeline(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads((self.folder / TIMELINE_FILE).read_text("utf-8"))
        return record

    @property
    def journal(self) -> list[dict[str, Any]]:
        """The event log's lines behind the header."""
        lines = (self.folder / EVENTS_FILE).read_text("utf-8").splitlines()
        return [json.loads(text) for text in lines[1:]]

    @property
    def end_reason(self) -> str:
        return str(self.timeline["end_reason"])

    @property
    def commands(self) -> list[str]:
        """The names of all commands, in order."""
        return [command[0] for event in self.journal for command in event["commands"]]

    @property
    def verbs(self) -> list[str]:
        return [verb.name for verb in self.report.verbs]

    @property
    def sound(self) -> bytes:
        """Every byte of the bot that the caller heard, silence between them left out."""
        return b"".join(frame for frame in self.stream.played.frames if frame)

    def heard_ms(self, stream_id: int) -> int:
        """How much of a coded stream the caller heard."""
        runs = decode_coded(self.stream.played.audio())
        return sum(run.end_ms - run.start_ms for run in runs if run.stream_id == stream_id)

    def item(self, stream_id: int) -> LoggedItem:
        """The model's item that holds this coded stream."""
        for item in self.model.items.values():
            runs = decode_coded(bytes(item.audio))
            if runs and runs[0].stream_id == stream_id:
                return item
        raise LookupError(f"no item holds stream {stream_id}")


async def until(happened: Callable[[], bool], limit_s: float = 60) -> None:
    """Wait for something of which nobody tells. Raises TimeoutError."""
    async with asyncio.timeout(limit_s):
        while not happened():  # noqa: ASYNC110 - it is somebody else's state
            await asyncio.sleep(0.01)


async def undisturbed(hold: Callable[[], Awaitable[T]], lag_ms: Callable[[T], float]) -> T:
    """Calls that were held while the machine left their line its time; tried again if it did not.

    A line whose clock was held up for longer than `BUSY_LAG_MS` proves nothing about a bot. Skips
    when that happens each time, but in CI, where a bot that blocks its own loop must not get away.
    """
    worst_ms: list[int] = []
    while len(worst_ms) < ATTEMPTS:
        held = await hold()
        worst_ms.append(round(lag_ms(held)))
        if worst_ms[-1] <= BUSY_LAG_MS:
            return held
    reason = f"the line was held up each time, for {worst_ms} ms: is the machine too busy?"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


async def calm(hold: Callable[[], Awaitable[T]], lag_ms: Callable[[T], float]) -> T:
    """The same where a held-up line mostly harms nothing: the last try counts in any case."""
    for _ in range(ATTEMPTS - 1):
        held = await hold()
        if lag_ms(held) <= BUSY_LAG_MS:
            return held
    return await hold()


def app_call_id(report: CallReport, carrier: Carrier) -> str:
    sid = report.identity.call_sid
    return sid if carrier == "twilio" else call_id_of(sid)


async def settled(stage: Stage, report: CallReport, carrier: Carrier = "twilio") -> Path:
    """Wait until the app is done with a call, its record on disk: in the folder returned."""
    folder = call_folder(stage.worker.settings.data_dir, app_call_id(report, carrier))
    await until((folder / TIMELINE_FILE).exists)
    return folder


async def ring(
    stage: Stage, carrier: Carrier, script: Script, impairments: Impairments | None = None
) -> CallReport:
    """A call over one of the carriers."""
    if carrier == "pbx":
        return await stage.pbx(impairments).call(script, from_=CALLER, to=CALLED)
    if carrier == "sip":
        return await called_by_sip(stage, script, impairments)
    return await stage.line(impairments, pace=FAST).call(script, from_=CALLER, to=CALLED)


async def call(
    stage: Stage,
    script: Script,
    impairments: Impairments | None = None,
    session: int | None = 0,
    carrier: Carrier = "twilio",
) -> Recorded:
    """One whole call. `session`: which of the model's sessions was this call's; None: no one."""
    report = await ring(stage, carrier, script, impairments)
    folder = await settled(stage, report, carrier)
    sessions = stage.model.sessions
    model = None if session is None else sessions[session]
    return Recorded(report, folder, model, carrier)


@dataclass
class Shifts:
    """Calls with a behaviour of the model for each, on one stage.

    The model takes its behaviour when a session is opened, so calls begin one after another and
    then run side by side.
    """

    stage: Stage
    running: list["asyncio.Task[Recorded]"] = field(default_factory=list)

    async def begin(self, behaviour: Behaviour, script: Script) -> None:
        number = len(self.stage.model.sessions)
        self.stage.model.behaviour = behaviour
        running = asyncio.create_task(call(self.stage, script, session=number))
        self.running.append(running)
        await until(lambda: running.done() or len(self.stage.model.sessions) > number)

    async def finish(self) -> list[Recorded]:
        return list(await asyncio.gather(*self.running))


def counted(first: int = 1) -> Callable[[], int]:
    """Numbers for coded streams, one after another."""
    numbers = itertools.count(first)
    return lambda: next(numbers)
