"""Invariant: `earshot numbers` and `earshot sip` show what they would do, do it only with --yes, do
nothing twice, go on where a failure cut them off, and take nothing away unless they are asked to:
against the lab's REST API over HTTP."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import earshot
from app.lab.phone import Account
from app.lab.phone.rest import TwilioRest
from app.lab.phone.rest_manners import RestManners
from tests.provisioning.test_sip_file import WHOLE

SID, TOKEN = "AC" + "0" * 32, "token"
NUMBERS = ("+14155550100", "+14155550101")
PUBLIC = "https://bot.example.com"
PASSWORD = "Correct horse 1 battery"


class Lab:
    """The lab's REST API on a thread of its own, since commands run their own event loop."""

    def __init__(self) -> None:
        self.account = Account(account_sid=SID, auth_token=TOKEN, numbers=NUMBERS)
        self.rest = TwilioRest(account=self.account)
        self._ready, self._over = threading.Event(), asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))

    async def _run(self) -> None:
        async with self.rest:
            self._ready.set()
            await self._over.wait()
        # Of a request whose answer was to be lost.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def __enter__(self) -> "Lab":
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(60)
        self._loop.close()

    def things(self, path: str) -> list[dict[str, object]]:
        """Of all owners."""
        found: list[dict[str, object]] = []
        for kept, things in self.account.kept.items():
            parts, wanted = kept.split("/"), path.split("/")
            same = len(parts) == len(wanted) and all(
                w in ("{owner}", p) for p, w in zip(parts, wanted, strict=True)
            )
            found += things.values() if same else []
        return found


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agents").mkdir()
    text = 'instructions = "You answer."\n'
    (tmp_path / "agents" / "reception.toml").write_text(text, encoding="utf-8")
    with Lab() as running:
        env = {
            "TWILIO_ACCOUNT_SID": SID,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "PUBLIC_URL": PUBLIC,
            "EARSHOT_TWILIO_API_URL": running.rest.base_url,
            "ALICE_PASSWORD": PASSWORD,
        }
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        yield running


def run(*words: str) -> Result:
    return CliRunner().invoke(earshot, words)


def numbers_of(lab: Lab) -> dict[str, dict[str, object]]:
    return {str(one["phone_number"]): one for one in lab.things("/IncomingPhoneNumbers")}


def test_a_number_is_pointed_at_this_bot_once(lab: Lab) -> None:
    planned = run("numbers", "plan", NUMBERS[0], "--agent", "reception")
    assert planned.exit_code == 0, planned.output
    assert f"~ change number {NUMBERS[0]}" in planned.output
    assert f"nothing -> {PUBLIC}/twilio/voice?agent=reception" in planned.output
    assert not numbers_of(lab)[NUMBERS[0]]["voice_url"], "a plan does nothing"

    unasked = run("numbers", "apply", NUMBERS[0], "--agent", "reception")
    assert unasked.exit_code == 1
    assert "Nothing was changed. Add --yes" in unasked.output
    assert not numbers_of(lab)[NUMBERS[0]]["voice_url"]

    done = run("numbers", "apply", NUMBERS[0], "--agent", "reception", "--yes")
    assert done.exit_code == 0, done.output
    assert f"✓ change: number {NUMBERS[0]}" in done.output
    changed = numbers_of(lab)[NUMBERS[0]]
    assert changed["voice_url"] == f"{PUBLIC}/twilio/voice?agent=reception"
    assert changed["status_callback"] == f"{PUBLIC}/twilio/status"

    again = run("numbers", "apply", NUMBERS[0], "--agent", "reception", "--yes")
    assert again.exit_code == 0
    assert again.output == "Nothing to do: all is as you want it.\n"


def test_a_drift_is_shown_and_mended(lab: Lab) -> None:
    run("numbers", "apply", NUMBERS[0], "--yes")
    drifted = numbers_of(lab)[NUMBERS[0]]
    drifted |= {"voice_url": "https://other.example.com/x", "voice_application_sid": "AP1"}
    planned = run("numbers", "plan", NUMBERS[0])
    assert f"https://other.example.com/x -> {PUBLIC}/twilio/voice" in planned.output
    assert "AP1 -> nothing" in planned.output
    listed = run("numbers", "list")
    assert f"{NUMBERS[0]}  a TwiML app (AP1)" in listed.output
    assert run("numbers", "apply", NUMBERS[0], "--yes").exit_code == 0
    assert not numbers_of(lab)[NUMBERS[0]]["voice_application_sid"]
    listed = run("numbers", "list")
    assert listed.output.splitlines() == [
        f"{NUMBERS[0]}  this bot: {PUBLIC}/twilio/voice",
        f"{NUMBERS[1]}  nobody",
    ]


def test_a_number_that_is_not_ours_is_not_bought(lab: Lab) -> None:
    result = run("numbers", "apply", "+14155550177", "--yes")
    assert result.exit_code == 1
    assert "the account has no such number" in result.output


