"""A bot, an account with people, and Twilio's own client for its REST API."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from twilio.base.exceptions import (  # type: ignore[import-untyped, unused-ignore]
    TwilioRestException,
)
from twilio.http.async_http_client import (  # type: ignore[import-untyped, unused-ignore]
    AsyncTwilioHttpClient,
)
from twilio.rest import Client  # type: ignore[import-untyped, unused-ignore]

from app.lab.phone import Account, Callee, Pace, PhoneLine, RestManners, Script, TwilioRest
from app.lab.phone.mixing import beep
from tests.lab.phone.bots import ACCOUNT_SID, AUTH_TOKEN, BOT_NUMBER, CALLER, WebBot

ANN, BEN = "+15005550021", "+15005550022"
BRISK = Pace(say_ms_per_char=4, play_ms=40, pause_factor=0.05)
"""Prompts are short, and long enough to be heard."""
LOW, HIGH = beep(400, 300), beep(1900, 300)
"""Two voices that can be told apart."""

# twilio 9.13 passes credentials in a way that aiohttp 3.14 has announced the end of.
IGNORED = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]


def account(people: Mapping[str, Callee] | None = None, **options: Any) -> Account:
    options = {"pace": BRISK, **options}
    return Account(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, people=people or {}, **options)


def line(bot: WebBot, owner: Account, path: str = "/voice", **options: Any) -> PhoneLine:
    return PhoneLine(bot.url + path, account=owner, **options)


async def call(bot: WebBot, owner: Account, script: Script, **options: Any) -> Any:
    """One inbound call, to its report."""
    return await line(bot, owner).call(script, **{"from_": CALLER, "to": BOT_NUMBER, **options})


@asynccontextmanager
async def api(
    owner: Account, manners: RestManners | None = None
) -> AsyncIterator[tuple[TwilioRest, Any]]:
    """The API and Twilio's client for it. Only the base URL differs from the real thing."""
    async with (
        TwilioRest(account=owner, manners=manners) as rest,
        AsyncTwilioHttpClient(timeout=5) as http,
    ):
        client = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=http)
        client.api.base_url = rest.base_url
        yield rest, client


async def refused(awaitable: Awaitable[object]) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as error:
        await awaitable
    return error.value.status, error.value.code


async def until(true: Callable[[], object]) -> None:
    """Returns once something holds."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110  a test has no event for what goes on in the lab
            await asyncio.sleep(0.01)
