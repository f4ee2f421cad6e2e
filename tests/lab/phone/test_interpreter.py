"""The call always ends: by its TwiML, by an error with its code, by a person, never by a circle."""

import pytest

from app.lab.phone import PhoneLine, Script
from app.lab.phone.interpreter import DOCUMENT_LIMIT
from app.lab.phone.report import CallReport
from tests.lab.phone.bots import ACCOUNT_SID, AUTH_TOKEN, BOT_NUMBER, CALLER, FAST, WebBot, twiml


async def call(bot: WebBot, fallback: str = "") -> CallReport:
    line = PhoneLine(
        f"{bot.url}/voice",
        account_sid=ACCOUNT_SID,
        auth_token=AUTH_TOKEN,
        fallback_url=fallback and bot.url + fallback,
        pace=FAST,
    )
    return await line.call(Script(), from_=CALLER, to=BOT_NUMBER)


@pytest.mark.parametrize(
    ("page", "code"),
    [(500, 11200), ("<Response><Say>", 12100), ("<Response><Yell/></Response>", 12100)],
)
async def test_a_first_document_that_cannot_be_followed_fails_the_call(
    page: str | int, code: int
) -> None:
    async with WebBot({"/voice": page}) as bot:
        report = await call(bot)
    assert [error.code for error in report.errors] == [code]
    assert (report.status, report.ended_by) == ("failed", "error")


async def test_a_later_document_that_cannot_be_followed_ends_an_answered_call() -> None:
    async with WebBot({"/voice": twiml("<Redirect>/gone</Redirect>")}) as bot:
        report = await call(bot)
    assert [error.code for error in report.errors] == [11200]
    assert (report.status, report.ended_by) == ("completed", "error")
    assert [(request.purpose, request.status) for request in report.requests] == [
        ("twiml", 200),
        ("twiml", None),
    ]


async def test_the_fallback_is_asked_once_and_told_what_went_wrong() -> None:
    pages: dict[str, str | int] = {"/voice": 500, "/fallback": twiml("<Say>Sorry</Say>")}
    async with WebBot(pages) as bot:
        report = await call(bot, "/fallback")
        (form,) = bot.forms("/fallback")
        assert (form["ErrorCode"], form["ErrorUrl"]) == ("11200", f"{bot.url}/voice")
    assert [verb.name for verb in report.verbs] == ["Say"]
    async with WebBot({"/voice": 500, "/fallback": 500}) as bot:
        assert [error.code for error in (await call(bot, "/fallback")).errors] == [11200, 11200]
        assert len(bot.forms("/fallback")) == 1


async def test_a_verb_that_fails_while_it_runs_leads_to_the_fallback_too() -> None:
    pages = {"/voice": twiml("<Connect/>"), "/fallback": twiml("<Say>Sorry</Say>")}
    async with WebBot(pages) as bot:
        report = await call(bot, "/fallback")
    assert report.errors[0].code == 12100
    assert [verb.name for verb in report.verbs] == ["Say"]


async def test_an_empty_document_hangs_up() -> None:
    async with WebBot({"/voice": ""}) as bot:
        report = await call(bot)
    assert (report.status, report.ended_by, report.errors) == ("completed", "twiml", [])


async def test_a_circle_of_redirects_is_stopped() -> None:
    async with WebBot({"/voice": twiml("<Redirect>/voice</Redirect>")}) as bot:
        report = await call(bot)
        assert len(bot.requests) == DOCUMENT_LIMIT + 1
    assert report.errors[-1].code is None
    assert "circle" in report.errors[-1].detail
