"""The account's REST client of a worker, opened when it is first needed."""

import asyncio
from contextlib import AsyncExitStack

from app.carriers.twilio.outgoing import Outgoing, read_logins
from app.carriers.twilio.rest import TwilioRest
from app.settings import Settings


def outgoing_of(settings: Settings) -> Outgoing:
    """Raises `LoginError` for logins that are none."""
    logins = read_logins(settings.sip_logins.get_secret_value())
    return Outgoing(logins, settings.byoc_trunk)


class RestLine:
    """`await line()` gives the client, or None without an account. `close` it at the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._rest: TwilioRest | None = None

    async def __call__(self) -> TwilioRest | None:
        s = self._settings
        if not (s.twilio_account_sid and s.twilio_auth_tokens and s.public_url):
            return None
        async with self._opening:
            if self._rest is None:
                rest = TwilioRest(
                    s.twilio_account_sid,
                    s.twilio_auth_tokens[0],
                    public_url=s.public_url,
                    api_url=s.twilio_api_url,
                    outgoing=outgoing_of(s),
                )
                self._rest = await self._stack.enter_async_context(rest)
        return self._rest

    async def close(self) -> None:
        await self._stack.aclose()
