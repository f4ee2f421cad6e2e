"""<Dial> rings real people, connects the first who accepts, and tells the action what became of it;
what Twilio refuses to dial is never rung."""

import asyncio

import pytest

from app.lab.phone import (
    Callee,
    HangUp,
    LineEvent,
    Press,
    Say,
    Script,
    Wait,
    WaitForBot,
    audible,
    voicemail,
)
from app.lab.phone.sound import Recording
from telecodecs.g711 import FRAME_BYTES
from tests.lab.phone.bots import BOT_NUMBER, CALLER, STREAM, BotSide, WebBot, twiml
from tests.lab.phone.carrier import ANN, BEN, HIGH, IGNORED, LOW, account, api, call, until

pytestmark = IGNORED

ANSWERS = Callee(Script((Wait(60), Say(HIGH, "Ann speaking"), Wait(400), HangUp())))
PATIENT = Script(())


def dial(inside: str, attributes: str = "") -> str:
    return twiml(f'<Dial action="/done" {attributes}>{inside}</Dial>')


def pages(document: str, **more: str | int) -> dict[str, str | int]:
    own: dict[str, str | int] = {"/voice": document, "/done": twiml(), "/status": 204}
    return own | {f"/{name}": page for name, page in more.items()}


def sound_ms(side: bytes) -> int:
    return 20 * sum(audible(side[at : at + FRAME_BYTES]) for at in range(0, len(side), FRAME_BYTES))


def recorded(recording: Recording) -> tuple[int, int]:
    return sound_ms(bytes(recording.caller)), sound_ms(bytes(recording.heard))


async def test_two_people_hear_each_other_and_both_reports_show_it() -> None:
    script = Script((WaitForBot.finished(100), Say(LOW, "Hello Ann"), Wait(1000)))
    owner = account({ANN: ANSWERS})
    async with WebBot(pages(dial(f"<Number>{ANN}</Number>"))) as bot:
        report = await call(bot, owner, script)
        (form,) = bot.forms("/done")
    (ann,) = report.dialled
    assert [(h.kind, h.text) for h in report.heard] == [("ringing", ""), ("party", "Ann speaking")]
    assert [(h.kind, h.text) for h in ann.heard] == [("party", "Hello Ann")]
    assert report.heard[1].by == ann.identity.call_sid
    assert recorded(ann.recording)[1] == pytest.approx(recorded(report.recording)[0], abs=40)
    assert recorded(ann.recording)[0] >= 280
    assert form["DialCallStatus"] == "completed"
    assert form["DialCallSid"] == ann.identity.call_sid
    assert form["DialBridged"] == "true"
    assert form["DialCallDuration"] == "1"
    assert (ann.identity.direction, ann.identity.from_, ann.identity.to) == (
        "outbound-dial",
        CALLER,
        ANN,
    )
    assert ann.identity.parent_call_sid == report.identity.call_sid
    assert (ann.ended_by, report.ended_by) == ("caller", "twiml")


@pytest.mark.parametrize(
    ("callee", "status"),
    [
        (Callee(answers="busy"), "busy"),
        (Callee(answers="no-answer"), "no-answer"),
        (Callee(ring_ms=5000), "no-answer"),
        (Callee(answers="failed"), "failed"),
        (None, "failed"),
    ],
)
async def test_who_does_not_come_is_told_to_the_action(callee: Callee | None, status: str) -> None:
    owner = account({ANN: callee} if callee else {})
    async with WebBot(pages(dial(ANN, 'timeout="0"'))) as bot:
        report = await call(bot, owner, PATIENT)
        (form,) = bot.forms("/done")
    assert (form["DialCallStatus"], form["DialBridged"]) == (status, "false")
    assert "DialCallDuration" not in form
    assert report.dialled[0].status == status
    assert report.errors == []


