"""Workers that die and workers that are replaced, under calls on all of them.

A worker is killed with `kill -9`; then all are replaced by SIGHUP to the supervisor, and one after
the other by SIGTERM to each. Who was on a worker is seen from the telephone: its calls have a
second stream. The others must notice nothing.
"""

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from bench.relay_figures import (
    SPREAD,
    Findings,
    Target,
    at_least,
    none_of,
    p95_within,
    spread,
    table,
)
from bench.relay_fleet import WORKERS, Fleet, FleetRun, Happening, hold
from bench.relay_fleet_calls import (
    FleetOutcome,
    extra_breaks,
    judge_all,
    lags_of,
    problems_in,
    unanswered,
)
from bench.relay_talk import PHRASE, Voice

CALLS: Final = 60
CALLS_QUICK: Final = 12
AGAIN_MS: Final = 3_000
AFTER_S: Final = 12.0
DRAIN_S: Final = "16"
DRAIN_QUICK_S: Final = "5"
"""In the second half of a drain, 8 s at most, each call moves in a quiet moment, if it has one."""
REPLACED_S: Final = 80.0
"""Longest wait for all workers to go and others to come."""


async def death(*, quick: bool) -> Findings:
    """kill -9 of one of three workers."""
    calls = CALLS_QUICK if quick else CALLS
    run = await hold(calls, 4 if quick else 5, 301, 8.0 if quick else AFTER_S, _kill_one)
    outcomes = judge_all(run)
    struck = [o for o in outcomes if o.streams > 1]
    others = [o for o in outcomes if o.streams == 1]
    again = [ms for o in struck if (ms := o.next_word_ms(run.event_s)) is not None]
    after, before = extra_breaks(others, run.event_s, run.event_end_s)
    targets = (
        *_held(calls, run, outcomes),
        at_least("calls of the killed worker", calls // 6, len(struck)),
        p95_within("they speak again", AGAIN_MS, again),
        none_of("  of them never", len(struck) - len(again)),
        none_of(
            "  of them not told so, though the caller was silent",
            sum(_not_told(o, run.event_s) for o in struck),
        ),
        *_kept(run, outcomes),
        none_of("calls of others: caller frames lost", sum(len(o.lost) for o in others)),
        none_of("calls of others: gaps more than before", max(0, after - before)),
    )
    twice = sum(len(o.answers.twice) for o in struck)
    rows = [spread("from kill -9 to the next word", again)]
    notes = [
        f"gaps in the calls of others: {after} after, {before} in as long a time before",
        f"{twice} answers were begun again where the death cut them; "
        f"{sum(len(o.cut) for o in struck)} utterances were cut by it",
        *run.notes,
    ]
    return _findings("3. kill -9 of one of three workers", run, targets, rows, notes, outcomes)


async def restart(*, quick: bool) -> Findings:
    """Rolling restart by SIGHUP, then by hand; `quick` leaves the second one out."""
    calls = CALLS_QUICK if quick else CALLS
    by_hup = "by SIGHUP to the supervisor"
    if quick:
        return await _restart(calls, 5, 302, _hup, by_hup, DRAIN_QUICK_S)
    first = await _restart(calls, 10, 302, _hup, by_hup)
    second = await _restart(calls, 10, 303, _one_by_one, "by SIGTERM to one after the other")
    return Findings(
        "4. Rolling restart",
        (*first.targets, *second.targets),
        (*first.tables, *second.tables),
        (*first.notes, *second.notes),
        max(first.lag_ms, second.lag_ms),
        max(first.lag_middle_ms, second.lag_middle_ms),
    )


async def _restart(
    calls: int, utterances: int, seed: int, how: Happening, name: str, drain_s: str = DRAIN_S
) -> Findings:
    run = await hold(calls, utterances, seed, 6.0, how, {"EARSHOT_DRAIN_S": drain_s})
    outcomes = judge_all(run)
    moved = [o for o in outcomes if o.streams > 1]
    targets = (
        *_held(calls, run, outcomes),
        at_least(f"calls moved {name}", calls // 3, len(moved)),
        *_kept(run, outcomes),
        none_of("caller frames lost", sum(len(o.lost) for o in outcomes)),
        none_of(
            "calls told that the line broke",
            sum(any(p.stream == PHRASE for p in o.pieces) for o in moved),
        ),
    )
    seams = [
        (after.began_ms - before.ended_ms)
        for o in moved
        for before, after in pairwise(o.call.report.streams)
    ]
    took_s = run.event_end_s - run.event_s
    notes = [
        f"{name}: all workers were replaced in {took_s:.1f} s",
        f"{sum(len(o.cut) for o in moved)} utterances were being said, or just said, when their "
        "call had to move without a quiet moment; what was not understood yet is lost",
        *run.notes,
    ]
    rows = [spread(f"between two streams, {name}", [float(ms) for ms in seams])]
    return _findings("4. Rolling restart", run, targets, rows, notes, outcomes)


def _not_told(outcome: FleetOutcome, at_s: float) -> bool:
    """Whoever speaks at that moment is not interrupted to be told."""
    told = any(piece.stream == PHRASE for piece in outcome.pieces)
    return not told and not outcome.speaking(at_s - 0.5, at_s + 2.5)


def _held(calls: int, run: FleetRun, outcomes: list[FleetOutcome]) -> tuple[Target, ...]:
    whole = sum(outcome.went_on for outcome in outcomes)
    return (
        at_least("calls at once", calls, len(outcomes)),
        none_of("calls lost, or not talked to their end", len(run.calls) - whole),
    )


def _kept(run: FleetRun, outcomes: list[FleetOutcome]) -> tuple[Target, ...]:
    tokens = [tool.token for tool in run.runs]
    missed = sum(len(unanswered(outcome)) for outcome in outcomes)
    return (
        none_of(
            f"facts missing in a context, of {sum(o.checked for o in outcomes)}",
            sum(len(o.forgotten) for o in outcomes),
        ),
        none_of("greeted a second time", sum(o.answers.greetings > 1 for o in outcomes)),
        none_of("utterances not answered", missed),
        none_of(f"tools run twice, of {len(set(tokens))}", len(tokens) - len(set(tokens))),
        none_of("requests that the model refused", sum(len(o.errors) for o in outcomes)),
    )


def _findings(
    title: str,
    run: FleetRun,
    targets: tuple[Target, ...],
    rows: list[list[str]],
    notes: list[str],
    outcomes: list[FleetOutcome],
) -> Findings:
    worst, middle = lags_of(run)
    shown = table("Waits", ("", *SPREAD), rows)
    return Findings(title, targets, (shown,), (*notes, *problems_in(outcomes)), worst, middle)


async def _kill_one(fleet: Fleet, _voices: Mapping[int, Voice]) -> None:
    victim = fleet.workers()[0]
    os.kill(victim, signal.SIGKILL)


async def _hup(fleet: Fleet, _voices: Mapping[int, Voice]) -> None:
    before = set(fleet.workers())
    fleet.supervisor.send_signal(signal.SIGHUP)
    await _replaced(fleet, before)


async def _one_by_one(fleet: Fleet, _voices: Mapping[int, Voice]) -> None:
    for worker in fleet.workers():
        os.kill(worker, signal.SIGTERM)
        await _replaced(fleet, {worker})


async def _replaced(fleet: Fleet, old: set[int]) -> None:
    """Until none of these is there and as many as before are."""
    end_s = time.monotonic() + REPLACED_S
    while time.monotonic() < end_s:
        now = set(fleet.workers())
        if not now & old and len(now) >= WORKERS:
            await asyncio.sleep(1.5)  # the newest one comes up
            return
        await asyncio.sleep(0.1)
    fleet.notes.append(f"workers were not replaced within {REPLACED_S:.0f} s")
