"""How well the model's memory is cut: truncated ms against ms really played, over whole calls.

`python -m bench.interruptions [ROUNDS] [twilio|pbx|sip]` runs every case of `bench.pattern` under
0, 40 and 150 ms one-way delay with 30 ms jitter, over real sockets, and compares each
`conversation.item.truncate` with what the lab's telephone played of that item. Some cases also
run without jitter, so that the time to silence shows the bot's own share.
"""

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from app.demo.stage import CALLED, CALLER, Stage, greeting_first
from app.lab.phone.impairments import Impairments
from app.lab.phone.report import CallReport
from app.lab.phone.script import Script
from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.log import LoggedItem, SessionLog
from app.lab.speech.coded import decode_coded
from app.server import settle
from bench.pattern import CASES, SHOUT_STREAM, Case, CodedBrain, CodedMouth, DeafEar, script_of

DELAYS_MS = (0, 40, 150)
JITTER_MS = 30
AT_ONCE = 12
Carrier: TypeAlias = Literal["twilio", "pbx", "sip"]
"""Over what the calls come. `sip`: real SIP and RTP by the line of our own, on this machine's
loopback alone: the networks are those between a carrier and the bot."""
SIP_AT_ONCE = 4
"""The line and the callers' RTP are in this process too."""
UNJITTERED = ("steady", "two in a row", "several items")


@dataclass(frozen=True, slots=True)
class Cut:
    """One item that an interruption met."""

    case: str
    delay_ms: int
    kind: str
    """`truncated`, `deleted`, or `kept`."""
    told_ms: int
    """What the model remembers of it: truncated ms, 0 when deleted, all of it when kept."""
    played_ms: int
    """What the telephone played of it."""

    @property
    def error_ms(self) -> int:
        return self.told_ms - self.played_ms


@dataclass(frozen=True, slots=True)
class Silence:
    """From the model's `speech_started` to the end of the last bot frame heard."""

    delay_ms: int
    jitter_ms: int
    beyond_delay_ms: float
    """Less the one-way delay; jitter is not taken off."""


@dataclass(frozen=True, slots=True)
class Outcome:
    cuts: tuple[Cut, ...]
    silences: tuple[Silence, ...]
    interruptions: int
    rejected: int
    """Truncations or deletions that the model refused."""
    problems: tuple[str, ...]
    worst_lag_ms: float
    """How late the telephone's ticks were at worst: beyond 20 ms the machine was too busy."""


async def run(rounds: int = 3, carrier: Carrier = "twilio") -> Outcome:
    """Every case under every network, `rounds` times, `AT_ONCE` calls at a time."""
    return merge([await run_round(seed, carrier) for seed in range(rounds)])


async def run_round(seed: int, carrier: Carrier = "twilio") -> Outcome:
    """Setting the stages and judging are kept out of the calls: both hold up the event loop."""
    jobs = [
        (case, Impairments(delay_ms, jitter_ms, seed=seed, gaps=case.gaps))
        for case in CASES
        for delay_ms in DELAYS_MS
        for jitter_ms in (JITTER_MS, *([0] if case.name in UNJITTERED else []))
    ]
    if carrier == "sip":
        jobs = [(case, Impairments(seed=seed, gaps=case.gaps)) for case in CASES]
    gate = asyncio.Semaphore(SIP_AT_ONCE if carrier == "sip" else AT_ONCE)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stages = [
            await stack.enter_async_context(set_stage(case, seed, Path(folder))) for case, _ in jobs
        ]

        settle()  # as `earshot serve` does: a collection of all the stages would hold up the calls

        async def one(stage: Stage, case: Case, impairments: Impairments) -> CallReport:
            async with gate:
                return await hold(stage, case, impairments, carrier)

        reports = await asyncio.gather(
            *(one(stage, *job) for stage, job in zip(stages, jobs, strict=True))
        )
    return merge(
        judge(*job, report, stage.model.sessions[0])
        for job, report, stage in zip(jobs, reports, stages, strict=True)
    )


def set_stage(case: Case, seed: int, folder: Path) -> Stage:
    """A bot and a model of its own for one call, so that the session log is its own."""
    return Stage(
        brain=lambda: CodedBrain(case),
        ear=DeafEar(),
        mouth=CodedMouth(),
        revise=greeting_first,
        data_dir=folder,
        behaviour=Behaviour(seed=seed, think_ms=120 + 40 * seed),
        record_events=False,
    )


async def hold(
    stage: Stage, case: Case, impairments: Impairments, carrier: Carrier = "twilio"
) -> CallReport:
    """One call of a case."""
    report = await _ring(stage, carrier, script_of(case), impairments)
    # What the phone sent last is still on its way.
    await asyncio.sleep(2 * (impairments.delay_ms + impairments.jitter_ms) / 1000)
    return report