async def test_the_first_who_answers_is_connected_and_the_others_stop_ringing() -> None:
    people = {ANN: Callee(ring_ms=3000), BEN: Callee(ANSWERS.script, ring_ms=40)}
    told = 'statusCallback="/status" statusCallbackEvent="initiated answered completed"'
    both = f"<Number {told}>{ANN}</Number><Number {told}>{BEN}</Number>"
    events: list[LineEvent] = []
    async with WebBot(pages(dial(both))) as bot:
        report = await call(bot, account(people, on_event=events.append), PATIENT)
        (form,) = bot.forms("/done")
        states = {(f["To"], f["CallStatus"]) for f in bot.forms("/status")}
    ann, ben = report.dialled
    assert (ann.status, ben.status) == ("canceled", "completed")
    assert form["DialCallSid"] == ben.identity.call_sid
    order = [(one.call_sid, one.kind, one.text) for one in events]
    given_up = order.index((ann.identity.call_sid, "status", "canceled"))
    assert given_up < order.index((ben.identity.call_sid, "caller_started", "Ann speaking"))
    assert states == {
        (ANN, "initiated"),
        (ANN, "canceled"),
        (BEN, "initiated"),
        (BEN, "in-progress"),
        (BEN, "completed"),
    }


WHISPER = twiml(
    '<Gather numDigits="1" timeout="1" action="/key"><Say>Mr Low calls, press 1</Say></Gather>'
)


@pytest.mark.parametrize(
    ("steps", "key_page", "status"),
    [
        ((WaitForBot.finished(60), Press("1"), Wait(200), HangUp()), twiml(), "completed"),
        ((WaitForBot.finished(60), Press("2")), twiml("<Hangup/>"), "no-answer"),
        ((WaitForBot.finished(60), HangUp()), twiml(), "no-answer"),
    ],
)
async def test_a_whisper_is_for_the_called_alone_who_accepts_or_declines(
    steps: tuple[WaitForBot | Press | Wait | HangUp, ...], key_page: str, status: str
) -> None:
    owner = account({ANN: Callee(Script(steps))})
    document = dial(f'<Number url="/whisper">{ANN}</Number>')
    async with WebBot(pages(document, whisper=WHISPER, key=key_page)) as bot:
        report = await call(bot, owner, PATIENT)
        (form,) = bot.forms("/done")
        (asked,) = bot.forms("/whisper")
    (ann,) = report.dialled
    assert (form["DialCallStatus"], form["DialBridged"]) == (
        status,
        str(status == "completed").lower(),
    )
    assert asked["ParentCallSid"] == report.identity.call_sid
    assert asked["CallSid"] == ann.identity.call_sid
    assert (asked["Direction"], asked["CallStatus"]) == ("outbound-dial", "in-progress")
    assert ("say", "Mr Low calls, press 1") in [(h.kind, h.text) for h in ann.heard]
    assert "say" not in [h.kind for h in report.heard]
    assert {verb.within for verb in ann.verbs} == {"whisper"}


async def test_nobody_dials_out_of_a_whisper() -> None:
    document = dial(f'<Number url="/whisper">{ANN}</Number>')
    owner = account({ANN: ANSWERS, BEN: ANSWERS})
    async with WebBot(pages(document, whisper=twiml(f"<Dial>{BEN}</Dial>"))) as bot:
        report = await call(bot, owner, PATIENT)
    assert [error.code for error in report.dialled[0].errors] == [13201]
    assert owner.calls_to(BEN) == []


async def test_a_machine_that_answers_counts_as_answered() -> None:
    owner = account({ANN: voicemail(LOW, "Leave a message", takes_ms=200)})
    async with WebBot(pages(dial(ANN))) as bot:
        report = await call(bot, owner, PATIENT)
        (form,) = bot.forms("/done")
    assert form["DialCallStatus"] == "completed"
    assert ("party", "Leave a message") in [(h.kind, h.text) for h in report.heard]


@pytest.mark.parametrize(
    ("inside", "attributes", "code"),
    [
        (f"<Number>{ANN}</Number>", 'callerId="+15005559999"', 13214),
        (f"<Number>{ANN}</Number>", 'callerId="Earshot"', 13214),
        ("<Number>5550021</Number>", "", 13224),
        ("<Number>+1٥005550021</Number>", "", 13223),
        ("<Number>call Ann</Number>", "", 13223),
        ("<Number>+441632960000</Number>", "", 13227),
        (f'<Number sendDigits="ring">{ANN}</Number>', "", 13222),
        ("<Sip>sip:nobody</Sip>", "", 13243),
        (f"<Sip>sip:a@{'b' * 260}.example</Sip>", "", 13243),
        ("<Sip>sip:a@b.example?Via=x</Sip>", "", 13252),
        (f"<Sip>sip:a@b.example?X-Id={'4' * 1020}</Sip>", "", 13253),
        ("<Sip>sip:a@b.example</Sip>", 'callerId="two words"', 13247),
        (f"<Number>{ANN}</Number>" * 11, "", 13215),
        (f"<Number>{ANN}</Number>", 'timeout="soon"', 13212),
        (f"<Number>{ANN}</Number>", 'hangupOnStar="perhaps"', 13213),
    ],
)
async def test_what_twilio_refuses_is_not_dialled(inside: str, attributes: str, code: int) -> None:
    owner = account({ANN: ANSWERS}, blocked_prefixes=("+44",))
    async with WebBot(pages(dial(inside, attributes))) as bot:
        report = await call(bot, owner, PATIENT)
        (form,) = bot.forms("/done")
    assert [error.code for error in report.errors] == [code]
    assert form["DialCallStatus"] == "failed"
    assert report.dialled == []


