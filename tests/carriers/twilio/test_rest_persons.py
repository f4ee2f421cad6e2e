"""Only whom the policy cleared for a transfer is called; who still rings is left alone, who has
answered is told, and a call that is over is no error."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from app.carriers.twilio.errors import CallInputError, RateError
from app.carriers.twilio.rest import TwilioRest
from app.carriers.twilio.rest_persons import bring_back, ring_person, stop_ringing
from app.carriers.twilio.sip_reference import referenced
from app.policy.destinations import Cleared, Purpose
from tests.carriers.twilio.test_onward_twiml import cleared
from tests.carriers.twilio.test_rest import CALL, Api, api, fails, rest, says

__all__ = ["api", "rest"]

URL = "https://bot.example.com/twilio/whisper?a=1"


async def ring(rest: TwilioRest, destination: Cleared) -> str:
    call = await ring_person(
        rest,
        destination,
        from_number="+14155550199",
        whisper_url=URL,
        status_url=URL,
        ring_s=9,
        call_sid=CALL,
    )
    return call.call_sid


@pytest.mark.parametrize(
    ("target", "to"),
    [
        ("+14155550100", "+14155550100"),
        (
            "sip:desk@pbx.example.com?X-Order=7",
            referenced("sip:desk@pbx.example.com?X-Order=7", CALL),
        ),
        ("client:anna", "client:anna"),
    ],
)
async def test_a_person_is_rung_as_they_were_cleared(
    rest: TwilioRest, api: Api, target: str, to: str
) -> None:
    assert await ring(rest, cleared(target)) == CALL
    [(_, _, form)] = api.requests
    assert form["To"][0].startswith(to)
    assert (form["From"], form["Url"]) == (["+14155550199"], [URL])
    assert (form["Timeout"], form["StatusCallbackEvent"]) == (["9"], ["completed"])


async def test_nobody_is_rung_who_was_cleared_for_something_else(
    rest: TwilioRest, api: Api
) -> None:
    for destination in (cleared("+14155550100", Purpose.DIAL), cleared("queue:sales")):
        with pytest.raises(CallInputError):
            await ring(rest, destination)
    with pytest.raises(CallInputError):
        await ring(rest, "+14155550100")  # type: ignore[arg-type]
    assert api.requests == []


def answers(*each: Callable[[], Awaitable[web.StreamResponse]]) -> Callable[..., Awaitable[object]]:
    rest_of = iter(each)

    async def answer() -> object:
        return await next(rest_of)()

    return answer


OVER = fails(400, 21220)
TALKS = says(200, {"sid": CALL, "status": "in-progress"})
STOPPED = says(200, {"sid": CALL, "status": "canceled"})


@pytest.mark.parametrize(
    ("first", "then"), [((STOPPED,), 0), ((OVER, TALKS), 1), ((TALKS, TALKS), 1), ((OVER, OVER), 1)]
)
async def test_who_has_answered_is_told_and_who_has_not_stops_ringing(
    rest: TwilioRest, api: Api, first: tuple[Callable[..., Awaitable[web.StreamResponse]], ...],
    then: int,
) -> None:  # fmt: skip
    api.answer = answers(*first)  # type: ignore[assignment]
    await stop_ringing(rest, CALL, URL)
    forms = [form for _, _, form in api.requests]
    assert forms[0]["Status"] == ["canceled"]
    assert [form["Url"] for form in forms[1:]] == [[URL]] * then


async def test_other_errors_are_told(rest: TwilioRest, api: Api) -> None:
    api.answer = fails(429, 20429)
    for request in (stop_ringing(rest, CALL, URL), bring_back(rest, CALL, URL)):
        with pytest.raises(RateError):
            await request


async def test_a_caller_who_has_gone_is_not_brought_back(rest: TwilioRest, api: Api) -> None:
    api.answer = TALKS
    assert await bring_back(rest, CALL, URL)
    api.answer = OVER
    assert not await bring_back(rest, CALL, URL)
