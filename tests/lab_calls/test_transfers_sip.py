"""Whoever the operator names is reached: SIP addresses with their headers, clients, queues; a chain
of others is rung in its order, and a REFER is asked for only of who can follow it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.demo.stage import CALLER, Stage, by_the_models_ears
from app.lab.phone import Account, Callee, HangUp, PhoneLine, Say, Script, Wait, WaitForBot
from app.lab.phone.report import CallReport
from app.lab.phone.script import ReferOutcome
from app.lab.realtime.ports import CallFunction, Output, Turn
from app.telephone_line import NOT_BY_SIP
from tests.lab.phone.bots import WebBot, twiml
from tests.lab_calls.cast import CodeEar, NoMouth, line, shout, until
from tests.lab_calls.journeys import BRISK, LINE, agents, hold, verbs
from tests.lab_calls.together import at_once

pytestmark = pytest.mark.lab_call

ANN = "sip:ann@pbx.example"
BOT = "sip:bot@house.sip.twilio.com"
NUMBERS = {name: f"+1415555012{n}" for n, name in enumerate(("busy", "away", "broken", "last"))}
POLICY = """
[policy]
sip_hosts = ["pbx.example"]
sip_headers = ["X-Order"]
clients = ["anna"]
queues = ["sales"]
"""
BASE = 'instructions = "You answer."\ngreeting = ""\ntools = ["transfer_call"]\n'
ASKS = Say(shout(), "Give me somebody.")
PUTS: tuple[Output, ...] = (line(1, 300), CallFunction("transfer_call", {"to": "them"}))
BACK: tuple[Output, ...] = (line(2, 300),)
PERSON = Script((Wait(300), Say(shout(1_950), "Here I am."), Wait(400), HangUp()))
STAYS = Script((ASKS, Wait(20_000), HangUp()))
COMES_BACK = Script(
    (ASKS, WaitForBot.finished(), WaitForBot.finished(said_ms=500), HangUp()), limit_ms=25_000
)


def agent(to: str, more: str = "") -> str:
    return f'{BASE}[transfers.them]\nto = "{to}"\n{more}\n{POLICY}'


FILES = {
    "sip": agent("sip:desk@pbx.example?X-Order=47"),
    "client": agent("client:anna"),
    "queue": agent("queue:sales"),
    "refer": agent("sip:desk@pbx.example", 'how = "refer"'),
    "chain": agent(
        NUMBERS["busy"],
        f"""ring_s = 5
otherwise = "away"
[transfers.away]
to = "{NUMBERS["away"]}"
ring_s = 5
otherwise = "broken"
[transfers.broken]
to = "{NUMBERS["broken"]}"
otherwise = "last"
[transfers.last]
to = "{NUMBERS["last"]}"
""",
    ),
    "broken": agent(NUMBERS["broken"]),
}
PEOPLE = {
    "sip:desk@pbx.example": Callee(PERSON),
    "client:anna": Callee(PERSON),
    NUMBERS["busy"]: Callee(answers="busy"),
    NUMBERS["away"]: Callee(answers="no-answer"),
    NUMBERS["broken"]: Callee(answers="failed"),
    NUMBERS["last"]: Callee(PERSON),
}


class Brain:
    """Puts callers through; one who is back, or cannot be put through, hears a sentence."""

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        refused = any(turn.role == "function_call_output" for turn in conversation[-1:])
        return BACK if refused or "The caller is back with you" in instructions else PUTS


def stage(folder: Path) -> Stage:
    return Stage(
        brain=Brain,
        ear=CodeEar(),
        mouth=NoMouth(),
        revise=by_the_models_ears,
        data_dir=folder / "data",
        agent=agents(folder, FILES)["sip"],
        people=PEOPLE,
        pace=BRISK,
    )


def heard(report: CallReport) -> list[str]:
    return [one.text for one in report.heard if one.kind == "party"]


async def member_of_sales(account: Account) -> CallReport:
    """Somebody who takes whoever waits in the queue."""
    await until(lambda: bool(account.queues.named("sales").waiting))
    takes = twiml("<Dial><Queue>sales</Queue></Dial>")
    async with WebBot({"/member": takes}) as bot:
        own = PhoneLine(f"{bot.url}/member", account=account)
        return await own.call(PERSON, from_="+14155550155", to="+14155550156")


@at_once
async def test_everybody_whom_the_operator_names_is_reached(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        paths = agents(tmp_path, FILES)
        assert on.account is not None
        sip, client, chain, queued, _ = await asyncio.gather(
            *(hold(on, paths[name], STAYS) for name in ("sip", "client", "chain", "queue")),
            member_of_sales(on.account),
        )
    for report in (sip, client, chain, queued):
        assert "Here I am." in heard(report), report.errors
        assert verbs(report)[-1] == "Hangup"
        assert report.errors == []
    [leg] = sip.dialled
    assert leg.identity.to == "sip:desk@pbx.example"
    assert "'X-Order': '47'" in str(leg.identity)
    assert [leg.identity.to for leg in client.dialled] == ["client:anna"]
    assert [leg.identity.to for leg in chain.dialled] == list(NUMBERS.values())
    assert verbs(queued)[-2:] == ["Enqueue", "Hangup"]


@at_once
async def test_a_refer_is_asked_for_only_of_who_came_by_sip(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        refer = agents(tmp_path, FILES)["refer"]
        refuses = replace(COMES_BACK, refer=ReferOutcome(response=405))
        busy = replace(COMES_BACK, refer=ReferOutcome(notify=486))
        taken, refused, reached_nobody, by_telephone = await asyncio.gather(
            hold(on, refer, STAYS, from_=ANN, to=BOT),
            hold(on, refer, refuses, from_=ANN, to=BOT),
            hold(on, refer, busy, from_=ANN, to=BOT),
            hold(on, refer, COMES_BACK, from_=CALLER, to=LINE),
        )
        told = " ".join(str(session.received) for session in on.model.sessions)
    assert verbs(taken)[:2] == ["Connect", "Refer"]
    assert len(taken.streams) == 1
    for report in (refused, reached_nobody):
        assert verbs(report) == ["Connect", "Refer", "Connect"]
        assert report.as_scripted, report
    assert "the call could not be put through" in told
    assert verbs(by_telephone) == ["Connect"], "nothing that Twilio would refuse, nor a stream less"
    assert by_telephone.errors == []
    assert NOT_BY_SIP in told
