"""Of all who tell what came of a held caller exactly one counts, and a caller whom nobody takes
never stays with the music."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app import waiting_room as module
from app.call.endings import EndReason
from app.carriers.twilio.door import Ending
from app.carriers.twilio.onward import Held, Outcome
from app.carriers.twilio.rest import TwilioRest
from app.onward.happenings import BackToAgent, Wanted
from app.onward.journey import Stop
from app.onward.plan import Plan
from app.waiting_room import OutcomesHere
from tests.carriers.twilio.test_rest import Api, api, fails, rest, says
from tests.onward.front import ON_TELEPHONE, Front
from tests.onward.house import CALL, DESK, LINE, PERSON

__all__ = ["api", "rest"]

ENDS: tuple[Outcome, ...] = ("declined", "busy", "no_answer", "failed")


@pytest.fixture
def front(tmp_path: Path) -> Front:
    return Front(tmp_path)


@pytest.fixture
async def connected(tmp_path: Path, rest: TwilioRest) -> AsyncIterator[Front]:
    one = Front(tmp_path, rest)
    yield one
    await one.desk.close()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BRING_BACK_WAIT_S", 0.0)


# A person is called


async def test_the_person_is_called_from_our_number_and_the_caller_waits(
    connected: Front, api: Api
) -> None:
    ready = await connected.desk.after(ON_TELEPHONE, connected.start, Wanted("transfer", "chef"))
    assert ready.person_sid
    assert ready.step.journey.stop is Stop.HELD
    [(_, path, form)] = api.requests
    assert path.endswith("/Calls.json")
    assert (form["To"], form["From"], form["Timeout"]) == ([DESK], [LINE], ["9"])
    assert f"hold={ready.step.journey.hold}" in form["Url"][0]
    assert f"caller={CALL}" in form["Url"][0]
    assert "/twilio/person?" in form["StatusCallback"][0]


async def test_each_time_of_waiting_is_one_of_its_own(connected: Front) -> None:
    holds = set()
    for _ in range(2):
        wanted = Wanted("transfer", "chef")
        ready = await connected.desk.after(ON_TELEPHONE, connected.start, wanted)
        holds.add(ready.step.journey.hold)
        held = Held(CALL, ready.person_sid, ready.step.journey)
        assert await connected.waiting.settle(held, "joined"), "the second one counts as the first"
    assert len(holds) == 2


@pytest.mark.parametrize(("status", "code"), [(400, 21215), (429, 20429), (500, 0), (400, 21211)])
async def test_a_person_who_cannot_be_called_brings_the_caller_back(
    connected: Front, api: Api, status: int, code: int
) -> None:
    api.answer = fails(status, code)
    ready = await connected.desk.after(ON_TELEPHONE, connected.start, Wanted("transfer", "chef"))
    assert isinstance(ready.step, BackToAgent)
    assert ready.step.status == "failed"
    assert len(api.requests) == 1, "it is tried once: twice, and two telephones might ring"


async def test_whoever_is_rung_by_a_call_whose_answer_was_lost_finds_nobody_waiting(
    connected: Front, api: Api
) -> None:
    api.answer = says(200, "no json")
    await connected.desk.after(ON_TELEPHONE, connected.start, Wanted("transfer", "chef"))
    [(_, _, form)] = api.requests
    hold = form["Url"][0].partition("hold=")[2].partition("&")[0]
    assert hold
    assert not await connected.waiting.settle(connected.held(hold), "joined")


async def test_without_an_account_nobody_can_be_called(front: Front) -> None:
    ready = await front.desk.after(ON_TELEPHONE, front.start, Wanted("transfer", "chef"))
    assert isinstance(ready.step, BackToAgent)
    assert ready.step.status == "failed"


@pytest.mark.parametrize(
    ("brief", "told"),
    [
        ("They want a table", "There is a caller for you. They want a table. Press 1"),
        ("Is it open?", "There is a caller for you. Is it open? Press 1"),
        ("{brief} a\x00b\ud800c", "There is a caller for you. {brief} a b c. Press 1"),
        ("", "There is a caller for you. Press 1"),
    ],
)
async def test_the_person_is_told_what_it_is_about(front: Front, brief: str, told: str) -> None:
    plan = Plan("transfer", "chef", brief=brief)
    front.ending = Ending(EndReason.HANDED_ON, plan.packed())
    assert (await front.waiting.briefing(CALL, front.start)).startswith(told)


async def test_a_person_of_the_ladder_is_told_of_a_caller(front: Front) -> None:
    for front.ending in (None, Ending(EndReason.MODEL_FAILED, "no such model")):
        words = await front.waiting.briefing(CALL, front.start)
        assert words.startswith("There is a caller for you. Press 1")


# Who tells first what came of a held caller


@pytest.mark.parametrize("end", ENDS)
async def test_a_person_who_does_not_come_brings_the_caller_back(
    connected: Front, api: Api, end: Outcome
) -> None:
    assert await connected.waiting.settle(connected.held(), end)
    await connected.waiting.close()
    [(_, path, form)] = api.requests
    assert path.endswith(f"/Calls/{CALL}.json")
    assert f"end={end}" in form["Url"][0]


@pytest.mark.parametrize("end", ["joined", "gone"])
async def test_who_is_together_or_gone_is_left_alone(
    connected: Front, api: Api, end: Outcome
) -> None:
    assert await connected.waiting.settle(connected.held(), end)
    await connected.waiting.close()
    assert api.requests == []


async def test_a_person_who_took_the_call_and_never_came_brings_the_caller_back(
    connected: Front, api: Api
) -> None:
    await connected.waiting.settle(connected.held(), "joined")
    await connected.waiting.person_over(connected.held(), "declined")
    await connected.waiting.close()
    assert len(api.requests) == 1


async def test_a_person_who_has_talked_does_not(connected: Front, api: Api) -> None:
    await connected.waiting.settle(connected.held(), "joined")
    await connected.waiting.met(connected.held())
    await connected.waiting.person_over(connected.held(), "declined")
    await connected.waiting.close()
    assert api.requests == []


async def test_a_person_who_declined_is_not_told_of_twice(connected: Front, api: Api) -> None:
    await connected.waiting.settle(connected.held(), "declined")
    await connected.waiting.person_over(connected.held(), "declined")
    await connected.waiting.close()
    assert len(api.requests) == 1


@pytest.mark.parametrize("seed", range(20))
async def test_in_any_order_one_counts_and_the_caller_is_brought_back_at_most_once(
    connected: Front, api: Api, seed: int
) -> None:
    room, held = connected.waiting, connected.held()
    won: list[Outcome] = []

    async def tell(outcome: Outcome) -> None:
        if await room.settle(held, outcome):
            won.append(outcome)

    tellers = [tell("joined"), tell("gone"), tell("declined"), room.person_over(held, "declined")]
    random.Random(seed).shuffle(tellers)
    await asyncio.gather(*tellers)
    await room.close()
    assert len(won) <= 1
    assert len(api.requests) <= 1
    assert won or api.requests


async def test_bringing_back_is_tried_again_until_it_works(connected: Front, api: Api) -> None:
    working, number = api.answer, itertools.count()

    async def third_time() -> object:
        return await (working() if next(number) == 2 else fails(429, 20429)())

    api.answer = third_time  # type: ignore[assignment]
    await connected.waiting.settle(connected.held(), "busy")
    await connected.waiting.close()
    assert len(api.requests) == 3


async def test_a_caller_who_has_gone_is_not_brought_back_again_and_again(
    connected: Front, api: Api
) -> None:
    api.answer = fails(400, 21220)
    await connected.waiting.settle(connected.held(), "busy")
    await connected.waiting.close()
    assert len(api.requests) == 1


async def test_a_person_stops_ringing_only_if_there_is_one(connected: Front, api: Api) -> None:
    await connected.waiting.stop_ringing(connected.held(person=""))
    assert api.requests == []
    await connected.waiting.stop_ringing(connected.held())
    [(_, path, form)] = api.requests
    assert path.endswith(f"/Calls/{PERSON}.json")
    assert form["Status"] == ["canceled"]


async def test_the_outcomes_of_one_process_are_kept_for_the_newest_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_SETTLED", 2)
    outcomes = OutcomesHere()
    assert [await outcomes.settle("CA1", "a", "x") for _ in range(2)] == [True, False]
    assert await outcomes.settle("CA1", "b", "x")
    assert await outcomes.settle("CA2", "a", "x")
    assert await outcomes.settle("CA1", "a", "x"), "the oldest was forgotten"
