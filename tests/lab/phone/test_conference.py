"""A conference starts, holds, mutes and ends as Twilio's does, and carries sound between those only
who may hear each other."""

import asyncio
from typing import Any

import pytest

from app.lab.phone import Account, Callee, CallReport, HangUp, Press, Say, Script, Wait, WaitForBot
from app.lab.phone.script import Step
from tests.lab.phone.bots import BOT_NUMBER, CALLER, STREAM, BotSide, WebBot, twiml
from tests.lab.phone.carrier import (
    ANN,
    BEN,
    HIGH,
    IGNORED,
    LOW,
    account,
    api,
    call,
    refused,
    until,
)

pytestmark = IGNORED

ALL = "start end join leave mute hold modify announcement"


def room(attributes: str = "", name: str = "desk") -> str:
    return f'<Dial action="/done"><Conference {attributes}>{name}</Conference></Dial>'


def told(bot: WebBot) -> list[str]:
    return [form["StatusCallbackEvent"] for form in bot.forms("/events")]


def heard(report: CallReport, kind: str = "party") -> list[str]:
    return [one.text for one in report.heard if one.kind == kind]


def pages(document: str, **more: str | int) -> dict[str, str | int]:
    own: dict[str, str | int] = {"/voice": twiml(document), "/done": twiml(), "/events": 204}
    return own | {f"/{name}": page for name, page in more.items()}


async def begun(bot: WebBot, owner: Account, *steps: Step) -> "asyncio.Task[CallReport]":
    """A caller who is in the conference."""
    task = asyncio.ensure_future(call(bot, owner, Script(steps)))
    await until(lambda: (one := owner.conferences.find("desk")) and one.participants)
    return task


async def test_the_caller_waits_with_music_until_somebody_comes_who_is_heard() -> None:
    owner = account({ANN: Callee(Script((Wait(100), Say(HIGH, "Ann here"), Wait(200), HangUp())))})
    wanted = f'endConferenceOnExit="true" statusCallback="/events" statusCallbackEvent="{ALL}"'
    async with WebBot(pages(room(wanted))) as bot, api(owner) as (_, client):
        task = await begun(bot, owner, WaitForBot.finished(200), Say(LOW, "Thanks"), HangUp())
        ann = await client.conferences("desk").participants.create_async(
            from_=BOT_NUMBER, to=ANN, label="ann", end_conference_on_exit=False
        )
        assert (ann.status, ann.label) == ("queued", "ann")
        report = await task
        other = await owner.report(ann.call_sid)
        (form,) = bot.forms("/done")
        (conference,) = await client.conferences.list_async(friendly_name="desk")
    assert heard(report) == ["Ann here"]
    assert heard(other) == ["Thanks"] or other.ended_by == "caller"
    assert [one.kind for one in report.heard][:3] == ["beep", "music", "beep"]
    assert (form["DialCallStatus"], form.get("DialCallSid")) == ("answered", None)
    assert told(bot)[:3] == ["participant-join", "participant-join", "conference-start"]
    assert told(bot)[-1] == "conference-end"
    assert conference.status == "completed"
    joined = [f for f in bot.forms("/events") if f["StatusCallbackEvent"] == "participant-join"]
    assert [f.get("ParticipantLabel") for f in joined] == [None, "ann"]
    assert [int(f["SequenceNumber"]) for f in bot.forms("/events")] == [
        number + 1 for number in range(len(told(bot)))
    ]


@pytest.mark.parametrize(("ends", "over"), [(True, True), (False, False)])
async def test_leaving_ends_the_conference_only_if_it_was_said_so(ends: bool, over: bool) -> None:
    owner = account({ANN: Callee(Script((Wait(150), HangUp())))})
    async with WebBot(pages(room())) as bot, api(owner) as (_, client):
        task = await begun(bot, owner, Wait(60_000))
        ann = await client.conferences("desk").participants.create_async(
            from_=BOT_NUMBER, to=ANN, end_conference_on_exit=ends
        )
        await owner.report(ann.call_sid)
        (sid,) = owner.conferences.by_sid
        fetched = await client.conferences(sid).fetch_async()
        assert (fetched.status == "completed") is over
        if not over:
            await client.conferences(sid).update_async(status="completed")
        report = await task
        fetched = await client.conferences(sid).fetch_async()
    reason = "participant-with-end-conference-on-exit-left" if over else "conference-ended-via-api"
    assert fetched.reason_conference_ended == reason
    assert (report.ended_by, [verb.name for verb in report.verbs]) == ("twiml", ["Dial"])


async def test_nothing_starts_before_somebody_who_may_start_it() -> None:
    owner = account({ANN: Callee(Script((Wait(100), Say(HIGH, "Ann"), Wait(2000))))})
    async with (
        WebBot(pages(room('startConferenceOnEnter="false" beep="false"'))) as bot,
        api(owner) as (_, client),
    ):
        task = await begun(bot, owner, Wait(60_000))
        invite = client.conferences("desk").participants.create_async
        ann = await invite(from_=BOT_NUMBER, to=ANN, start_conference_on_enter=False, beep="false")
        await until(lambda: len(owner.conferences.find("desk").participants) == 2)  # type: ignore[union-attr]
        await asyncio.sleep(0.3)
        assert owner.conferences.find("desk").status == "init"  # type: ignore[union-attr]
        owner.calls[ann.call_sid].live.hang_up("caller")
        await owner.report(ann.call_sid)
        await client.conferences("desk").update_async(status="completed")
        report = await task
    assert heard(report) == []


