"""A step is taken only if the policy clears it and the carrier can take it; else the journey goes
on with the next thing."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.call.facts import CallFacts
from app.carriers.twilio.onward import Caller
from app.onward.happenings import (
    Apologise,
    BackToAgent,
    Dialled,
    Fell,
    PutThrough,
    TakeMessage,
    Text,
    Wanted,
)
from app.onward.journey import MOST_STEPS, Stop
from app.policy.destinations import Purpose
from tests.onward.front import BY_SIP, ON_TELEPHONE, WAYS, Front
from tests.onward.house import CALL, CALLER, DESK, LINE


@pytest.fixture
def front(tmp_path: Path) -> Front:
    return Front(tmp_path)


# Where a call may go


async def test_a_cold_transfer_is_ready_when_its_destination_is_cleared(front: Front) -> None:
    ready = await front.desk.after(ON_TELEPHONE, front.start, Wanted("transfer", "desk"))
    assert isinstance(ready.step, PutThrough)
    assert ready.destination is not None
    assert (ready.destination.address, ready.destination.purpose) == (DESK, Purpose.TRANSFER)
    assert ready.caller_id == LINE


async def test_the_callers_own_number_is_shown_where_the_file_says_so(front: Front) -> None:
    ready = await front.desk.after(ON_TELEPHONE, front.start, Wanted("transfer", "client"))
    assert ready.caller_id == ""


async def test_of_a_call_that_we_placed_our_number_is_the_one_it_came_from(front: Front) -> None:
    journey = replace(front.start, direction="outbound")
    placed = Caller(CALL, LINE, CALLER)
    ready = await front.desk.after(placed, journey, Wanted("transfer", "desk"))
    assert ready.caller_id == LINE


async def test_a_destination_that_is_refused_is_passed_over_with_its_reason_written_down(
    front: Front,
) -> None:
    ready = await front.desk.after(ON_TELEPHONE, front.start, Wanted("transfer", "abroad"))
    assert isinstance(ready.step, PutThrough)
    assert ready.step.way.key == "desk", "what `otherwise` says"
    assert [(d.allowed, d.rule) for d in front.decisions] == [(False, "country"), (True, "")]


async def test_limits_end_a_chain_too(front: Front) -> None:
    wanted = Wanted("transfer", "desk")
    steps = [(await front.desk.after(ON_TELEPHONE, front.start, wanted)).step for _ in range(3)]
    assert [type(step) for step in steps] == [PutThrough, PutThrough, TakeMessage]


async def test_a_caller_who_came_by_sip_is_referred_and_no_other(front: Front) -> None:
    wanted = Wanted("transfer", "pbx")
    ready = await front.desk.after(BY_SIP, front.start, wanted)
    assert ready.destination is not None
    assert ready.destination.purpose is Purpose.REFER
    refused = await front.desk.after(ON_TELEPHONE, front.start, wanted)
    assert isinstance(refused.step, BackToAgent)
    assert refused.step.status == "refused"
    last = front.decisions[-1]
    assert (last.action, last.allowed, last.rule) == ("refer", False, "wrong_kind")


# Text messages


async def test_the_rung_of_a_text_message_goes_to_the_caller_only(front: Front) -> None:
    ready = await front.desk.after(ON_TELEPHONE, front.start, Fell())
    assert isinstance(ready.step, Text)
    [(to, text)] = front.texts
    assert (to.address, to.purpose, text) == (CALLER, Purpose.SMS, "Hello again.")


@pytest.mark.parametrize("caller", ["", "anonymous", "sip:ann@pbx.example.com", "+19005550100"])
async def test_a_caller_who_cannot_be_sent_one_gets_the_next_rung(
    front: Front, caller: str
) -> None:
    ready = await front.desk.after(Caller(CALL, caller, LINE), front.start, Fell())
    assert isinstance(ready.step, PutThrough)
    assert ready.step.words == "Sorry."
    assert front.texts == []


async def test_a_message_that_could_not_be_sent_is_the_next_rung_too(front: Front) -> None:
    front.sends = False
    ready = await front.desk.after(ON_TELEPHONE, front.start, Fell())
    assert isinstance(ready.step, PutThrough)


async def test_with_nothing_left_the_caller_hears_the_apology(front: Front) -> None:
    front.ways = replace(WAYS, rungs=("sms",))
    front.sends = False
    ready = await front.desk.after(ON_TELEPHONE, front.start, Fell())
    assert isinstance(ready.step, Apologise)


async def test_what_came_of_a_dial_goes_on_from_where_the_call_is(front: Front) -> None:
    journey = replace(front.start, stop=Stop.TRANSFER, to="desk")
    ready = await front.desk.after(ON_TELEPHONE, journey, Dialled("busy"))
    assert isinstance(ready.step, TakeMessage)


# A REFER of the other side


@pytest.mark.parametrize(
    "target",
    [DESK, "sip:desk@pbx.example.com", "sip:desk@PBX.example.com;transport=tls?X-A=1"],
)
async def test_a_refer_to_one_of_the_agents_own_is_that_transfer(front: Front, target: str) -> None:
    ready = await front.desk.sent_on(ON_TELEPHONE, front.start.at(Stop.TRANSFER), target)
    assert isinstance(ready.step, PutThrough)
    assert ready.step.way.how == "cold", "whatever the file says: there is nobody to ask"
    assert ready.destination is not None
    assert ready.step.journey.to in WAYS.transfers
    assert [decision.by for decision in front.decisions] == ["operator"]


@pytest.mark.parametrize(
    "target",
    ["", "+19005550100", "sip:x@evil.example", "desk", "sip:desk@pbx.example.com.evil.example"],
)
async def test_a_refer_anywhere_else_is_believed_nothing(front: Front, target: str) -> None:
    ready = await front.desk.sent_on(ON_TELEPHONE, front.start.at(Stop.TRANSFER), target)
    assert isinstance(ready.step, BackToAgent)
    assert ready.step.status == "refused"
    assert [(decision.allowed, decision.by) for decision in front.decisions] == [(False, "data")]


async def test_systems_that_refer_to_one_another_come_to_an_end(front: Front) -> None:
    journey = replace(front.start, stop=Stop.TRANSFER, steps=MOST_STEPS)
    ready = await front.desk.sent_on(ON_TELEPHONE, journey, DESK)
    assert isinstance(ready.step, Apologise)


async def test_what_the_agent_wants_to_know_of_an_answer_is_among_the_facts(front: Front) -> None:
    way = replace(WAYS.transfers["desk"], answer_headers=("X-Outcome",))
    front.ways = replace(WAYS, transfers={"desk": way})
    facts = CallFacts(sip_headers={"X-Outcome": "the caller's own"})
    journey = replace(front.start, to="desk")
    known = front.desk.answered(journey, facts, {"x-outcome": "paid", "X-Other": "1"})
    assert known.sip_headers == {"X-Outcome": "the caller's own", "Answer-x-outcome": "paid"}
    assert front.desk.answered(journey, facts, {"X-Other": "1"}) is facts
