"""What goes along to a SIP system, and what comes back: an agent's own headers on transfers and on
REFER, escaped; headers of an answer as data; a REFER of the other side through the policy."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from app.demo.stage import Stage, by_the_models_ears
from app.lab.phone import Callee, HangUp, Press, Say, Script, Wait, WaitForBot
from app.lab.phone.report import CallReport
from app.lab.realtime.ports import CallFunction, Output, Turn
from tests.lab_calls.cast import CodeEar, NoMouth, line, settled, shout
from tests.lab_calls.journeys import BRISK, LINE, agents, hold, verbs
from tests.lab_calls.together import at_once

pytestmark = pytest.mark.lab_call

BOT = "sip:bot@house.sip.twilio.com"
BASE = """
instructions = '''You answer {{caller_address}}. Outcome: {{sip_answer_x_outcome}}. Secret:
{{sip_answer_x_secret}}'''
greeting = ""
tools = ["transfer_call"]
"""
HEADERS = 'headers = { X-Team = "blue", X-Order = "{{sip_x_order}}", X-Note = "n: {{sip_x_note}}" }'
POLICY = """
[policy]
sip_hosts = ["pbx.example"]
"""
HOSTILE = "7\r\nX-Admin: yes;a=b,c&X-Order=9?%41é"
ASKS = Say(shout(), "Give me somebody.")
PUTS: tuple[Output, ...] = (line(1, 300), CallFunction("transfer_call", {"to": "them"}))
PERSON = Script((Wait(200), Say(shout(1_950), "Here I am."), Wait(300), HangUp()))
WAITS = Script((Wait(200), Say(shout(1_951), "One moment."), Wait(20_000), HangUp()))
STAYS = Script((ASKS, Wait(20_000), HangUp()), limit_ms=60_000)
COMES_BACK = Script(
    (ASKS, WaitForBot.finished(), WaitForBot.finished(said_ms=500), HangUp()), limit_ms=60_000
)


def agent(to: str, more: str = "") -> str:
    return f'{BASE}[transfers.them]\nto = "{to}"\n{more}\n{POLICY}'


FILES = {
    "cold": agent("sip:desk@pbx.example?X-Fixed=1", HEADERS).replace(
        "[policy]", '[policy]\nsip_headers = ["X-Fixed"]'
    ),
    "warm": agent("sip:warm@pbx.example", f'how = "warm"\n{HEADERS}'),
    "refer": agent("sip:desk@pbx.example", f'how = "refer"\n{HEADERS}'),
    "back": agent("sip:ivr@pbx.example", 'then = "back"\nanswer_headers = ["X-Outcome"]'),
    "declines": agent("sip:chef@pbx.example", 'how = "warm"\nanswer_headers = ["X-Outcome"]'),
    "sends": agent(
        "sip:switch@pbx.example",
        '[transfers.sales]\nto = "sip:sales@pbx.example"\nheaders = { X-Via = "refer" }',
    ),
    "sends-far": agent("sip:far@pbx.example"),
}
PEOPLE = {
    "sip:desk@pbx.example": Callee(PERSON),
    "sip:sales@pbx.example": Callee(PERSON),
    "sip:warm@pbx.example": Callee(answers="busy"),
    "sip:ivr@pbx.example": Callee(
        PERSON, sip_headers={"X-Outcome": "paid\n# Rules", "X-Secret": "1"}
    ),
    "sip:chef@pbx.example": Callee(
        Script((Wait(300), Press("2"), Wait(20_000), HangUp()), limit_ms=60_000),
        sip_headers={"X-Outcome": "at lunch", "X-Secret": "1"},
    ),
    "sip:switch@pbx.example": Callee(WAITS, refers_to="sip:sales@pbx.example", refers_after_ms=600),
    "sip:far@pbx.example": Callee(WAITS, refers_to="tel:+1-900-555-0100", refers_after_ms=600),
}


class Brain:
    """Puts callers through; one who is back hears a sentence."""

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        return (line(2, 600),) if "is back with you" in instructions else PUTS


def stage(folder: Path) -> Stage:
    return Stage(
        brain=Brain,
        ear=CodeEar(),
        mouth=NoMouth(),
        revise=by_the_models_ears,
        data_dir=folder / "data",
        agent=agents(folder, FILES)["cold"],
        people=PEOPLE,
        pace=BRISK,
    )


async def by_sip(on: Stage, path: str, script: Script) -> CallReport:
    headers = {"X-Order": "47 B", "X-Note": HOSTILE}
    return await hold(on, path, script, from_="sip:ann@pbx.example", to=BOT, sip_headers=headers)


def sent(call: CallReport) -> dict[str, str]:
    return dict(call.identity.sip_headers)


def ours(headers: dict[str, str], report: CallReport) -> dict[str, str]:
    """Without the reference that every SIP system gets."""
    sid = report.identity.call_sid
    assert headers["X-Earshot-Call"] == sid
    assert headers["User-to-User"] == f"{sid.encode().hex()};encoding=hex"
    return {k: v for k, v in headers.items() if k not in ("X-Earshot-Call", "User-to-User")}


TOLD = {
    "X-Team": "blue",
    "X-Order": "47 B",
    "X-Note": "n: 7 X-Admin: yes;a=b,c&X-Order=9? 41e",
}
"""One line of plain letters, each in its own header, whatever the value tried to be."""


@at_once
async def test_headers_go_along_on_transfers_and_on_refer(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        paths = agents(tmp_path, FILES)
        cold, warm, refer = await asyncio.gather(
            *(
                by_sip(on, paths[name], script)
                for name, script in (("cold", STAYS), ("warm", COMES_BACK), ("refer", STAYS))
            )
        )
        assert on.account is not None
        [warm_leg] = await on.account.reports_to("sip:warm@pbx.example")
    assert [report.errors for report in (cold, warm, refer)] == [[], [], []]
    assert ours(sent(cold.dialled[0]), cold) == {"X-Fixed": "1", **TOLD}
    assert ours(sent(warm_leg), warm) == TOLD
    [verb] = [verb for verb in refer.verbs if verb.name == "Refer"]
    [(_, uri)] = verb.nouns
    asked = dict(parse_qsl(uri.partition("?")[2]))
    assert ours(asked, refer) == TOLD


@at_once
async def test_headers_of_an_answer_come_back_as_data_where_they_are_wanted(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        report = await by_sip(on, agents(tmp_path, FILES)["back"], COMES_BACK)
        await settled(on, report)
        first, second = [session.instructions for session in on.model.sessions]
    assert report.errors == []
    assert verbs(report) == ["Connect", "Dial", "Connect"]
    assert report.as_scripted, report.steps
    assert "Outcome: (unknown)" in first
    assert "Outcome: ⟦paid Rules⟧" in second
    assert "Secret:\n(unknown)" in second, "nobody asked for that one"
    assert "has talked" in str(on.model.sessions[1].received)


@at_once
async def test_so_do_those_of_a_person_who_declines(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        report = await by_sip(on, agents(tmp_path, FILES)["declines"], COMES_BACK)
        await settled(on, report)
        first, second = [session.instructions for session in on.model.sessions]
    assert report.errors == []
    assert report.as_scripted, report.steps
    assert "Outcome: (unknown)" in first
    assert "Outcome: ⟦at lunch⟧" in second
    assert "Secret:\n(unknown)" in second


@at_once
async def test_a_refer_of_the_other_side_goes_where_the_policy_lets_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        paths = agents(tmp_path, FILES)
        known, far = await asyncio.gather(
            hold(on, paths["sends"], STAYS, to=LINE),
            hold(on, paths["sends-far"], COMES_BACK, to=LINE),
        )
    switch, sales = known.dialled
    assert (switch.identity.to, sales.identity.to) == (
        "sip:switch@pbx.example",
        "sip:sales@pbx.example",
    )
    assert sent(sales)["X-Via"] == "refer", "it counts as the transfer that it is"
    heard = [one.text for one in known.heard if one.kind == "party"]
    assert heard == ["One moment.", "Here I am."]
    assert known.errors == []
    assert [leg.identity.to for leg in far.dialled] == ["sip:far@pbx.example"], "not where it led"
    assert verbs(far) == ["Connect", "Dial", "Connect"]
    assert far.as_scripted, far.steps
