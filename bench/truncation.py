"""How well the model's memory is cut: truncated ms against ms really played, over whole calls.

`python -m bench.truncation` runs every case of `bench.pattern` under 0, 40 and 150 ms one-way delay
with 30 ms jitter, over real sockets, and compares each `conversation.item.truncate` with what the
lab's telephone played of that item.
"""

import asyncio
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from app.demo.stage import CALLED, CALLER, Stage
from app.lab.phone.impairments import Impairments
from app.lab.phone.report import CallReport
from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.log import LoggedItem, SessionLog
from app.lab.speech.coded import decode_coded
from app.observe.log import configure_logging
from bench.pattern import CASES, SHOUT_STREAM, Case, CodedBrain, CodedMouth, DeafEar, script_of

DELAYS_MS = (0, 40, 150)
JITTER_MS = 30
AT_ONCE = 12


@dataclass(frozen=True, slots=True)
class Cut:
    """One item that an interruption met."""

    case: str
    delay_ms: int
    kind: str
    """`truncated`, `deleted`, or `kept` (nothing was sent for it)."""
    told_ms: int
    """What the model remembers of it: truncated ms, 0 when deleted, all of it when kept."""
    played_ms: int
    """What the telephone played of it."""
    silence_ms: float
    """Beyond the one-way delay: from the model's `speech_started` to the last bot frame heard."""

    @property
    def error_ms(self) -> int:
        return self.told_ms - self.played_ms


@dataclass(frozen=True, slots=True)
class Outcome:
    cuts: tuple[Cut, ...]
    interruptions: int
    rejected: int
    """Truncations or deletions that the model refused."""
    problems: tuple[str, ...]


async def run(rounds: int = 3) -> Outcome:
    """Every case under every delay, `rounds` times, `AT_ONCE` calls at a time."""
    jobs = [
        (case, delay_ms, seed) for seed in range(rounds) for case in CASES for delay_ms in DELAYS_MS
    ]
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case, delay_ms: int, seed: int) -> Outcome:
        async with gate:
            return await run_call(case, delay_ms, seed)

    return merge(await asyncio.gather(*(one(*job) for job in jobs)))


def merge(outcomes: Iterable[Outcome]) -> Outcome:
    found = list(outcomes)
    return Outcome(
        tuple(cut for outcome in found for cut in outcome.cuts),
        sum(outcome.interruptions for outcome in found),
        sum(outcome.rejected for outcome in found),
        tuple(problem for outcome in found for problem in outcome.problems),
    )


async def run_call(case: Case, delay_ms: int, seed: int) -> Outcome:
    """One call with its own bot and model, so that its session log is its own."""
    impairments = Impairments(delay_ms, JITTER_MS, seed=seed, gaps=case.gaps)
    with tempfile.TemporaryDirectory() as folder:
        async with Stage(
            brain=lambda: CodedBrain(case),
            ear=DeafEar(),
            mouth=CodedMouth(),
            data_dir=Path(folder),
            behaviour=Behaviour(seed=seed, think_ms=120 + 40 * seed),
            record_events=False,
        ) as stage:
            report = await stage.line(impairments).call(script_of(case), from_=CALLER, to=CALLED)
            await asyncio.sleep(2 * (delay_ms + JITTER_MS) / 1000)
            return judge(case, delay_ms, report, stage.model.sessions[0])


