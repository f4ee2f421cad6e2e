"""The model remembers what was heard: no truncation is refused, none is far from what was played.

Each case of the bench once, at 40 ms delay with 30 ms jitter, over Twilio and over a PBX; `python
-m bench.interruptions` has the other networks and the table.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from app.demo.stage import Stage, greeting_first
from app.lab.phone.impairments import Impairments
from app.lab.phone.report import CallReport
from app.lab.realtime.behaviour import Behaviour
from bench.pattern import CASES, CodedBrain, CodedMouth, DeafEar
from bench.truncation import Cut, Outcome, hold, judge
from tests.lab_calls.cast import BY_SOCKET, Carrier, undisturbed, until

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio(loop_scope="module")]

NETWORK = Impairments(delay_ms=40, jitter_ms=30, seed=5)
MOST_ERROR_MS = 60


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    def worst_lag_ms(outcomes: dict[str, Outcome]) -> float:
        return max(outcome.worst_lag_ms for outcome in outcomes.values())

    async def over_each() -> dict[str, Outcome]:
        held = (every_case(tmp_path_factory.mktemp("calls"), carrier) for carrier in BY_SOCKET)
        return {
            name: outcome for one in await asyncio.gather(*held) for name, outcome in one.items()
        }

    return await undisturbed(over_each, worst_lag_ms)


async def every_case(folder: Path, carrier: Carrier) -> dict[str, Outcome]:
    """On one stage: the calls begin one after another, so that each brain has its case."""
    cases = iter(CASES)
    running: list[asyncio.Task[CallReport]] = []
    async with Stage(
        brain=lambda: CodedBrain(next(cases)),
        ear=DeafEar(),
        mouth=CodedMouth(),
        revise=greeting_first,
        data_dir=folder,
        behaviour=Behaviour(seed=NETWORK.seed),
    ) as stage:
        for case in CASES:
            network = replace(NETWORK, gaps=case.gaps)
            running.append(asyncio.create_task(hold(stage, case, network, carrier)))
            await until(lambda: len(stage.model.sessions) == len(running))
        reports = await asyncio.gather(*running)
    return {
        f"{carrier}, {case.name}": judge(case, NETWORK, report, session)
        for case, report, session in zip(CASES, reports, stage.model.sessions, strict=True)
    }


@pytest.fixture(params=[f"{carrier}, {case.name}" for carrier in BY_SOCKET for case in CASES])
def outcome(request: pytest.FixtureRequest, outcomes: dict[str, Outcome]) -> Outcome:
    return outcomes[request.param]


def cuts(outcome: Outcome, kind: str) -> list[Cut]:
    return [cut for cut in outcome.cuts if cut.kind == kind]


async def test_every_case_goes_as_scripted(outcome: Outcome) -> None:
    assert outcome.problems == ()
    assert outcome.interruptions > 0


async def test_no_truncation_is_refused(outcome: Outcome) -> None:
    assert outcome.rejected == 0


async def test_what_was_cut_is_what_was_not_heard(outcome: Outcome) -> None:
    wrong = [cut for cut in cuts(outcome, "truncated") if abs(cut.error_ms) > MOST_ERROR_MS]
    assert wrong == []


async def test_what_was_deleted_was_not_heard(outcome: Outcome) -> None:
    wrong = [cut for cut in cuts(outcome, "deleted") if cut.played_ms > MOST_ERROR_MS]
    assert wrong == []


async def test_what_was_kept_was_heard_whole(outcome: Outcome) -> None:
    finished = list(outcome.cuts)
    while finished and finished[-1].kind == "kept":
        finished.pop()  # of the last answer, in which the caller hung up
    kept = [cut for cut in finished if cut.kind == "kept"]
    assert [cut for cut in kept if abs(cut.error_ms) > MOST_ERROR_MS] == []


async def test_every_interruption_met_an_answer(outcomes: dict[str, Outcome]) -> None:
    truncated = sum(len(cuts(outcome, "truncated")) for outcome in outcomes.values())
    interruptions = sum(outcome.interruptions for outcome in outcomes.values())
    assert truncated >= 0.7 * interruptions
    assert any(cuts(outcome, "deleted") for outcome in outcomes.values())
