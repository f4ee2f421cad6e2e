"""A step is taken only if the policy clears it and the carrier can take it; else the journey goes
on with the next thing. Of all who tell what came of a held caller exactly one counts, and a caller
whom nobody takes never stays with the music."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from app import desk as module
from app.call.endings import EndReason
from app.carriers.twilio.door import Ending
from app.carriers.twilio.onward import Caller, Held, Outcome
from app.carriers.twilio.rest import TwilioRest
from app.desk import Desk, OutcomesHere
from app.gate import Gate, Who
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
from app.onward.journey import Journey, Stop
from app.onward.plan import Plan
from app.onward.ways import VoicemailWays, Way, Ways
from app.policy.decisions import Decision
from app.policy.destinations import Cleared, Purpose
from tests.carriers.twilio.test_rest import Api, api, fails, rest, says
from tests.onward.house import CALL, CALLER, DESK, LINE, PERSON, house

__all__ = ["api", "rest"]

ON_TELEPHONE = Caller(CALL, CALLER, LINE)
BY_SIP = Caller(CALL, "sip:ann@pbx.example.com", "sip:bot@house.sip.twilio.com")
ENDS: tuple[Outcome, ...] = ("declined", "busy", "no_answer", "failed")
WAYS = Ways(
    transfers={
        way.key: way
        for way in (
            Way("desk", otherwise="voicemail"),
            Way("chef", how="warm", ring_s=9),
            Way("abroad", otherwise="desk"),
            Way("pbx", how="refer"),
            Way("client", caller_id="caller"),
        )
    },
    rungs=("sms", "person", "voicemail"),
    sorry="Sorry.",
    person="desk",
    voicemail=VoicemailWays("Speak.", 60, "Thanks."),
    text="Hello again.",
)


@dataclass
class Front:
    """A desk, and what it was given."""

    folder: Path
    rest: TwilioRest | None = None
    ending: Ending | None = None
    ways: Ways = WAYS
    decisions: list[Decision] = field(default_factory=list)
    texts: list[tuple[Cleared, str]] = field(default_factory=list)
    sends: bool = True

    def __post_init__(self) -> None:
        self.agent, personas = house(self.folder)
        gate = Gate(personas, record=self._record)
        self.outcomes = OutcomesHere()
        self.desk = Desk(
            lambda agent: self.ways,
            gate,
            self._rest,
            self._ending,
            self.outcomes,
            send_text=self._send,
        )

    def _record(self, decision: Decision) -> None:
        self.decisions.append(decision)

    async def _rest(self) -> TwilioRest | None:
        return self.rest

    async def _ending(self, call_sid: str) -> Ending | None:
        return self.ending

    async def _send(self, caller: Caller, who: Who, to: Cleared, text: str) -> bool:
        self.texts.append((to, text))
        return self.sends

    @property
    def start(self) -> Journey:
        return Journey(self.agent)

    def held(self, hold: str = "h1", person: str = PERSON) -> Held:
        return Held(CALL, person, replace(self.start, stop=Stop.HELD, to="chef", hold=hold))


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


# A warm transfer


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
        assert await connected.desk.settle(held, "joined"), "the second one counts as the first"
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
    assert not await connected.desk.settle(connected.held(hold), "joined")


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
    assert (await front.desk.briefing(CALL, front.start)).startswith(told)


async def test_a_person_of_the_ladder_is_told_of_a_caller(front: Front) -> None:
    for front.ending in (None, Ending(EndReason.MODEL_FAILED, "no such model")):
        words = await front.desk.briefing(CALL, front.start)
        assert words.startswith("There is a caller for you. Press 1")


# Who tells first what came of a held caller


@pytest.mark.parametrize("end", ENDS)
async def test_a_person_who_does_not_come_brings_the_caller_back(
    connected: Front, api: Api, end: Outcome
) -> None:
    assert await connected.desk.settle(connected.held(), end)
    await connected.desk.close()
    [(_, path, form)] = api.requests
    assert path.endswith(f"/Calls/{CALL}.json")
    assert f"end={end}" in form["Url"][0]


@pytest.mark.parametrize("end", ["joined", "gone"])
async def test_who_is_together_or_gone_is_left_alone(
    connected: Front, api: Api, end: Outcome
) -> None:
    assert await connected.desk.settle(connected.held(), end)
    await connected.desk.close()
    assert api.requests == []


async def test_a_person_who_took_the_call_and_never_came_brings_the_caller_back(
    connected: Front, api: Api
) -> None:
    await connected.desk.settle(connected.held(), "joined")
    await connected.desk.person_over(connected.held(), "declined")
    await connected.desk.close()
    assert len(api.requests) == 1


async def test_a_person_who_has_talked_does_not(connected: Front, api: Api) -> None:
    await connected.desk.settle(connected.held(), "joined")
    await connected.desk.met(connected.held())
    await connected.desk.person_over(connected.held(), "declined")
    await connected.desk.close()
    assert api.requests == []


async def test_a_person_who_declined_is_not_told_of_twice(connected: Front, api: Api) -> None:
    await connected.desk.settle(connected.held(), "declined")
    await connected.desk.person_over(connected.held(), "declined")
    await connected.desk.close()
    assert len(api.requests) == 1


@pytest.mark.parametrize("seed", range(20))
async def test_in_any_order_one_counts_and_the_caller_is_brought_back_at_most_once(
    connected: Front, api: Api, seed: int
) -> None:
    desk, held = connected.desk, connected.held()
    won: list[Outcome] = []

    async def tell(outcome: Outcome) -> None:
        if await desk.settle(held, outcome):
            won.append(outcome)

    tellers = [tell("joined"), tell("gone"), tell("declined"), desk.person_over(held, "declined")]
    random.Random(seed).shuffle(tellers)
    await asyncio.gather(*tellers)
    await desk.close()
    assert len(won) <= 1
    assert len(api.requests) <= 1
    assert won or api.requests


async def test_bringing_back_is_tried_again_until_it_works(connected: Front, api: Api) -> None:
    working, number = api.answer, itertools.count()

    async def third_time() -> object:
        return await (working() if next(number) == 2 else fails(429, 20429)())

    api.answer = third_time  # type: ignore[assignment]
    await connected.desk.settle(connected.held(), "busy")
    await connected.desk.close()
    assert len(api.requests) == 3


async def test_a_caller_who_has_gone_is_not_brought_back_again_and_again(
    connected: Front, api: Api
) -> None:
    api.answer = fails(400, 21220)
    await connected.desk.settle(connected.held(), "busy")
    await connected.desk.close()
    assert len(api.requests) == 1


async def test_a_person_stops_ringing_only_if_there_is_one(connected: Front, api: Api) -> None:
    await connected.desk.stop_ringing(connected.held(person=""))
    assert api.requests == []
    await connected.desk.stop_ringing(connected.held())
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


async def test_what_came_of_a_dial_goes_on_from_where_the_call_is(front: Front) -> None:
    journey = replace(front.start, stop=Stop.TRANSFER, to="desk")
    ready = await front.desk.after(ON_TELEPHONE, journey, Dialled("busy"))
    assert isinstance(ready.step, TakeMessage)
