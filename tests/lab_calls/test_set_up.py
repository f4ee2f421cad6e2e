"""What `earshot numbers apply` and `earshot sip apply` set up is where calls arrive: from an
account that knows nothing to whole calls, by telephone and by SIP."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import earshot
from app.demo.stage import CALLER, LAB_ACCOUNT, LAB_TOKEN
from app.lab.phone import HangUp, PhoneLine, Script, WaitForBot
from app.lab.phone.rest import TwilioRest
from tests.lab_calls.cast import line, stage_for
from tests.lab_calls.journeys import BRISK

pytestmark = pytest.mark.lab_call

NUMBER = "+14155550100"
FILE = """
[[addresses]]
name = "office"
allow = ["203.0.113.0/24"]
[[domain]]
name = "acme"
addresses = ["office"]
"""
HEARS = Script((WaitForBot.finished(said_ms=200), HangUp()), limit_ms=60_000)


async def test_what_is_set_up_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "sip.toml"
    path.write_text(FILE, encoding="utf-8")
    async with stage_for(tmp_path / "data", [line(1, 300)], people={}, pace=BRISK) as on:
        assert on.account is not None
        on.account.numbers.add(NUMBER)
        async with TwilioRest(account=on.account) as rest:

            async def run(*words: str) -> Result:
                env = {
                    "TWILIO_ACCOUNT_SID": LAB_ACCOUNT,
                    "TWILIO_AUTH_TOKEN": LAB_TOKEN,
                    "PUBLIC_URL": on.url,
                    "EARSHOT_TWILIO_API_URL": rest.base_url,
                }
                return await asyncio.to_thread(CliRunner(env=env).invoke, earshot, list(words))

            numbers = await run("numbers", "apply", NUMBER, "--yes", "--file", str(path))
            assert numbers.exit_code == 0, numbers.output
            domain = await run("sip", "apply", "--yes", "--file", str(path))
            assert domain.exit_code == 0, domain.output
        anyone = PhoneLine("", account=on.account)
        by_number, by_sip = await asyncio.gather(
            anyone.call(HEARS, from_=CALLER, to=NUMBER),
            anyone.call(HEARS, from_="sip:ann@pbx.example", to="sip:bot@acme.sip.twilio.com"),
        )
    for report in (by_number, by_sip):
        assert report.as_scripted, report.steps
        assert report.errors == []
        statuses = [r for r in report.requests if r.purpose == "status"]
        assert [r.status for r in statuses] == [204], "the status callback arrives as well"
