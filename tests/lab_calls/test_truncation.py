"""The model remembers what was heard: no truncation is refused, none is far from what was played.

Each case of the bench once, at 40 ms delay with 30 ms jitter; `python -m bench.truncation` has the
other networks and the table.
"""

import asyncio
from dataclasses import replace

import pytest
import pytest_asyncio

from app.lab.phone.impairments import Impairments
from bench.pattern import CASES
from bench.truncation import Cut, Outcome, run_call

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio(loop_scope="module")]

NETWORK = Impairments(delay_ms=40, jitter_ms=30, seed=5)
MOST_ERROR_MS = 60


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outcomes() -> dict[str, Outcome]:
    networks = [replace(NETWORK, gaps=case.gaps) for case in CASES]
    done = await asyncio.gather(*map(run_call, CASES, networks))
    return {case.name: outcome for case, outcome in zip(CASES, done, strict=True)}


@pytest.fixture(params=[case.name for case in CASES])
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