def test_a_whole_setup_from_nothing_to_nothing_to_do(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "sip.toml").write_text(WHOLE, encoding="utf-8")
    early = run("numbers", "plan")
    assert early.exit_code == 1
    assert "no elastic trunk pbx yet; make it first: earshot sip apply" in early.output

    planned = run("sip", "plan")
    assert planned.exit_code == 0, planned.output
    assert "+ make SIP domain acme.sip.twilio.com" in planned.output
    assert PASSWORD not in planned.output
    assert not lab.things("/SIP/Domains")

    done = run("sip", "apply", "--yes")
    assert done.exit_code == 0, done.output
    [domain] = lab.things("/SIP/Domains")
    assert domain["sip_registration"] is True
    assert domain["voice_url"] == f"{PUBLIC}/twilio/voice"
    [login] = lab.things("/SIP/Domains/{owner}/Auth/Calls/CredentialListMappings")
    assert login["friendly_name"] == "phones"
    [byoc], [policy] = lab.things("/ByocTrunks"), lab.things("/ConnectionPolicies")
    assert byoc["connection_policy_sid"] == policy["sid"]
    assert byoc["from_domain_sid"] == domain["sid"]
    assert len(lab.things("/Trunks/{owner}/OriginationUrls")) == 2
    assert run("sip", "apply", "--yes").output == "Nothing to do: all is as you want it.\n"

    assert run("numbers", "apply", "--yes").exit_code == 0
    [trunk] = lab.things("/Trunks")
    assert numbers_of(lab)[NUMBERS[1]]["trunk_sid"] == trunk["sid"]
    assert run("numbers", "apply", "--yes").output == "Nothing to do: all is as you want it.\n"


def test_what_the_file_no_longer_has_stays_until_it_is_asked_for(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "sip.toml").write_text(WHOLE, encoding="utf-8")
    assert run("sip", "apply", "--yes").exit_code == 0
    less = WHOLE.replace('"203.0.113.7", ', "")
    (tmp_path / "sip.toml").write_text(less, encoding="utf-8")
    kept = run("sip", "apply", "--yes")
    assert kept.exit_code == 0
    assert "left as it is: address 203.0.113.7/32 of office" in kept.output
    addresses = "/SIP/IpAccessControlLists/{owner}/IpAddresses"
    assert len(lab.things(addresses)) == 2
    gone = run("sip", "apply", "--delete", "--yes")
    assert "✓ take away: address 203.0.113.7/32 of office" in gone.output
    assert [one["ip_address"] for one in lab.things(addresses)] == ["198.51.100.0"]


def test_a_failure_in_the_middle_is_told_and_gone_on_with(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "sip.toml").write_text(WHOLE, encoding="utf-8")
    # The name belongs to another account: Twilio's code for it.
    taken = {"sid": "SD1", "domain_name": "acme-pbx.pstn.twilio.com", "friendly_name": "other"}
    lab.account.kept["/Trunks"] = {"SD1": dict(taken)}
    failed = run("sip", "apply", "--yes")
    assert failed.exit_code == 1
    assert "elastic trunk pbx: Twilio refused the request" in failed.output
    assert "were done. Run `earshot sip apply` again" in failed.output
    assert "Traceback" not in failed.output
    lab.account.kept["/Trunks"].clear()
    rest = run("sip", "apply", "--yes")
    assert rest.exit_code == 0, rest.output
    assert "SIP domain" not in rest.output, "what was done is not done again"
    assert run("sip", "plan").output == "Nothing to do: all is as you want it.\n"


def test_a_lost_answer_is_no_second_thing(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sip.toml").write_text(WHOLE, encoding="utf-8")
    monkeypatch.setenv("EARSHOT_TWILIO_TIMEOUT_S", "1")
    lab.rest.manners = RestManners(
        loses=lambda method, path: method == "POST" and path.endswith("/SIP/CredentialLists.json"),
        lost_after_s=3,
    )
    failed = run("sip", "apply", "--yes")
    assert failed.exit_code == 1
    assert "no answer from Twilio" in failed.output
    lab.rest.manners = RestManners()
    assert run("sip", "apply", "--yes").exit_code == 0
    assert len(lab.things("/SIP/CredentialLists")) == 1


def test_passwords_are_asked_for_before_anything_is_made(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sip.toml").write_text(WHOLE, encoding="utf-8")
    monkeypatch.setenv("ALICE_PASSWORD", "short")
    result = run("sip", "apply", "--yes")
    assert result.exit_code == 1
    assert "ALICE_PASSWORD: expected at least 12 characters" in result.output
    assert not lab.things("/SIP/CredentialLists")
    monkeypatch.setenv("ALICE_PASSWORD", PASSWORD)
    assert run("sip", "apply", "--yes").exit_code == 0
    again = run("sip", "apply", "--passwords", "--yes")
    assert "password  set again" in again.output
    assert "✓ change: credential alice of phones" in again.output
    assert PASSWORD not in again.output


def test_more_than_a_page_is_read_whole(lab: Lab, tmp_path: Path) -> None:
    networks = [f"10.{n // 250}.{n % 250}.1/32" for n in range(130)]
    listed = ", ".join(f'"{network}"' for network in networks)
    text = f'[[addresses]]\nname = "many"\nallow = [{listed}]\n'
    (tmp_path / "sip.toml").write_text(text, encoding="utf-8")
    assert run("sip", "apply", "--yes").exit_code == 0
    assert run("sip", "plan").output == "Nothing to do: all is as you want it.\n"


def test_wrong_credentials_are_told_plainly(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "wrong")
    result = run("numbers", "list")
    assert result.exit_code == 1
    assert "Twilio refused the credentials" in result.output


def test_without_a_file_it_says_so(lab: Lab) -> None:
    result = run("sip", "plan")
    assert result.exit_code == 1
    assert "sip.toml: expected a file such as sip.toml" in result.output
