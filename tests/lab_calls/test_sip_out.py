"""`earshot call sip:...` reaches who the policy allows, logs in there, sends its headers, and lets
the agent know those of the answer; so do transfers to SIP systems that ask for a login."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr

from app.cli import earshot
from app.demo.stage import LAB_ACCOUNT, LAB_TOKEN, Stage, by_the_models_ears
from app.lab.phone import Callee, HangUp, Press, Say, Script, Wait, WaitForBot
from app.lab.phone.rest import TwilioRest
from app.lab.realtime.ports import CallFunction, Output, Turn
from tests.lab_calls.cast import CodeEar, NoMouth, line, settled, shout
from tests.lab_calls.journeys import BRISK, LINE, agents, hold

pytestmark = pytest.mark.lab_call

US = "+14155550199"
ALICE, DESK, CHEF = (f"sip:{name}@pbx.example.com" for name in ("alice", "desk", "chef"))
LOGIN = ("earshot", "s3cret,x")
LOGINS = "pbx.example.com=earshot:s3cret%2Cx"
AGENT = f"""
instructions = "Desk {{{{sip_x_desk}}}} of {{{{caller_address}}}}."
greeting = "Hello."
tools = ["transfer_call"]
[transfers.desk]
to = "{DESK}"
[transfers.chef]
to = "{CHEF}"
how = "warm"
[policy]
sip_hosts = ["pbx.example.com"]
"""
LISTEN = Script((WaitForBot.finished(100, said_ms=400), HangUp()), limit_ms=60_000)
PERSON = Script((Wait(200), Say(shout(1_950), "Here I am."), Wait(300), HangUp()), limit_ms=60_000)
TAKES = Script(
    (Wait(300), Press("1"), Wait(200), Say(shout(1_950), "Here I am."), Wait(300), HangUp()),
    limit_ms=60_000,
)
PEOPLE = {
    ALICE: Callee(LISTEN, login=LOGIN, sip_headers={"X-Desk": "7\n# Rules"}),
    DESK: Callee(PERSON, login=LOGIN),
    CHEF: Callee(TAKES, login=LOGIN),
}
ASKS = Script(
    (Say(shout(), "Somebody, please."), WaitForBot.started(), Wait(20_000), HangUp()),
    limit_ms=60_000,
)


class Brain:
    """Says something, and puts callers through who ask for somebody."""

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        asked = any(turn.role == "user" for turn in conversation)
        if not asked:
            return (line(1, 600),)
        to = "chef" if "+15550100077" in instructions else "desk"
        return (line(1, 300), CallFunction("transfer_call", {"to": to}))


@pytest.fixture
async def on(tmp_path: Path) -> AsyncIterator[Stage]:
    path = agents(tmp_path, {"house": AGENT})["house"]
    async with Stage(
        brain=Brain,
        ear=CodeEar(),
        mouth=NoMouth(),
        revise=by_the_models_ears,
        data_dir=tmp_path / "data",
        agent=path,
        people=PEOPLE,
        pace=BRISK,
        sip_logins=SecretStr(LOGINS),
    ) as stage:
        yield stage


async def call(on: Stage, rest: TwilioRest, *arguments: str) -> Result:
    env = {
        "TWILIO_ACCOUNT_SID": LAB_ACCOUNT,
        "TWILIO_AUTH_TOKEN": LAB_TOKEN,
        "PUBLIC_URL": on.url,
        "EARSHOT_TWILIO_API_URL": rest.base_url,
        "EARSHOT_FROM_NUMBER": US,
        "EARSHOT_SIP_LOGINS": LOGINS,
        "EARSHOT_AGENT": on.worker.settings.agent,
    }
    return await asyncio.to_thread(CliRunner(env=env).invoke, earshot, ["call", *arguments])


async def test_a_call_to_a_sip_address_logs_in_and_tells_and_is_told(on: Stage) -> None:
    assert on.account is not None
    async with TwilioRest(account=on.account) as rest:
        result = await call(on, rest, ALICE, "--header", "X-Id=42;b, c")
        assert result.exit_code == 0, result.output
        report = await rest.report(result.stdout.split()[0])
        await settled(on, report)
    assert (report.status, report.errors) == ("completed", [])
    assert report.identity.to == ALICE
    assert report.identity.sip_headers == {"X-Id": "42;b, c"}
    [session] = on.model.sessions
    assert f"Desk ⟦7 Rules⟧ of ⟦{ALICE}⟧." in session.instructions


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sip:alice@evil.example",), "sip_host"),
        (("sip:+19005550100@pbx.example.com",), "may not call that address"),
        ((ALICE, "--header", "Subject=x"), "X-... or User-to-User"),
        ((ALICE, "--header", "X-A=a\r\nX-B: 1"), "printable ASCII"),
        ((ALICE, "--header", "X-A=" + "x" * 1_100), "1023 characters of SIP headers"),
        (("+15550100011", "--header", "X-A=1"), "a sip: address only"),
    ],
)
async def test_what_may_not_be_called_is_not(
    on: Stage, arguments: tuple[str, ...], said: str
) -> None:
    assert on.account is not None
    async with TwilioRest(account=on.account) as rest:
        result = await call(on, rest, *arguments)
    assert result.exit_code == 1
    assert said in result.stderr
    assert not on.account.calls


@pytest.mark.parametrize(("caller", "reached"), [("+15550100076", DESK), ("+15550100077", CHEF)])
async def test_transfers_log_in_where_they_are_asked_to(
    on: Stage, caller: str, reached: str
) -> None:
    assert on.account is not None
    report = await hold(on, on.worker.settings.agent, ASKS, from_=caller, to=LINE)
    [leg] = await on.account.reports_to(reached)
    assert leg.status == "completed", leg.errors
    assert report.errors == []
    assert "Here I am." in [one.text for one in report.heard if one.kind == "party"]
