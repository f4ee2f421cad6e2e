"""Rollovers at random moments: nothing lost, nothing doubled, nothing forgotten.

Calls side by side, each with a change of sessions asked for every second or two and a short
patience, so that many are forced while somebody speaks or a tool runs. Calls of the same kind
without any change are held beside them: their gaps and latencies are the machine's and the model's.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from app.call.relay import RelayState
from app.demo.stage import Stage
from app.lab.realtime.behaviour import Behaviour
from bench.relay_account import Break
from bench.relay_calls import Outcome, judge, lags_ms, word_targets
from bench.relay_figures import SPREAD, Findings, at_least, none_of, spread, table
from bench.relay_stage import CHANGED, Act, Taken, Watch, hold_all, with_relay
from bench.relay_talk import make_plan

WANTED = 500
WANTED_QUICK = 40
AT_ONCE = 12
UTTERANCES = 9
UTTERANCES_QUICK = 5
BARGE_IN_S = 0.4
"""An interruption this close to a change, before or after, counts as one during the switch."""
KINDS = ("caller speaking", "bot speaking", "tool running", "barge-in", "quiet")
CUT_MS = 4_000
"""What was sent ahead when an answer was cut is played for so long at most."""
LEAST_SHARE = 0.02
"""Of all changes, in each kind of moment: a kind that hardly came up proves little."""


async def run(*, quick: bool) -> Findings:
    """Until so many sessions have taken over; the last round is held to its end."""
    wanted = WANTED_QUICK if quick else WANTED
    utterances, side = (UTTERANCES_QUICK, 4) if quick else (UTTERANCES, AT_ONCE // 2)
    calm: list[Outcome] = []
    rolled: list[Outcome] = []
    while sum(_changes(o) for o in rolled) < wanted:
        # Side by side with calls that nothing happens to, so that both have the same machine.
        quiet = 0 if calm else side
        acts = [_act(n, utterances, disturbed=False) for n in range(quiet)]
        first = len(rolled)
        number = range(first, first + (side if quick else AT_ONCE - quiet))
        acts += [_act(n, utterances, disturbed=True) for n in number]
        held = await _hold(acts)
        calm += held[:quiet]
        rolled += held[quiet:]
        if not sum(_changes(o) for o in rolled):
            break
    return _findings(wanted, calm, rolled)


async def _hold(acts: list[Act]) -> list[Outcome]:
    return [judge(held) async for round_ in hold_all(acts, len(acts)) for held in round_]


def _act(number: int, utterances: int = UTTERANCES, *, disturbed: bool) -> Act:
    dice = random.Random(f"rollovers {number}")
    quiet_ms = dice.randint(300, 1_500)
    return Act(
        plan=make_plan(number % 60, 1 + number // 60, utterances),
        behaviour=Behaviour(
            seed=number,
            think_ms=dice.randint(120, 400),
            speed=dice.choice((1.3, 2.0, 6.0)),
            text_step_ms=5,
            connect_delay_ms=dice.randint(0, 150),
        ),
        quiet_ms=dice.randint(500, 900),
        adjust=with_relay(quiet_wait_ms=quiet_ms),
        disturb=_roller(dice.random()) if disturbed else None,
    )


def _roller(seed: float) -> Callable[[Stage, Watch], Awaitable[None]]:
    async def roll(stage: Stage, watch: Watch) -> None:
        dice = random.Random(seed)
        while True:
            await asyncio.sleep(dice.uniform(0.1, 1.2))
            for bridge in stage.worker.switchboard.calls:
                if bridge.call.handover.relay.state is RelayState.CARRYING:
                    bridge.roll_over()

    return roll


def _changes(outcome: Outcome) -> int:
    return sum(leg["cause"] in CHANGED and leg["cause"] is not None for leg in outcome.legs)


def kind_of(taken: Taken, cleared_s: list[float]) -> str:
    """The moment of a change; "barge-in" when the caller interrupted just then."""
    if any(abs(at_s - taken.at_s) <= BARGE_IN_S for at_s in cleared_s):
        return "barge-in"
    return taken.moment


def cut_by_the_deadline(gap: Break, cuts_ms: Sequence[float]) -> bool:
    """Whether a session took over in the midst of this answer shortly before the silence."""
    return any(gap.at_ms - CUT_MS < cut_ms < gap.at_ms + gap.ms for cut_ms in cuts_ms)


def _forced_gaps(outcome: Outcome) -> int:
    cuts_ms = [
        (taken.at_s - outcome.origin_s) * 1000
        for taken in outcome.held.watch.taken
        if taken.moment == "answer arriving"
    ]
    return sum(cut_by_the_deadline(gap, cuts_ms) for gap in outcome.breaks)


def _findings(wanted: int, calm: list[Outcome], rolled: list[Outcome]) -> Findings:
    changes = sum(_changes(o) for o in rolled)
    kinds = Counter(
        kind_of(taken, o.held.watch.cleared_s)
        for o in rolled
        for taken in o.held.watch.taken
        if taken.cause in CHANGED
    )
    calm_breaks = [b for o in calm for b in o.breaks]
    breaks = [b for o in rolled for b in o.breaks]
    targets = (
        at_least("sessions that took over", wanted, changes),
        *(
            at_least(f"  of them: {kind}", max(1, round(LEAST_SHARE * changes)), kinds[kind])
            for kind in KINDS
        ),
        none_of("  of them: in the midst of an answer", kinds["answer arriving"]),
        none_of("caller frames that no session heard", sum(len(o.lost) for o in rolled)),
        none_of("utterances not answered", sum(len(o.answers.unanswered) for o in rolled)),
        none_of("utterances answered twice", sum(len(o.answers.twice) for o in rolled)),
        *word_targets(rolled),
        none_of("utterances told twice to a session", sum(o.told_twice for o in rolled)),
        none_of("gaps over 20 ms inside an answer", len(breaks)),
        none_of("calls not greeted exactly once", sum(o.answers.greetings != 1 for o in rolled)),
        none_of(
            f"facts missing in a context, of {sum(o.checked for o in rolled)}",
            sum(len(o.forgotten) for o in rolled),
        ),
        none_of("tools run twice", sum(o.tool_twice for o in rolled)),
        none_of("requests that the model refused", sum(len(o.errors) for o in rolled)),
        none_of("event logs that do not replay", sum(not o.replays for o in rolled)),
        none_of("calls not as scripted", sum(not o.as_scripted for o in rolled)),
    )
    beside = [
        [name, str(len(outcomes)), str(len(gaps)), *_said(outcomes)]
        for name, outcomes, gaps in (
            ("without", calm, calm_breaks),
            ("with rollovers", rolled, breaks),
        )
    ]
    latency = [
        spread(name, [ms for o in outcomes for ms in o.latencies_ms])
        for name, outcomes in (("without", calm), ("with rollovers", rolled))
    ]
    worst, middle = lags_ms([*calm, *rolled])
    return Findings(
        "1. Rollovers at random moments",
        targets,
        (
            table(
                "The same kind of calls",
                ("calls", "count", "gaps", "words again", "words unsaid"),
                beside,
            ),
            table("From the caller's last word to the answer", ("calls", *SPREAD), latency),
        ),
        tuple(
            [
                f"{sum(_forced_gaps(o) for o in rolled)} of the gaps are where the deadline cut an "
                f"answer on its way, which it did {kinds['answer arriving']} times"
            ]
            + [f"without rollovers: {p}" for o in calm for p in o.problems]
            + [p for o in rolled for p in o.problems]
        ),
        worst,
        middle,
    )


def _said(outcomes: list[Outcome]) -> list[str]:
    again = sum(n for o in outcomes for n in o.answers.again)
    return [str(again), str(sum(o.answers.unsaid for o in outcomes))]
