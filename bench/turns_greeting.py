"""The section `greeting` of `bench.turns`: the first words are at hand while the model connects."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.table import Table

from app.beyond import Beyond
from app.demo.stage import Stage
from app.lab.phone.impairments import Impairments
from app.lab.phone.manners import talk_over
from app.lab.phone.script import HangUp, Interrupt, Say, Script, Step, WaitForBot
from app.lab.realtime.behaviour import Behaviour
from app.lab.speech.coded import Run, coded_audio, decode_coded
from app.lab.speech.voices import voice_clip
from app.speech.phrase_book import PhraseBook, PhraseKey
from bench.relay_figures import SPREAD, Findings, Target, p95_within, percentile, spread, table
from bench.turns_ear import Known
from bench.turns_stage import FIRST, Act, Held, held_again, hold_all, keep
from telecodecs.g711 import BYTES_PER_MS, FRAME_MS

CALLS: Final = 40
QUICK_CALLS: Final = 12
CONNECT_MS: Final = 2_000
FIRST_FRAME_MS: Final = 150
GREETING: Final = (
    "Hello and welcome to the little garden restaurant, you are talking to a machine "
    "that knows our tables and our hours, how may I help you?"
)
GREETING_MS: Final = 4_500
OTHER: Final = 90
"""The coded stream of any other phrase."""
WORDS_OFF: Final = 0.15
"""Of the greeting: the bot must guess where the words lie in the sound."""
VOICE: Final = "marin"
READY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Greeted:
    """What one call shows."""

    name: str
    first_frame_ms: int | None
    """From the stream's start; None: nothing was heard."""
    heard_ms: int
    interrupted: bool
    cut: bool
    knows: bool
    """The model's context holds as much of the greeting as was heard."""
    context: str
    """What it holds."""
    problems: tuple[str, ...]
    lag_ms: float
    onset_to_silence_ms: float | None = None
    """Of a caller who interrupts: until the greeting's last frame."""
    again: bool = False
    """The machine was too busy the first time."""


async def run(*, quick: bool, seed: int) -> Findings:
    """Hold the calls, every second one with a caller who interrupts the greeting."""
    count = QUICK_CALLS if quick else CALLS
    with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder:
        book = PhraseBook(Path(folder), _render)
        acts = [act_of(number, seed, book) for number in range(count)]
        found: list[Greeted] = []
        async for held in hold_all(acts):
            found.append(judge(held))
            if found[-1].problems or not found[-1].knows:
                keep(held)
        await book.close()
    return findings(found)


async def _render(key: PhraseKey) -> bytes:
    ms = GREETING_MS if key.text == GREETING else 600
    return coded_audio(FIRST if key.text == GREETING else OTHER, 0, ms, quiet=False)


def act_of(number: int, seed: int, book: PhraseBook) -> Act:
    async def at_hand(stage: Stage) -> None:
        model = stage.worker.settings.model_for("")
        await book.ready(PhraseKey(GREETING, VOICE, model), READY_S)

    own = seed * 1_000 + number
    done = WaitForBot.finished(500, said_ms=400, timeout_ms=10_000)
    if number % 2:
        step: Interrupt | Say = talk_over(own, (300, 3_000))
        steps: tuple[Step, ...] = (step, done, HangUp())
        name = f"interrupts/{number}"
    else:
        clip = voice_clip("when_open_slt")
        step = Say(clip.ulaw, clip.text)
        steps = (WaitForBot.finished(700), step, done, HangUp())
        name = f"listens/{number}"
    return Act(
        name,
        Script(steps, limit_ms=30_000),
        Impairments(seed=own),
        known=(Known(step.audio, step.text),),
        behaviour=Behaviour(seed=own, connect_delay_ms=CONNECT_MS, transcription_delay_ms=300),
        greeting=GREETING,
        turns='filler = ""',
        beyond=Beyond(phrases=book),
        before=at_hand,
        settings=(("model_connect_timeout_s", 5.0), ("model_give_up_s", 8.0)),
    )


