"""SIP callers bring their headers along, and only SIP legs can be referred."""

import pytest

from app.lab.phone import CallReport, ReferOutcome, Script, Wait
from tests.lab.phone.bots import WebBot, twiml
from tests.lab.phone.carrier import account, call

FROM, TO = "sip:low@pbx.example", "sip:bot@lab.sip.twilio.com"
REFER = twiml(
    '<Refer action="/referred"><Sip>sip:desk@pbx.example?X-Ref=1</Sip></Refer>', "<Say>x</Say>"
)


async def test_a_call_from_a_sip_domain_has_its_parameters() -> None:
    headers = {"X-Account": "7", "User-to-User": "ab;encoding=hex", "Subject": "dropped"}
    async with WebBot({"/voice": twiml()}) as bot:
        await call(bot, account(), Script(()), from_=FROM, to=TO, sip_headers=headers)
        (form,) = bot.forms("/voice")
    assert (form["From"], form["To"], form["SipDomain"]) == (FROM, TO, "lab.sip.twilio.com")
    assert (form["SipHeader_X-Account"], form["SipHeader_User-to-User"]) == ("7", "ab;encoding=hex")
    assert form["SipCallId"] and form["SipSourceIp"] and form["SipDomainSid"].startswith("SD")
    assert "SipHeader_Subject" not in form
    assert "StirVerstat" not in form


@pytest.mark.parametrize("verstat", ["TN-Validation-Failed-C", ""])
async def test_a_number_is_vouched_for_as_the_test_says(verstat: str) -> None:
    async with WebBot({"/voice": twiml()}) as bot:
        await call(bot, account(), Script(()), stir_verstat=verstat)
        (form,) = bot.forms("/voice")
    assert form.get("StirVerstat", "") == verstat


async def referred(outcome: ReferOutcome) -> tuple[dict[str, str], CallReport]:
    answer = twiml('<Pause length="20"/>', "<Say>Still here</Say>")
    script = Script((Wait(4_000),), refer=outcome)
    async with WebBot({"/voice": REFER, "/referred": answer}) as bot:
        report: CallReport = await call(bot, account(), script, from_=FROM, to=TO)
        (form,) = bot.forms("/referred")
    return form, report


async def test_a_transfer_that_works_takes_the_leg_away() -> None:
    form, report = await referred(ReferOutcome())
    assert (form["ReferCallStatus"], form["ReferSipResponseCode"]) == ("in-progress", "202")
    assert form["NotifySipResponseCode"] == "200"
    assert report.ended_by == "caller"
    assert report.verbs[0].nouns == (("Sip", "sip:desk@pbx.example?X-Ref=1"),)


@pytest.mark.parametrize(
    ("outcome", "status", "response", "notify"),
    [
        (ReferOutcome(notify=486), "busy", "202", "486"),
        (ReferOutcome(notify=404), "failed", "202", "404"),
        (ReferOutcome(notify=487), "canceled", "202", "487"),
        (ReferOutcome(notify=None), None, "202", None),
        (ReferOutcome(response=405), "failed", "405", None),
    ],
)
async def test_a_transfer_that_fails_leaves_the_call_with_the_bot(
    outcome: ReferOutcome, status: str | None, response: str, notify: str | None
) -> None:
    form, report = await referred(outcome)
    assert form.get("ReferCallStatus") == status
    assert form["ReferSipResponseCode"] == response
    assert form.get("NotifySipResponseCode") == notify
    assert [verb.text for verb in report.verbs][-1] == "Still here"


async def test_a_number_cannot_be_referred() -> None:
    async with WebBot({"/voice": REFER}) as bot:
        report = await call(bot, account(), Script(()))
    assert [error.code for error in report.errors] == [13801]
    assert report.ended_by == "error"