async def _ring(
    stage: Stage, carrier: Carrier, script: Script, impairments: Impairments
) -> CallReport:
    if carrier == "pbx":
        return await stage.pbx(impairments).call(script, from_=CALLER, to=CALLED)
    if carrier == "sip":
        # Debian's sipp and whoever signals with it are needed for this carrier alone.
        from app.sip_line.jitter import Delay  # noqa: PLC0415
        from tests.sip_line.talking import ALAW, ULAW, called_by_sip  # noqa: PLC0415

        law = ALAW if impairments.seed % 2 else ULAW
        return await called_by_sip(stage, script, impairments, payload_type=law, delay=Delay())
    return await stage.line(impairments).call(script, from_=CALLER, to=CALLED)


async def run_call(case: Case, impairments: Impairments) -> Outcome:
    """One call, set, held and judged."""
    with tempfile.TemporaryDirectory() as folder:
        async with set_stage(case, impairments.seed, Path(folder)) as stage:
            report = await hold(stage, case, impairments)
            return judge(case, impairments, report, stage.model.sessions[0])


def merge(outcomes: Iterable[Outcome]) -> Outcome:
    found = list(outcomes)
    return Outcome(
        tuple(cut for outcome in found for cut in outcome.cuts),
        tuple(silence for outcome in found for silence in outcome.silences),
        sum(outcome.interruptions for outcome in found),
        sum(outcome.rejected for outcome in found),
        tuple(problem for outcome in found for problem in outcome.problems),
        max((outcome.worst_lag_ms for outcome in found), default=0.0),
    )


def judge(case: Case, impairments: Impairments, report: CallReport, session: SessionLog) -> Outcome:
    """Compare what the model was told with what was played."""
    where = f"{case.name}, {impairments.delay_ms} ms"
    problems = [f"{where}: {error}" for error in report.errors]
    if report.unfinished:
        problems.append(f"{where}: {len(report.unfinished)} steps unfinished")
    if not report.streams:
        return Outcome((), (), 0, 0, tuple(problems), report.max_lag_ms)
    rejected = [e for e in session.errors if (e.event_id or "").startswith(("trunc", "delete"))]
    return Outcome(
        tuple(find_cuts(case.name, impairments.delay_ms, report, session)),
        tuple(
            Silence(impairments.delay_ms, impairments.jitter_ms, ms - impairments.delay_ms)
            for ms in times_to_silence(report, session)
        ),
        len(case.after_ms),
        len(rejected),
        tuple(problems),
        report.max_lag_ms,
    )


def find_cuts(case: str, delay_ms: int, report: CallReport, session: SessionLog) -> Iterable[Cut]:
    """Every item but the last answer's, in which the call ended."""
    played = played_per_stream(report.streams[0].played.audio())
    numbered = [(stream_of(item), item) for item in session.items.values()]
    last = max((number for number, _ in numbered), default=0)
    for number, item in numbered:
        if item.truncated_ms is not None:
            kind, told_ms = "truncated", item.truncated_ms
        elif item.deleted:
            kind, told_ms = "deleted", 0
        elif number in (0, last):
            continue
        else:
            kind, told_ms = "kept", item.audio_ms
        yield Cut(case, delay_ms, kind, told_ms, played.get(number, 0))


def stream_of(item: LoggedItem) -> int:
    """The coded stream id of an item's audio; 0 when it has no sound yet."""
    runs = decode_coded(bytes(item.audio))
    return runs[0].stream_id if runs else 0


def played_per_stream(audio: bytes) -> dict[int, int]:
    """Milliseconds played of each coded stream of the bot."""
    totals: dict[int, int] = defaultdict(int)
    for found in decode_coded(audio):
        if found.stream_id < SHOUT_STREAM:
            totals[found.stream_id] += found.end_ms - found.start_ms
    return totals


def times_to_silence(report: CallReport, session: SessionLog) -> Iterable[float]:
    """For each `clear` that stopped something: from `speech_started` to the last frame's end."""
    played = report.streams[0].played
    starts = [f.at_s for f in session.sent if f.type == "input_audio_buffer.speech_started"]
    for clear in played.clears:
        heard_ms = played.last_heard_before(clear.carrier_ms)
        # A flush without marks is of a PBX, of the silence that keeps its line alive.
        if heard_ms is None or not clear.dropped_bytes or not clear.flushed:
            continue
        tick = min(int((heard_ms - played.first_ms) // 20) - 1, len(played.ticked_s) - 1)
        ended_s = played.ticked_s[max(tick, 0)] + 0.020
        before = [started_s for started_s in starts if started_s <= ended_s]
        if before:
            yield (ended_s - before[-1]) * 1000
