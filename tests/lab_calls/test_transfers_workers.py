"""Where a call goes is known to every worker: one plans it, another answers for it and is
told what came of it; the memory of the call is with whoever opens the next stream."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from app.demo.stage import CALLER
from app.lab.phone import Callee, HangUp, PhoneLine, Press, Say, Script, Wait, WaitForBot
from app.lab.realtime.ports import CallFunction, Output, Turn
from tests.lab_calls.cast import line, shout
from tests.lab_calls.journeys import DESK, LINE, agents, said, verbs
from tests.lab_calls.two_workers import two_workers

pytestmark = pytest.mark.lab_call

AGENT = f"""
instructions = "You answer."
greeting = ""
tools = ["transfer_call"]
[transfers.desk]
to = "{DESK}"
how = "HOW"
"""
ASKS = Say(shout(), "Give me a person.")
BRIEF = "They want a table for nine."
PEOPLE = {
    DESK: Callee(
        Script(
            (
                WaitForBot.started(),
                Press("1"),
                Wait(1_500),
                Say(shout(1_951), "Hello."),
                Wait(400),
                HangUp(),
            )
        )
    ),
}


class Brain:
    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        if "The caller is back with you" in instructions:
            return (line(2, 500),)
        return (line(1, 300), CallFunction("transfer_call", {"to": "desk", "brief": BRIEF}))


def house(folder: Path, how: str) -> str:
    return agents(folder, {"house": AGENT.replace("HOW", how)})["house"]


async def test_a_warm_transfer_is_planned_by_one_worker_and_carried_out_by_another(
    tmp_path: Path,
) -> None:
    agent = house(tmp_path, "warm")
    async with two_workers(tmp_path, PEOPLE, agent, Brain) as (split, account, model, url):
        phone = PhoneLine(f"{url}/twilio/voice", account=account)
        script = Script((ASKS, Wait(20_000), HangUp()), limit_ms=40_000)
        report = await phone.call(script, from_=CALLER, to=LINE)
        [person] = await account.reports_to(DESK)
        await account.notices.settled()
    assert "Hello." in [one.text for one in report.heard if one.kind == "party"]
    assert BRIEF in said(person), "the plan came from the other worker"
    assert verbs(report) == ["Connect", "Dial", "Hangup"]
    assert report.errors == []
    assert len(model.sessions) == 1
    assert {"/twilio/stream-ended", "/twilio/whisper", "/twilio/held"} <= set(split.others)


async def test_a_caller_comes_back_to_another_worker_that_knows_the_call(tmp_path: Path) -> None:
    people = {DESK: Callee(answers="busy")}
    script = Script(
        (ASKS, WaitForBot.finished(), WaitForBot.finished(said_ms=400), HangUp()), limit_ms=30_000
    )
    agent = house(tmp_path, "cold")
    async with two_workers(tmp_path, people, agent, Brain) as (split, account, model, url):
        phone = PhoneLine(f"{url}/twilio/voice", account=account)
        report = await phone.call(script, from_=CALLER, to=LINE)
        told = str(model.sessions[1].received)
    assert report.as_scripted, report.steps
    assert len(report.streams) == 2
    assert "the line was busy" in told
    assert "line 1" in told, "what was said on the first worker"
    assert split.others.count("/twilio/onward") == 1
