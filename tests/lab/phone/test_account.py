"""Lines and REST work on the same calls, and REST can be as unkind as a vendor's."""

import asyncio

import pytest

from app.lab.phone import Callee, HangUp, PhoneLine, RestManners, Script, Wait
from tests.lab.phone.bots import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    BOT_NUMBER,
    CALLER,
    STREAM,
    BotSide,
    WebBot,
    twiml,
)
from tests.lab.phone.carrier import ANN, BEN, IGNORED, account, api, call, refused, until

pytestmark = IGNORED


async def test_rest_finds_redirects_and_ends_the_call_of_a_line() -> None:
    owner = account()
    pages = {"/voice": twiml(STREAM), "/new": twiml("<Say>Moved</Say>", STREAM)}
    async with WebBot(pages, BotSide.until_closed) as bot, api(owner) as (_, client):
        task = asyncio.ensure_future(call(bot, owner, Script((Wait(60_000),))))
        await bot.streaming()
        (found,) = await client.calls.list_async(from_=CALLER, status="in-progress")
        assert (found.direction, found.to) == ("inbound", BOT_NUMBER)
        await client.calls(found.sid).update_async(url=f"{bot.url}/new")
        await until(lambda: len(bot.sides) == 2)
        await client.calls(found.sid).update_async(status="completed")
        report = await task
    assert [verb.name for verb in report.verbs] == ["Connect", "Say", "Connect"]
    assert report.ended_by == "rest"


async def test_people_can_be_found_by_a_function() -> None:
    owner = account()
    owner.people = lambda address: Callee(answers="busy") if address == ANN else None
    async with WebBot({"/voice": twiml(f"<Dial>{ANN}</Dial>", f"<Dial>{BEN}</Dial>")}) as bot:
        await call(bot, owner, Script(()))
    assert [report.status for report in await owner.reports_to(ANN)] == ["busy"]
    assert [report.status for report in await owner.reports_to(BEN)] == ["failed"]


async def test_a_line_of_its_own_keeps_nothing_of_calls_that_are_over() -> None:
    async with WebBot({"/voice": twiml("<Hangup/>")}) as bot:
        line = PhoneLine(bot.url + "/voice", account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN)
        await line.call(Script(()), from_=CALLER, to=BOT_NUMBER)
        await asyncio.sleep(0)
    assert line.account.calls == {}


async def test_numbers_that_geo_permissions_forbid_are_not_called() -> None:
    owner = account(blocked_prefixes=("+44", "+1900"))
    async with api(owner) as (_, client):
        for number in ("+441632960000", "+19005550000"):
            create = client.calls.create_async(to=number, from_=BOT_NUMBER, twiml=twiml())
            assert await refused(create) == (400, 21215)
    assert owner.calls == {}


async def test_rest_calls_come_from_the_account_s_numbers() -> None:
    owner = account({ANN: Callee(Script((HangUp(),)))}, numbers=[BOT_NUMBER])
    async with api(owner) as (_, client):
        create = client.calls.create_async
        assert await refused(create(to=ANN, from_=BEN, twiml=twiml())) == (400, 21210)
        assert (await create(to=ANN, from_=BOT_NUMBER, twiml=twiml())).status == "queued"


async def test_one_request_too_many_is_refused() -> None:
    owner = account({ANN: Callee()})
    async with api(owner, RestManners(concurrent=2, delay_ms=200)) as (_, client):
        asked = [client.calls("CA404").fetch_async() for _ in range(4)]
        codes = sorted([await asyncio.gather(*(refused(each) for each in asked))][0])
    assert codes == [(404, 20404), (404, 20404), (429, 20429), (429, 20429)]


async def test_an_answer_that_is_lost_does_not_undo_the_call() -> None:
    owner = account({ANN: Callee(Script((HangUp(),)))})
    manners = RestManners(loses=lambda method, path: method == "POST")
    async with api(owner, manners) as (_, client):
        with pytest.raises(TimeoutError):  # the client's own time limit is without effect
            async with asyncio.timeout(0.3):
                await client.calls.create_async(to=ANN, from_=BOT_NUMBER, twiml=twiml())
        (placed,) = await client.calls.list_async(to=ANN)
        report = await owner.report(placed.sid)
    assert report.identity.to == ANN


async def test_sent_digits_are_heard_as_keys() -> None:
    async with WebBot({"/voice": twiml('<Play digits="1w2"/>')}) as bot:
        report = await call(bot, account(), Script(()))
    assert [(one.kind, one.text) for one in report.heard] == [("key", "1"), ("key", "2")]
