"""A carrier, Twilio's own client for it, and a bot that hears its callbacks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from twilio.http.async_http_client import (  # type: ignore[import-untyped, unused-ignore]
    AsyncTwilioHttpClient,
)
from twilio.rest import Client  # type: ignore[import-untyped, unused-ignore]

from app.lab.carrier import LabCarrier, read_log
from app.lab.phone.identity import ENDED
from tests.lab.phone.bots import ACCOUNT_SID, AUTH_TOKEN, BOT_NUMBER
from tests.lab.phone.carrier import until

EVENTS = ["initiated", "ringing", "answered", "completed"]
QUICK = 2_000
"""Pace at which a call of a minute takes 30 ms."""


def number(last: int, who: int = 0) -> str:
    """One that ends in two digits, which say what it does (`Digits`)."""
    return f"+1500555{who:02}{last:02}"


@asynccontextmanager
async def carrier(**options: Any) -> AsyncIterator[tuple[LabCarrier, Any]]:
    options = {"pace": QUICK, **options}
    async with (
        LabCarrier(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, **options) as lab,
        AsyncTwilioHttpClient(timeout=5) as http,
    ):
        client = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=http)
        client.api.base_url = lab.base_url
        yield lab, client


async def create(client: Any, to: str, bot_url: str = "http://bot.test", **options: Any) -> Any:
    """As a dialler does."""
    asked: dict[str, Any] = {
        "url": f"{bot_url}/voice?attempt={to[1:]}",
        "status_callback": f"{bot_url}/status?attempt={to[1:]}",
        "status_callback_event": EVENTS,
    }
    return await client.calls.create_async(to=to, from_=BOT_NUMBER, **{**asked, **options})


async def over(lab: LabCarrier, calls: int) -> None:
    """Until so many calls have ended and all of it was told."""
    await until(lambda: sum(call.status in ENDED for call in lab.calls) >= calls)
    await lab.settled()


def placed(log: Path) -> list[str]:
    """Whom the log says was called, oldest first."""
    return [str(line.said["to"]) for line in read_log(log) if line.what == "placed"]