def judge(case: Case, delay_ms: int, report: CallReport, session: SessionLog) -> Outcome:
    problems = [f"{case.name}/{delay_ms}: {error}" for error in report.errors]
    if report.unfinished:
        problems.append(f"{case.name}/{delay_ms}: {len(report.unfinished)} steps unfinished")
    if not report.streams:
        return Outcome((), 0, 0, tuple(problems))
    stream = report.streams[0]
    played = played_per_stream(stream.played.audio())
    truncated = {t.item_id: t.audio_end_ms for t in session.truncations if t.accepted}
    rejected = [e for e in session.errors if (e.event_id or "").startswith(("trunc", "delete"))]
    silences = iter(silence_times(report, session, delay_ms))
    cuts = []
    numbered = [(stream_of(item), item) for item in session.items.values()]
    last = max((number for number, _ in numbered), default=0)
    for number, item in numbered:
        if item.item_id in truncated:
            kind, told_ms = "truncated", truncated[item.item_id]
        elif item.deleted:
            kind, told_ms = "deleted", 0
        else:
            kind, told_ms = "kept", item.audio_ms
        if kind == "kept" and number in (0, last):
            continue  # no sound yet, or the answer in which the call ended
        silence_ms = next(silences, 0.0) if kind == "truncated" else 0.0
        cuts.append(Cut(case.name, delay_ms, kind, told_ms, played.get(number, 0), silence_ms))
    return Outcome(tuple(cuts), len(case.after_ms), len(rejected), tuple(problems))


def stream_of(item: LoggedItem) -> int:
    """The coded stream id of an item's audio; 0 when it has no sound yet."""
    runs = decode_coded(bytes(item.audio))
    return runs[0].stream_id if runs else 0


def played_per_stream(audio: bytes) -> dict[int, int]:
    """Milliseconds played of each coded stream of the bot."""
    totals: dict[int, int] = defaultdict(int)
    for run_ in decode_coded(audio):
        if run_.stream_id < SHOUT_STREAM:
            totals[run_.stream_id] += run_.end_ms - run_.start_ms
    return totals


def silence_times(report: CallReport, session: SessionLog, delay_ms: int) -> list[float]:
    """For each clear: from `speech_started` to the end of the last bot frame heard, less delay."""
    played = report.streams[0].played
    starts = [f.at_s for f in session.sent if f.type == "input_audio_buffer.speech_started"]
    times = []
    for clear in played.clears:
        heard_ms = played.last_heard_before(clear.carrier_ms)
        if heard_ms is None:
            continue
        tick = min(int((heard_ms - played.first_ms) // 20) - 1, len(played.ticked_s) - 1)
        ended_s = played.ticked_s[max(tick, 0)] + 0.020
        before = [s for s in starts if s <= ended_s]
        if before:
            times.append((ended_s - before[-1]) * 1000 - delay_ms)
    return times


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def table(outcome: Outcome) -> Table:
    shown = Table(title="Truncation: |truncated ms - ms really played|", title_justify="left")
    for name in ("case", "delay"):
        shown.add_column(name)
    for name in ("items", "p50", "p95", "max", "deleted", "heard of deleted", "silence p95"):
        shown.add_column(name, justify="right")
    groups: dict[tuple[str, int], list[Cut]] = defaultdict(list)
    for cut in outcome.cuts:
        groups[cut.case, cut.delay_ms].append(cut)
        groups["all", cut.delay_ms].append(cut)
        groups["all", -1].append(cut)
    for (case, delay_ms), cuts in groups.items():
        errors = [float(abs(c.error_ms)) for c in cuts if c.kind == "truncated"]
        deleted = [c for c in cuts if c.kind == "deleted"]
        silences = [c.silence_ms for c in cuts if c.kind == "truncated"]
        shown.add_row(
            case,
            "all" if delay_ms < 0 else f"{delay_ms} ms",
            str(len(errors)),
            f"{percentile(errors, 0.5):.0f}",
            f"{percentile(errors, 0.95):.0f}",
            f"{max(errors, default=0):.0f}",
            str(len(deleted)),
            f"{max((c.played_ms for c in deleted), default=0)} ms",
            f"{percentile(silences, 0.95):.0f} ms",
        )
    return shown


def main() -> int:
    configure_logging("error")
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    outcome = uvloop.run(run(rounds))
    console = Console(width=112)
    console.print(table(outcome))
    console.print(
        f"{outcome.interruptions} interruptions, {outcome.rejected} truncations rejected, "
        f"{len(outcome.problems)} calls not as scripted"
    )
    for problem in outcome.problems[:10]:
        console.print(f"  {problem}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