@pytest.mark.parametrize("shown", [CALLER, BOT_NUMBER, "+15005550030", "+15005550031"])
async def test_own_and_verified_numbers_may_be_shown(shown: str) -> None:
    owner = account({ANN: ANSWERS}, numbers=["+15005550030"], verified=["+15005550031"])
    async with WebBot(pages(dial(ANN, f'callerId="{shown}"'))) as bot:
        report = await call(bot, owner, PATIENT)
    assert [leg.identity.from_ for leg in report.dialled] == [shown]


@pytest.mark.parametrize("shown", ["", 'callerId="+15005559998"'])
async def test_a_caller_from_sip_has_no_number_to_show(shown: str) -> None:
    owner = account({ANN: ANSWERS})
    sip = {"from_": "sip:low@pbx.example", "to": "+15005559998"}
    async with WebBot(pages(dial(ANN, shown))) as bot:
        report = await call(bot, owner, PATIENT, **sip)
    assert [error.code for error in report.errors] == [13214]


async def test_a_sip_party_gets_the_headers_and_answers_with_its_own() -> None:
    desk = "sip:desk@pbx.example:5060;transport=tls"
    script = Script((Wait(100), HangUp()))
    owner = account({"sip:desk@pbx.example": Callee(script, sip_headers={"X-Agent": "7"})})
    uri = f"{desk}?X-Id=42&amp;User-to-User=abc%3Bencoding%3Dhex"
    document = dial(f'<Sip url="/whisper">{uri}</Sip>')
    async with WebBot(pages(document, whisper=twiml())) as bot:
        report = await call(bot, owner, PATIENT)
        (form,) = bot.forms("/done")
        (asked,) = bot.forms("/whisper")
    (leg,) = report.dialled
    assert leg.identity.to == desk
    assert leg.identity.sip_headers == {"X-Id": "42", "User-to-User": "abc;encoding=hex"}
    assert asked["SipHeader_X-Agent"] == form["DialSipHeader_X-Agent"] == "7"
    assert form["DialSipResponseCode"] == "200"
    assert form["DialSipCallId"] == asked["SipCallId"]


async def test_a_sip_party_that_declines_says_so_by_its_code() -> None:
    owner = account({"sip:desk@pbx.example": Callee(answers="busy", sip_code=603)})
    async with WebBot(pages(dial("<Sip>sip:desk@pbx.example</Sip>"))) as bot:
        await call(bot, owner, PATIENT)
        (form,) = bot.forms("/done")
    assert (form["DialCallStatus"], form["DialSipResponseCode"]) == ("busy", "603")


async def test_a_client_is_dialled_by_its_identity() -> None:
    owner = account({"client:ann": ANSWERS})
    async with WebBot(pages(dial("<Client><Identity>ann</Identity></Client>"))) as bot:
        report = await call(bot, owner, PATIENT)
    assert [leg.status for leg in report.dialled] == ["completed"]


@pytest.mark.parametrize("answers", [True, False])
async def test_a_caller_who_hangs_up_ends_the_other_leg_and_the_action_is_still_told(
    answers: bool,
) -> None:
    owner = account({ANN: Callee(ring_ms=0 if answers else 5000)})
    async with WebBot(pages(dial(ANN))) as bot:
        report = await call(bot, owner, Script((Wait(200), HangUp())))
        (form,) = bot.forms("/done")
    assert (report.ended_by, report.verbs[0].cut) == ("caller", True)
    assert (report.dialled[0].status, report.dialled[0].ended_by) == (
        "completed" if answers else "canceled",
        "far_end",
    )
    assert form["CallStatus"] == "completed"
    assert form["DialCallStatus"] == ("completed" if answers else "no-answer")


