"""A queued caller waits with TwiML of its own until somebody takes the call, or leaves."""

import asyncio

import pytest

from app.lab.phone import HangUp, PhoneLine, Say, Script, Wait
from tests.lab.phone.bots import BOT_NUMBER, CALLER, WebBot, twiml
from tests.lab.phone.carrier import ANN, HIGH, IGNORED, account, api, call, until

pytestmark = IGNORED

ENQUEUE = twiml('<Enqueue waitUrl="/wait" action="/left">support</Enqueue>', "<Say>Next</Say>")
WAIT = twiml("<Say>You are next</Say>")
TAKE = twiml('<Dial action="/taken"><Queue>support</Queue></Dial>')


async def test_an_agent_takes_the_one_who_waited_longest() -> None:
    owner = account()
    pages = {"/voice": ENQUEUE, "/wait": WAIT, "/agent": TAKE, "/left": twiml(), "/taken": twiml()}
    async with WebBot(pages) as bot:
        waiting = asyncio.ensure_future(call(bot, owner, Script((Wait(60_000),))))
        await bot.asked("/wait")
        agent = PhoneLine(bot.url + "/agent", account=owner)
        script = Script((Wait(200), Say(HIGH, "Ann here"), Wait(100), HangUp()))
        agent_report = await agent.call(script, from_=ANN, to=BOT_NUMBER)
        report = await waiting
        (left,) = bot.forms("/left")
        (taken,) = bot.forms("/taken")
        asked = bot.forms("/wait")[0]
    assert (asked["QueuePosition"], asked["CurrentQueueSize"]) == ("1", "1")
    assert left["QueueResult"] == "bridged"
    assert left["QueueSid"] == asked["QueueSid"]
    assert taken["DialCallSid"] == report.identity.call_sid
    said = [(one.kind, one.text) for one in report.heard]
    assert ("say", "You are next") in said
    assert ("party", "Ann here") in said
    assert agent_report.ended_by == "caller"
    assert owner.queues.named("support").waiting == []


@pytest.mark.parametrize(("wait", "result"), [("<Leave/>", "leave"), ("<Hangup/>", "hangup")])
async def test_waiting_twiml_can_end_the_waiting(wait: str, result: str) -> None:
    pages = {"/voice": ENQUEUE, "/wait": twiml(wait), "/left": twiml("<Say>Bye</Say>")}
    async with WebBot(pages) as bot:
        report = await call(bot, account(), Script(()))
        if result == "leave":
            (left,) = bot.forms("/left")
            assert left["QueueResult"] == "leave"
    assert report.ended_by == "twiml"


async def test_without_action_leaving_goes_on_with_the_next_verb() -> None:
    document = twiml('<Enqueue waitUrl="/wait">support</Enqueue>', "<Say>Next</Say>")
    async with WebBot({"/voice": document, "/wait": twiml("<Leave/>")}) as bot:
        report = await call(bot, account(), Script(()))
    assert [verb.name for verb in report.verbs] == ["Leave", "Enqueue", "Say"]
    assert [verb.within for verb in report.verbs] == ["wait", "", ""]


async def test_hanging_up_in_the_queue_is_told() -> None:
    async with WebBot({"/voice": ENQUEUE, "/wait": WAIT, "/left": twiml()}) as bot:
        await call(bot, account(), Script((Wait(200), HangUp())))
        (left,) = bot.forms("/left")
    assert (left["QueueResult"], left["CallStatus"]) == ("hangup", "completed")


async def test_an_empty_queue_is_waited_at_and_an_unknown_one_fails() -> None:
    owner = account()
    take = twiml('<Dial timeout="0" action="/taken"><Queue>support</Queue></Dial>')
    async with WebBot({"/voice": take, "/taken": twiml()}) as bot:
        await call(bot, owner, Script(()))
        owner.queues.named("support")
        await call(bot, owner, Script(()))
        assert [f["DialCallStatus"] for f in bot.forms("/taken")] == ["failed", "no-answer"]


async def test_rest_sees_and_takes_out_who_waits() -> None:
    owner = account()
    document = twiml("<Enqueue>support</Enqueue>")
    async with WebBot({"/voice": document}) as bot, api(owner) as (_, client):
        task = asyncio.ensure_future(call(bot, owner, Script((Wait(60_000),))))
        await until(lambda: owner.queues.named("support").waiting)
        (queue,) = await client.queues.list_async()
        assert (queue.friendly_name, queue.current_size) == ("support", 1)
        (member,) = await client.queues(queue.sid).members.list_async()
        assert member.position == 1
        await client.queues(queue.sid).members("Front").update_async(url=f"{bot.url}/out")
        bot.pages["/out"] = twiml("<Say>Out</Say>")
        report = await task
    assert report.identity.from_ == CALLER
    assert "music" in [one.kind for one in report.heard]
    assert [verb.name for verb in report.verbs] == ["Enqueue", "Say"]
