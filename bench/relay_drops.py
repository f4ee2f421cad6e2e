"""Model sessions dropped at random moments: how long the caller waits for the next word.

The wait counts where the caller is owed words. If the bot was speaking and its answer was still on
its way, it is the longest silence in the rest of that answer. Else it is the time from the drop to
the next word; where a healthy model could not have spoken at once either, it counts from when it
could: half a second of silence after the caller's last word (the model's own setting), or the
tool's return.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from app.demo.stage import Stage
from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.living import End
from bench.relay_agent import ToolRun
from bench.relay_calls import Outcome, judge, lags_ms, word_targets
from bench.relay_figures import (
    SPREAD,
    Findings,
    at_least,
    none_of,
    p95_within,
    p95_words_within,
    spread,
    table,
)
from bench.relay_stage import MOMENTS, Act, Moment, Watch, hold_all, moment_of, with_relay
from bench.relay_takes import AGAIN_WORDS, Piece
from bench.relay_talk import Spoken, make_plan

WANTED: Final = 500
WANTED_QUICK: Final = 40
AT_ONCE: Final = 12
UTTERANCES: Final = 9
UTTERANCES_QUICK: Final = 4
WITHIN_MS: Final = 1_000
TURN_SILENCE_MS: Final = 500
"""Of the agent's turn detection."""
HOWS: Final[Sequence[tuple[End, int]]] = (("abort", 1000), ("close", 1011), ("expire", 1000))
OWING: Final[Sequence[Moment]] = ("caller speaking", "answer arriving", "tool running", "thinking")


@dataclass(frozen=True, slots=True)
class Drop:
    at_s: float
    how: End
    moment: Moment


async def run(*, quick: bool) -> Findings:
    """Until so many sessions were dropped; the last round is held to its end."""
    wanted = WANTED_QUICK if quick else WANTED
    outcomes: list[Outcome] = []
    drops: list[list[Drop]] = []
    while sum(map(len, drops)) < wanted:
        made: list[list[Drop]] = [[] for _ in range(AT_ONCE)]
        utterances = UTTERANCES_QUICK if quick else UTTERANCES
        acts = [_act(len(outcomes) + n, kept, utterances) for n, kept in enumerate(made)]
        held = [judge(call) async for round_ in hold_all(acts, AT_ONCE) for call in round_]
        outcomes += held
        drops += made
        if not any(made):
            break
    return _findings(wanted, outcomes, drops)


