"""How far a caller is trusted is said by the rules of the agent that speaks now, and what they have
proved goes with the call to another worker; nothing else makes them trusted."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.demo.stage import CALLER, Stage, by_the_models_ears
from app.lab.phone import Callee, HangUp, PhoneLine, Say, Script, WaitForBot
from app.lab.realtime.log import SessionLog
from app.lab.realtime.ports import CallFunction, Output, Turn
from tests.lab_calls.cast import Answers, CodeEar, NoMouth, ScriptedBrain, line, settled, shout
from tests.lab_calls.journeys import BRISK, DESK, LINE, agents, hold
from tests.lab_calls.two_workers import two_workers

pytestmark = pytest.mark.lab_call

TOOLS = '''
def balance() -> str:
    """Tell the balance."""
    return "7 dollars"


def check_pin(pin: str) -> bool:
    """Check a PIN."""
    return True
'''
ASKS = Say(shout(), "My balance, please.")
HEARS = WaitForBot.finished(said_ms=300)
BALANCE, CHECK = CallFunction("balance"), CallFunction("check_pin", {"pin": "1234"})
KNOWN = "7 dollars"


def told(session: SessionLog) -> list[object]:
    """What the model was told of its tools."""
    turns = session.turns()
    return [json.loads(turn.text) for turn in turns if turn.role == "function_call_output"]


# By SIP

COLLEAGUES = """
instructions = "You are the {name}."
description = "for all else"
greeting = ""
colleagues = ["{other}"]
tools = ["hand_over", "tools.py:balance"]
[policy]
sip_domains = {domains}
trust = {{ balance = "attested" }}
"""
DOOR = "house.sip.twilio.com"


class Colleagues:
    """Each asks for the balance; the one that the call began with hands over then."""

    def __init__(self) -> None:
        self._asked = False

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        if not self._asked:
            self._asked = True
            return (line(1, 300), BALANCE)
        if "You are the desk." in instructions:
            return (CallFunction("hand_over", {"to": "till"}),)
        return (line(2, 500),)


@pytest.mark.parametrize("trusts", ["desk", "till"])
async def test_a_door_opens_the_tools_of_the_agent_whose_door_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusts: str
) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "tools.py").write_text(TOOLS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    pairs = (("desk", "till"), ("till", "desk"))
    texts = {
        name: COLLEAGUES.format(
            name=name, other=other, domains=json.dumps([DOOR] if name == trusts else [])
        )
        for name, other in pairs
    }
    agents(tmp_path / "agents", texts)
    script = Script((ASKS, HEARS, HEARS, HangUp()), limit_ms=30_000)
    async with Stage(
        brain=Colleagues,
        ear=CodeEar(),
        mouth=NoMouth(),
        revise=by_the_models_ears,
        data_dir=tmp_path / "data",
        people={},
        pace=BRISK,
    ) as on:
        report = await hold(on, "desk", script, from_="sip:ann@pbx.example", to=f"sip:bot@{DOOR}")
        await settled(on, report)
        asked = [told(session) for session in on.model.sessions]
    assert report.as_scripted, report.steps
    by_desk, by_till = asked[0][0], asked[1][-1]
    assert (by_desk == KNOWN) is (trusts == "desk"), by_desk
    assert (by_till == KNOWN) is (trusts == "till"), by_till


# On another worker

HOUSE = f"""
instructions = "You answer."
greeting = ""
tools = ["transfer_call", "tools.py:balance", "tools.py:check_pin"]
[transfers.desk]
to = "{DESK}"
how = "cold"
[policy]
trust = {{ balance = "verified" }}
proofs = {{ check_pin = "pin" }}
"""


@pytest.mark.parametrize("proves", [True, False])
async def test_what_a_caller_proved_is_known_to_the_worker_that_goes_on(
    tmp_path: Path, proves: bool
) -> None:
    (tmp_path / "tools.py").write_text(TOOLS, encoding="utf-8")
    agent = agents(tmp_path, {"house": HOUSE})["house"]
    leaves = CallFunction("transfer_call", {"to": "desk", "brief": "They proved it by PIN."})
    first: Answers = [[line(1, 300), CHECK], [leaves]] if proves else [[line(1, 300), leaves]]
    second: Answers = [[BALANCE], [line(2, 500)]]
    sessions = iter([first, second])
    script = Script((ASKS, HEARS, WaitForBot.finished(said_ms=400), HangUp()), limit_ms=30_000)
    async with two_workers(
        tmp_path, {DESK: Callee(answers="busy")}, agent, lambda: ScriptedBrain(next(sessions))
    ) as (split, account, model, url):
        phone = PhoneLine(f"{url}/twilio/voice", account=account)
        report = await phone.call(script, from_=CALLER, to=LINE)
        answer = told(model.sessions[1])[-1]
    assert report.as_scripted, report.steps
    assert len(report.streams) == 2
    assert "/twilio/onward" in split.others
    if proves:
        assert answer == KNOWN
    else:
        assert isinstance(answer, dict)
        assert "ask for the PIN" in answer["error"]