async def test_hold_and_mute_part_the_two_and_bring_them_together_again() -> None:
    says = tuple(step for n in range(40) for step in (Say(HIGH, f"word {n}"), Wait(60)))
    owner = account({ANN: Callee(Script(says))})
    document = room(f'statusCallback="/events" statusCallbackEvent="{ALL}" waitUrl=""')
    async with (
        WebBot(pages(document, hold=twiml("<Say>Please hold</Say><Play>m.wav</Play>"))) as bot,
        api(owner) as (_, client),
    ):
        task = await begun(bot, owner, Wait(60_000))
        caller = next(iter(owner.conferences.find("desk").participants.values()))  # type: ignore[union-attr]
        room_ = client.conferences("desk")
        ann = await room_.participants.create_async(from_=BOT_NUMBER, to=ANN, label="ann")
        notes = caller.call.report.heard

        def words() -> int:
            return sum(one.kind == "party" for one in notes)

        await until(words)
        held = await room_.participants(caller.call_sid).update_async(
            hold=True, hold_url=f"{bot.url}/hold"
        )
        assert held.hold
        await until(lambda: any(one.text == "Please hold" for one in notes))
        known = words()
        await asyncio.sleep(0.5)
        assert words() == known
        await room_.participants(caller.call_sid).update_async(hold=False)
        await until(lambda: words() > known)
        muted = await room_.participants("ann").update_async(muted=True)
        assert (muted.muted, muted.call_sid) == (True, ann.call_sid)
        known = words()
        await asyncio.sleep(0.5)
        assert words() == known
        await room_.update_async(status="completed")
        await task
    assert [event for event in told(bot) if "hold" in event or "mute" in event] == [
        "participant-hold",
        "participant-unhold",
        "participant-mute",
    ]


async def test_an_announcement_is_heard_by_one_alone() -> None:
    owner = account({ANN: Callee(Script((Wait(60_000),)))})
    async with (
        WebBot(pages(room(), brief=twiml("<Say>Mr Low wants a table</Say>"))) as bot,
        api(owner) as (_, client),
    ):
        task = await begun(bot, owner, Wait(60_000))
        room_ = client.conferences("desk")
        ann = await room_.participants.create_async(from_=BOT_NUMBER, to=ANN)
        await until(lambda: len(owner.conferences.find("desk").participants) == 2)  # type: ignore[union-attr]
        url = f"{bot.url}/brief"
        await room_.participants(ann.call_sid).update_async(announce_url=url)
        live = owner.calls[ann.call_sid].live
        await until(lambda: heard(live.report, "say"))
        assert await room_.participants(ann.call_sid).delete_async()
        other = await owner.report(ann.call_sid)
        assert await refused(room_.participants(ann.call_sid).fetch_async()) == (404, 20404)
        await room_.update_async(status="completed")
        report = await task
    assert heard(report, "say") == []
    assert heard(other, "say") == ["Mr Low wants a table"]
    assert other.ended_by == "far_end"


async def test_three_people_hear_one_another() -> None:
    def one(text: str, after_ms: int) -> Callee:
        return Callee(Script((Wait(after_ms), Say(HIGH, text), Wait(1500), HangUp())))

    owner = account({ANN: one("Ann", 500), BEN: one("Ben", 900)})
    async with WebBot(pages(room())) as bot, api(owner) as (_, client):
        task = await begun(bot, owner, Wait(60_000))
        sids = [
            (
                await client.conferences("desk").participants.create_async(
                    from_=BOT_NUMBER, to=to, end_conference_on_exit=to == BEN
                )
            ).call_sid
            for to in (ANN, BEN)
        ]
        report = await task
        ann, ben = [await owner.report(sid) for sid in sids]
    assert heard(report) == ["Ann", "Ben"]
    assert (heard(ann), heard(ben)) == (["Ben"], ["Ann"])


@pytest.mark.parametrize("answers", ["busy", "no-answer", "failed"])
async def test_somebody_who_does_not_come_is_told(answers: Any) -> None:
    owner = account({ANN: Callee(answers=answers)})
    document = room(f'statusCallback="/events" statusCallbackEvent="{ALL}"')
    async with WebBot(pages(document, leg=204)) as bot, api(owner) as (_, client):
        task = await begun(bot, owner, Wait(60_000))
        await client.conferences("desk").participants.create_async(
            from_=BOT_NUMBER,
            to=ANN,
            timeout=0,
            label="ann",
            status_callback=f"{bot.url}/leg",
            status_callback_event=["completed"],
        )
        await bot.asked("/leg")
        await until(lambda: "participant-leave" in told(bot))
        await client.conferences("desk").update_async(status="completed")
        await task
    assert bot.forms("/leg")[0]["CallStatus"] == answers
    left = next(f for f in bot.forms("/events") if f["StatusCallbackEvent"] == "participant-leave")
    assert (left["ParticipantLabel"], left["ParticipantCallStatus"]) == ("ann", answers)