def _act(number: int, kept: list[Drop], utterances: int = UTTERANCES) -> Act:
    dice = random.Random(f"drops {number}")
    return Act(
        plan=make_plan(number % 60, 101 + number // 60, utterances, longest_words=24),
        behaviour=Behaviour(
            seed=number,
            think_ms=dice.randint(120, 300),
            speed=dice.choice((1.3, 2.0, 6.0)),
            text_step_ms=5,
            connect_delay_ms=dice.randint(100, 200),
        ),
        quiet_ms=dice.randint(1_100, 1_500),
        adjust=with_relay(),
        disturb=_dropper(dice.random(), kept),
    )


def _dropper(seed: float, kept: list[Drop]) -> Callable[[Stage, Watch], Awaitable[None]]:
    async def drop(stage: Stage, watch: Watch) -> None:
        dice = random.Random(seed)
        while True:
            await asyncio.sleep(dice.uniform(3.5, 7.0))
            how, code = dice.choice(HOWS)
            for bridge in stage.worker.switchboard.calls:
                moment = moment_of(bridge.call)
                if bridge.call.handover.relay.leg and stage.model.drop(how=how, code=code):
                    kept.append(Drop(time.monotonic(), how, moment))

    return drop


def wait_ms(
    drop: Drop,
    pieces: Sequence[Piece],
    spoken: Sequence[Spoken],
    runs: Sequence[ToolRun],
    began_s: float,
) -> float | None:
    """How long the caller waited because of this drop; None where nothing was owed, or where the
    call ended or the caller spoke before it came. `began_s`: when the playout's clock began."""
    at_ms = (drop.at_s - began_s) * 1000
    speaks_ms = [(s.began_s - began_s) * 1000 for s in spoken]
    if drop.moment == "answer arriving":
        until_ms = min((ms for ms in speaks_ms if ms > at_ms), default=float("inf"))
        return longest_silence_ms(pieces, at_ms, until_ms, _on_the_clock(runs, began_s))
    if drop.moment not in OWING:
        return None
    ends_ms = [(s.ended_s - began_s) * 1000 + TURN_SILENCE_MS for s in spoken]
    turns = [end for begin, end in zip(speaks_ms, ends_ms, strict=True) if begin < at_ms < end]
    tools = [end for begin, end in _on_the_clock(runs, began_s) if begin <= at_ms < end]
    due_ms = max([at_ms, *turns, *(tools if drop.moment == "tool running" else [])])
    first_ms = min((p.at_ms for p in pieces if p.at_ms > at_ms), default=None)
    if first_ms is None or any(at_ms < ms < first_ms for ms in speaks_ms):
        return None
    return max(0.0, first_ms - due_ms)


def _on_the_clock(runs: Sequence[ToolRun], began_s: float) -> list[tuple[float, float]]:
    return [
        ((run.began_s - began_s) * 1000, (run.ended_s - began_s) * 1000)
        for run in runs
        if run.ended_s is not None
    ]


def longest_silence_ms(
    pieces: Sequence[Piece],
    from_ms: float,
    until_ms: float,
    tools_ms: Sequence[tuple[float, float]] = (),
) -> float | None:
    """Between what was heard after `from_ms` and before `until_ms`, when the caller spoke; what
    sounded at `from_ms` counts. None when nothing came.

    While a tool runs nobody could have spoken: a silence counts from its return.
    """
    heard = [p for p in pieces if p.until_ms > from_ms and p.at_ms < until_ms]
    if not heard:
        return None
    end_ms, longest_ms = from_ms, 0.0
    for piece in heard:
        returns = [end for begin, end in tools_ms if begin <= piece.at_ms and end > end_ms]
        longest_ms = max(longest_ms, piece.at_ms - max([end_ms, *returns]))
        end_ms = max(end_ms, piece.until_ms)
    return longest_ms


def _findings(wanted: int, outcomes: list[Outcome], drops: list[list[Drop]]) -> Findings:
    waits: dict[str, list[float]] = defaultdict(list)
    slow: list[str] = []
    dropped: dict[str, int] = defaultdict(int)
    for outcome, made in zip(outcomes, drops, strict=True):
        held = outcome.held
        for drop in made:
            dropped[drop.moment] += 1
            waited = wait_ms(drop, outcome.pieces, held.voice.spoken, held.runs, outcome.origin_s)
            if waited is None:
                continue
            waits[drop.moment].append(waited)
            if waited > WITHIN_MS:
                at_s = drop.at_s - outcome.origin_s
                where = f"call {held.act.plan.call} at {at_s:.2f} s, {drop.moment}, {drop.how}"
                slow.append(f"{where}: {waited:.0f} ms")
    owed = [ms for moment in OWING for ms in waits[moment]]
    again = [n for outcome in outcomes for n in outcome.answers.again]
    targets = (
        at_least("sessions dropped", wanted, sum(dropped.values())),
        p95_within("the next word, where one was owed", WITHIN_MS, owed),
        none_of("calls not as scripted", sum(not o.as_scripted for o in outcomes)),
        none_of("calls not greeted exactly once", sum(o.answers.greetings != 1 for o in outcomes)),
        none_of("utterances not answered", sum(len(o.answers.unanswered) for o in outcomes)),
        none_of("utterances answered twice", sum(len(o.answers.twice) for o in outcomes)),
        *word_targets(outcomes),
        p95_words_within("words said again where an answer goes on", AGAIN_WORDS, again),
        none_of("caller frames that no session heard", sum(len(o.lost) for o in outcomes)),
        none_of(
            f"facts missing in a context, of {sum(o.checked for o in outcomes)}",
            sum(len(o.forgotten) for o in outcomes),
        ),
        none_of("tools run twice", sum(o.tool_twice for o in outcomes)),
        none_of("requests that the model refused", sum(len(o.errors) for o in outcomes)),
        none_of("event logs that do not replay", sum(not o.replays for o in outcomes)),
    )
    rows = [
        [moment, str(dropped[moment]), *spread("", waits[moment])[1:]]
        for moment in MOMENTS
        if dropped[moment]
    ]
    rows.append(["all that owed words", str(sum(dropped[m] for m in OWING)), *spread("", owed)[1:]])
    worst, middle = lags_ms(outcomes)
    problems = [p for o in outcomes for p in o.problems if "of silence in answer" not in p]
    return Findings(
        "2. Model sessions dropped at random moments",
        targets,
        (table("The wait for the next word", ("moment of the drop", "drops", *SPREAD), rows),),
        tuple([*problems, *slow]),
        worst,
        middle,
    )
