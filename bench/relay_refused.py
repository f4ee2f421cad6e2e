"""A model that takes no connection: how soon the call leaves the model path.

At the call's start, and after a drop in the middle of it. What the caller hears then is the
agent's fallback: an apology in the carrier's voice, said by TwiML, here timed at its <Say>.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from app.demo.stage import Stage
from app.lab.phone.report import CallReport
from app.lab.realtime.behaviour import Behaviour
from bench.relay_account import origin_s
from bench.relay_figures import SPREAD, Findings, Target, none_of, spread, table
from bench.relay_stage import Act, Held, Watch, hold_all, with_relay
from bench.relay_talk import make_plan

WITHIN_MS: Final = 3_000
CALLS: Final = 4
CALLS_QUICK: Final = 1
Cause = Literal["TCP refused", "HTTP 503", "HTTP 401", "no answer to the upgrade"]
REFUSALS: Final[dict[Cause, Behaviour]] = {
    "TCP refused": Behaviour(),
    "HTTP 503": Behaviour(refuse_status=503),
    "HTTP 401": Behaviour(refuse_key=True),
    "no answer to the upgrade": Behaviour(hang_connect=True),
}


@dataclass(frozen=True, slots=True)
class Case:
    cause: Cause
    mid_call: bool
    number: int

    @property
    def name(self) -> str:
        return f"{self.cause}, {'after a drop' if self.mid_call else 'at the start'}"


async def run(*, quick: bool) -> Findings:
    """Every cause, at the start and in the middle of calls."""
    calls = CALLS_QUICK if quick else CALLS
    cases = [
        Case(cause, mid_call, number)
        for number in range(calls)
        for cause in REFUSALS
        for mid_call in (False, True)
    ]
    dropped_s: dict[int, float] = {}
    acts = [_act(index, case, dropped_s) for index, case in enumerate(cases)]
    held = [call async for round_ in hold_all(acts, 16) for call in round_]
    return _findings(cases, held, dropped_s)


def _act(index: int, case: Case, dropped_s: dict[int, float]) -> Act:
    refusing = REFUSALS[case.cause]
    return Act(
        plan=make_plan(index % 60, 201, 4),
        behaviour=Behaviour() if case.mid_call else refusing,
        quiet_ms=600,
        adjust=with_relay(),
        disturb=_drop_in_the_middle(index, case, dropped_s) if case.mid_call else None,
        before=_stop_listening if case.cause == "TCP refused" and not case.mid_call else None,
    )


async def _stop_listening(stage: Stage) -> None:
    stage.model.stop_listening()


def _drop_in_the_middle(
    index: int, case: Case, dropped_s: dict[int, float]
) -> Callable[[Stage, Watch], Awaitable[None]]:
    async def drop(stage: Stage, watch: Watch) -> None:
        await asyncio.sleep(4.0 + 0.4 * case.number)
        stage.model.behaviour = REFUSALS[case.cause]
        if case.cause == "TCP refused":
            stage.model.stop_listening()
        dropped_s[index] = time.monotonic()
        stage.model.drop()

    return drop


def left_ms(report: CallReport, dropped_s: float | None) -> float | None:
    """From the call's answer, or from the drop, to the beginning of the spoken apology; None when
    none was spoken."""
    said_ms = next((verb.began_ms for verb in report.verbs if verb.name == "Say"), None)
    if said_ms is None or dropped_s is None:
        return said_ms
    stream = report.streams[0]
    return said_ms - ((dropped_s - origin_s(stream.played)) * 1000 + stream.began_ms)


def _findings(cases: list[Case], held: list[Held], dropped_s: dict[int, float]) -> Findings:
    times: dict[str, list[float]] = {case.name: [] for case in cases}
    notes: list[str] = []
    for index, (case, call) in enumerate(zip(cases, held, strict=True)):
        took_ms = left_ms(call.report, dropped_s.get(index))
        if took_ms is None:
            notes.append(f"{case.name}: nothing was said; the call ended by {call.report.ended_by}")
        else:
            times[case.name].append(took_ms)
    targets = tuple(
        Target(
            name,
            f"<= {WITHIN_MS} ms, each",
            f"{max(found):.0f} ms at most" if found else "never",
            bool(found) and max(found) <= WITHIN_MS,
        )
        for name, found in sorted(times.items())
    )
    rows = [spread(name, found) for name, found in sorted(times.items())]
    lags = [call.report.max_lag_ms for call in held]
    return Findings(
        "6. The model refuses all connections",
        (*targets, none_of("calls without an apology", len(notes))),
        (table("Until the apology begins", ("cause", *SPREAD), rows),),
        tuple(notes),
        max(lags, default=0.0),
        sorted(lags)[len(lags) // 2] if lags else 0.0,
    )