async def test_a_caller_who_hangs_up_while_somebody_is_called_stops_the_ringing() -> None:
    owner = account({ANN: Callee(ring_ms=60_000)})
    async with WebBot(pages(room('endConferenceOnExit="true"'))) as bot, api(owner) as (_, client):
        task = await begun(bot, owner, Wait(400), HangUp())
        ann = await client.conferences("desk").participants.create_async(from_=BOT_NUMBER, to=ANN)
        await task
        assert (await owner.report(ann.call_sid)).status == "canceled"
        (done,) = bot.forms("/done")
    assert (done["DialCallStatus"], done["CallStatus"]) == ("answered", "completed")


async def test_a_conference_to_which_nobody_came_is_over() -> None:
    owner = account({ANN: Callee(answers="busy")})
    async with api(owner) as (_, client):
        ann = await client.conferences("desk").participants.create_async(from_=BOT_NUMBER, to=ANN)
        await owner.report(ann.call_sid)
        await until(lambda: owner.conferences.find("desk") is None)


async def test_a_colleague_is_briefed_and_accepts_before_meeting_the_caller() -> None:
    script = Script((WaitForBot.finished(60), Press("1"), Wait(300), Say(HIGH, "Hi"), Wait(500)))
    owner = account({ANN: Callee(script)})
    brief = '<Gather numDigits="1" action="/accepted"><Say>Mr Low, a table</Say></Gather>'
    document = room('endConferenceOnExit="true"')
    async with (
        WebBot(pages(document, brief=twiml(brief), accepted=twiml(room()))) as bot,
        api(owner) as (_, client),
    ):
        task = await begun(bot, owner, WaitForBot.finished(200), HangUp())
        ann = await client.calls.create_async(to=ANN, from_=BOT_NUMBER, url=f"{bot.url}/brief")
        report = await task
        other = await owner.report(ann.sid)
    assert (heard(report), heard(report, "say")) == (["Hi"], [])
    assert heard(other, "say") == ["Mr Low, a table"]


async def test_waiting_twiml_runs_again_and_again_and_may_not_do_everything() -> None:
    wait = twiml("<Say>Please wait</Say>")
    async with WebBot(pages(room('waitUrl="/wait"'), wait=wait)) as bot:
        report = await call(bot, account(), Script((Wait(900), HangUp())))
        assert len(bot.forms("/wait")) >= 2
    assert heard(report, "say")[0] == "Please wait"
    bad = twiml(f"<Dial>{ANN}</Dial>")
    async with WebBot(pages(room('waitUrl="/wait"'), wait=bad)) as bot:
        report = await call(bot, account(), Script((Wait(400), HangUp())))
    assert [error.code for error in report.errors] == [13238]


async def test_a_caller_leaves_a_stream_for_a_conference_and_comes_back() -> None:
    owner = account()
    async with (
        WebBot(
            {"/voice": twiml(STREAM), "/room": twiml(room()), "/done": twiml()},
            BotSide.until_closed,
        ) as bot,
        api(owner) as (_, client),
    ):
        task = asyncio.ensure_future(call(bot, owner, Script((Wait(3000), HangUp()))))
        await bot.streaming()
        (sid,) = owner.calls
        await client.calls(sid).update_async(url=f"{bot.url}/room")
        await until(lambda: owner.conferences.find("desk"))
        assert owner.calls[sid].live.stream is None
        await client.calls(sid).update_async(url=f"{bot.url}/voice")
        await until(lambda: owner.calls[sid].live.stream is not None)
        assert owner.conferences.find("desk") is None
        report = await task
    assert len(report.streams) == 2


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ('beep="loud"', 13235),
        ('muted="x"', 13230),
        ('endConferenceOnExit="x"', 13231),
        ('startConferenceOnEnter="x"', 13232),
    ],
)
async def test_attributes_that_make_no_sense_are_refused(attributes: str, code: int) -> None:
    async with WebBot(pages(room(attributes))) as bot:
        report = await call(bot, account(), Script(()))
    assert [error.code for error in report.errors] == [code]


async def test_rest_refuses_what_is_not_there() -> None:
    owner = account(blocked_prefixes=("+44",))
    async with api(owner) as (_, client):
        room_ = client.conferences("CF" + "0" * 32)
        assert await refused(room_.fetch_async()) == (404, 20404)
        invite = room_.participants.create_async
        assert await refused(invite(from_=BOT_NUMBER, to=ANN)) == (404, 20404)
        invite = client.conferences("desk").participants.create_async
        assert await refused(invite(from_=BOT_NUMBER, to="12")) == (400, 21211)
        assert await refused(invite(from_=BOT_NUMBER, to="+441632960000")) == (400, 21215)
    assert CALLER not in owner.numbers
    assert owner.calls == {}