async def test_a_star_ends_the_conversation_if_it_may() -> None:
    owner = account({ANN: Callee(Script(()))})
    script = Script((Wait(150), Press("5*"), Wait(2000)))
    async with WebBot(pages(dial(ANN, 'hangupOnStar="true"'))) as bot:
        report = await call(bot, owner, script)
        (form,) = bot.forms("/done")
    assert form["DialCallStatus"] == "completed"
    assert [h.text for h in report.dialled[0].heard if h.kind == "key"] == ["5", "*"]


async def test_the_time_limit_ends_the_conversation() -> None:
    owner = account({ANN: Callee(Script(()))})
    async with WebBot(pages(dial(ANN, 'timeLimit="1"'))) as bot:
        report = await call(bot, owner, PATIENT)
        (form,) = bot.forms("/done")
    assert form["DialCallDuration"] == "1"
    assert (report.ended_by, report.dialled[0].ended_by) == ("twiml", "far_end")


async def test_digits_are_sent_before_the_parties_are_connected() -> None:
    owner = account({ANN: Callee(Script((Wait(1500), HangUp())))})
    async with WebBot(pages(dial(f'<Number sendDigits="w12">{ANN}</Number>'))) as bot:
        report = await call(bot, owner, PATIENT)
    (ann,) = report.dialled
    assert [h.text for h in ann.heard if h.kind == "key"] == ["1", "2"]


async def test_a_call_can_be_left_unanswered_until_somebody_else_answers() -> None:
    owner = account({ANN: Callee(ANSWERS.script, ring_ms=200), BEN: Callee(answers="busy")})
    late = 'answerOnBridge="true"'
    async with WebBot(pages(dial(ANN, late))) as bot:
        report = await call(bot, owner, Script((Wait(5000),)))
        (form,) = bot.forms("/done")
    assert (report.status, form["CallStatus"]) == ("completed", "in-progress")
    assert report.duration_ms < 1500
    async with WebBot(pages(dial(BEN, late))) as bot:
        report = await call(bot, owner, PATIENT)
        (form,) = bot.forms("/done")
    assert (report.status, form["CallStatus"], report.duration_ms) == ("no-answer", "ringing", 0)


async def test_rest_moves_either_leg_and_the_other_goes_its_way() -> None:
    owner = account({ANN: Callee(Script(()))})
    async with WebBot(pages(dial(ANN))) as bot, api(owner) as (_, client):
        task = asyncio.ensure_future(call(bot, owner, Script((Wait(4000),))))
        await until(lambda: owner.calls_to(ANN))
        (child,) = owner.calls_to(ANN)
        await until(lambda: owner.calls[child].live.seat is not None)
        fetched = await client.calls(child).fetch_async()
        assert fetched.direction == "outbound-dial"
        await client.calls(child).update_async(twiml=twiml("<Say>Moved</Say>"))
        report = await task
        ann = await owner.report(child)
        assert fetched.parent_call_sid == report.identity.call_sid
        assert bot.forms("/done")[0]["DialCallStatus"] == "completed"
    assert [verb.text for verb in ann.verbs] == ["Moved"]


async def test_a_caller_comes_back_from_a_dial_into_a_new_stream() -> None:
    owner = account({ANN: Callee(answers="no-answer")})
    document = dial(ANN, 'timeout="0"')
    async with WebBot(pages(document, done=twiml(STREAM)), BotSide.until_closed) as bot:
        report = await call(bot, owner, Script((Wait(300), HangUp())))
    assert [verb.name for verb in report.verbs] == ["Dial", "Connect"]
    assert len(report.streams) == 1


async def test_detection_is_told_where_it_was_asked_for() -> None:
    owner = account({ANN: voicemail(LOW, takes_ms=300)})
    noun = (
        f'<Number machineDetection="Enable" amdStatusCallback="/amd" url="/whisper">{ANN}</Number>'
    )
    document = dial(noun)
    async with WebBot(pages(document, amd=204, whisper=twiml('<Pause length="30"/>'))) as bot:
        await call(bot, owner, PATIENT)
        (form,) = bot.forms("/amd")
    assert form["AnsweredBy"] == "machine_start"