def judge(held: Held) -> Greeted:
    """What was played, beside what the model was told of it."""
    name, interrupts = held.act.name, held.act.name.startswith("interrupts")
    if not held.report.streams or held.session is None:
        problem = f"{name}: no stream or no session"
        return Greeted(name, None, 0, interrupts, False, False, "", (problem,), 0.0)
    played = held.stream.played
    ticks = (tick for tick, frame in enumerate(played.frames) if frame)
    first = next(ticks, None)
    runs = [run for run in decode_coded(played.audio()) if run.stream_id == FIRST]
    heard_ms = max((run.end_ms for run in runs), default=0)
    said = [turn.text for turn in held.session.turns() if turn.role == "assistant"]
    context = said[0] if said else ""
    problems = [f"{name}: {error}" for error in held.report.errors]
    if held.report.unfinished:
        problems.append(f"{name}: {len(held.report.unfinished)} steps unfinished")
    return Greeted(
        name,
        None if first is None else first * FRAME_MS,
        heard_ms,
        interrupts,
        heard_ms < GREETING_MS - 2 * FRAME_MS,
        knows(context, heard_ms),
        context,
        tuple(problems),
        held.report.max_lag_ms,
        _onset_to_silence_ms(held, runs) if interrupts else None,
        held.again,
    )


def _onset_to_silence_ms(held: Held, runs: Sequence[Run]) -> float | None:
    """`runs`: of the greeting, as played."""
    if not runs or not held.stream.spoken:
        return None
    last = runs[-1]
    silent_ms = last.offset_bytes / BYTES_PER_MS + last.end_ms - last.start_ms
    return held.stream.played.first_ms + silent_ms - held.stream.spoken[0].onset_ms + FRAME_MS


def knows(context: str, heard_ms: int) -> bool:
    """Whether this is the greeting as far as it was heard, give or take `WORDS_OFF`."""
    words = context.replace("[interrupted]", "").rstrip(" .…,-–—")
    if not words or not GREETING.startswith(words):
        return False
    return abs(len(words) / len(GREETING) - heard_ms / GREETING_MS) <= WORDS_OFF


def findings(found: Sequence[Greeted]) -> Findings:
    firsts = [float(one.first_frame_ms) for one in found if one.first_frame_ms is not None]
    cut = [one for one in found if one.interrupted]
    stopped = sum(one.cut for one in cut)
    known = sum(one.knows for one in found)
    lags = [one.lag_ms for one in found]
    notes = [problem for one in found for problem in one.problems]
    notes += [
        f"{one.name}: heard {one.heard_ms} ms, context {one.context!r}"
        for one in found
        if not one.knows
    ]
    return Findings(
        f"The greeting: {len(found)} calls, the model connects in {CONNECT_MS} ms"
        + held_again(sum(one.again for one in found)),
        (
            p95_within("first frame after the stream's start", FIRST_FRAME_MS, firsts),
            _all("greetings heard at all", len(firsts), len(found)),
            _all("interrupted greetings cut", stopped, len(cut)),
            _all("the model knows what was heard", known, len(found)),
        ),
        (_table(firsts, found),),
        tuple(notes),
        max(lags, default=0.0),
        percentile(lags, 0.5),
    )


def _table(firsts: Sequence[float], found: Sequence[Greeted]) -> Table:
    heard = [float(one.heard_ms) for one in found if one.cut]
    silent = [one.onset_to_silence_ms for one in found if one.onset_to_silence_ms is not None]
    rows = [
        spread("first frame after the stream's start", firsts),
        spread("heard of greetings that were cut", heard),
        spread("caller's onset to silence", silent),
    ]
    return table("The greeting's times", ("", *SPREAD), rows)


def _all(what: str, found: int, wanted: int) -> Target:
    return Target(what, f"all {wanted}", f"{found}", found == wanted and wanted > 0)
