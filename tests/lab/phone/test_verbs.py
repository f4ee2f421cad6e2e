"""Each verb leads where Twilio says: the next verb, its action with its parameters, or the end."""

import pytest

from app.lab.phone import DialOutcome, HangUp, Press, Script, Step, Wait
from app.lab.phone.report import CallReport
from tests.lab.phone.bots import BOT_NUMBER, CALLER, WebBot, twiml


async def call(bot: WebBot, *steps: Step, dial: DialOutcome | None = None) -> CallReport:
    script = Script(steps, dial=dial or DialOutcome())
    return await bot.line().call(script, from_=CALLER, to=BOT_NUMBER)


def names(report: CallReport) -> list[str]:
    return [verb.name for verb in report.verbs]


async def test_verbs_run_in_order_and_the_end_hangs_up() -> None:
    verbs = '<Say>Hi</Say><Play loop="2">http://x/a.wav</Play><Pause length="3"/>'
    async with WebBot({"/voice": twiml(verbs)}) as bot:
        report = await call(bot)
    assert names(report) == ["Say", "Play", "Pause"]
    assert report.verbs[0].text == "Hi"
    assert (report.status, report.ended_by, report.errors) == ("completed", "twiml", [])


async def test_nothing_runs_after_a_hangup() -> None:
    async with WebBot({"/voice": twiml("<Hangup/><Say>never</Say>")}) as bot:
        assert names(await call(bot)) == ["Hangup"]


async def test_a_redirect_goes_to_a_relative_url_with_its_method() -> None:
    pages = {"/voice": twiml('<Redirect method="GET">/next?a=b</Redirect>'), "/next": twiml()}
    async with WebBot(pages) as bot:
        report = await call(bot)
        assert bot.forms("/next")[0]["a"] == "b"
        assert bot.forms("/next")[0]["CallSid"] == report.identity.call_sid


@pytest.mark.parametrize(("reason", "status"), [("busy", "busy"), ("rejected", "failed")])
async def test_a_rejected_call_is_never_answered(reason: str, status: str) -> None:
    async with WebBot({"/voice": twiml(f'<Reject reason="{reason}"/>')}) as bot:
        report = await call(bot)
    assert report.status == status
    assert report.duration_ms == 0
    assert len(report.recording.caller) == 0


@pytest.mark.parametrize(
    ("attributes", "keys", "digits"),
    [
        ('numDigits="2"', "123", "12"),
        ("", "12#3", "12"),
        ('finishOnKey="*"', "1#*", "1#"),
        ('timeout="1"', "7", "7"),
        ("", "#", ""),
    ],
)
async def test_gather_posts_the_digits(attributes: str, keys: str, digits: str) -> None:
    pages = {
        "/voice": twiml(f'<Gather action="/digits" {attributes}><Say>Press</Say></Gather>'),
        "/digits": twiml("<Hangup/>"),
    }
    async with WebBot(pages) as bot:
        report = await call(bot, Wait(100), Press(keys, gap_ms=40))
        assert [form["Digits"] for form in bot.forms("/digits")] == [digits]
    assert names(report) == ["Gather", "Hangup"]


async def test_gather_without_keys_falls_through_and_without_action_asks_its_own_page() -> None:
    gather = '<Gather timeout="0"/>'
    async with WebBot({"/voice": twiml(gather, "<Say>Bye</Say>")}) as bot:
        assert names(await call(bot)) == ["Gather", "Say"]
    async with WebBot({"/voice": twiml('<Gather numDigits="1" timeout="1"/>')}) as bot:
        await call(bot, Wait(60), Press("5"))
        assert [form.get("Digits") for form in bot.forms("/voice")] == [None, "5"]


async def test_gather_reports_an_empty_result_when_it_is_told_to() -> None:
    gather = '<Gather timeout="0" action="/digits" actionOnEmptyResult="true"/>'
    async with WebBot({"/voice": twiml(gather), "/digits": twiml()}) as bot:
        await call(bot)
        assert [form["Digits"] for form in bot.forms("/digits")] == [""]


async def test_dial_is_recorded_and_its_outcome_goes_to_the_action() -> None:
    dial = '<Dial action="/dialled" callerId="+15005550000"><Number>+15005550011</Number></Dial>'
    pages = {"/voice": twiml(dial, "<Say>never</Say>"), "/dialled": twiml("<Hangup/>")}
    async with WebBot(pages) as bot:
        report = await call(bot, dial=DialOutcome("completed", talk_ms=20))
        (form,) = bot.forms("/dialled")
    assert report.verbs[0].nouns == (("Number", "+15005550011"),)
    assert (form["DialCallStatus"], form["DialBridged"]) == ("completed", "true")
    assert form["DialCallDuration"] == "0"
    assert form["DialCallSid"].startswith("CA")
    assert names(report) == ["Dial", "Hangup"]


async def test_an_unanswered_dial_goes_on_without_action_and_has_no_duration() -> None:
    busy = DialOutcome("busy")
    async with WebBot({"/voice": twiml("<Dial>+15005550011</Dial>", "<Say>Busy</Say>")}) as bot:
        assert names(await call(bot, dial=busy)) == ["Dial", "Say"]
    pages = {"/voice": twiml('<Dial action="/d"><Sip>sip:a@b</Sip></Dial>'), "/d": twiml()}
    async with WebBot(pages) as bot:
        await call(bot, dial=busy)
        assert "DialCallDuration" not in bot.forms("/d")[0]


async def test_a_conference_has_neither_sid_nor_duration() -> None:
    dial = '<Dial action="/d"><Conference>room</Conference></Dial>'
    async with WebBot({"/voice": twiml(dial), "/d": twiml()}) as bot:
        await call(bot, dial=DialOutcome("answered"))
        form = bot.forms("/d")[0]
    assert form["DialCallStatus"] == "answered"
    assert not {"DialCallSid", "DialCallDuration"} & set(form)


@pytest.mark.parametrize(
    "verb", ["<Echo/>", "<Connect><ConversationRelay url='wss://x'/></Connect>"]
)
async def test_what_the_telephone_cannot_do_it_says_without_blaming_the_bot(verb: str) -> None:
    async with WebBot({"/voice": twiml(verb, "<Say>never</Say>")}) as bot:
        report = await call(bot)
    assert [error.code for error in report.errors] == [None]
    assert "does not perform" in report.errors[0].detail
    assert report.ended_by == "error"


@pytest.mark.parametrize(
    "verb",
    ["<Pause length='soon'/>", "<Connect/>", "<Say loop='-1'>x</Say>"],
)
async def test_a_value_that_makes_no_sense_ends_the_call(verb: str) -> None:
    async with WebBot({"/voice": twiml(verb)}) as bot:
        report = await call(bot)
    assert [error.code for error in report.errors] == [12100]


async def test_hanging_up_cuts_the_verb_that_runs() -> None:
    async with WebBot({"/voice": twiml("<Gather timeout='60'/>", "<Say>never</Say>")}) as bot:
        report = await call(bot, Wait(60), HangUp())
    assert [(verb.name, verb.cut) for verb in report.verbs] == [("Gather", True)]
    assert report.ended_by == "caller"
    assert report.as_scripted
