"""What a dialplan does with a caller around the bot: it asks the bot's server what comes next.

As `deploy/asterisk` does it with CURL(): a form out, `name=value&...` back, and whatever fails is
an empty answer, after which the dialplan helps itself.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl

import aiohttp

DialStatus: TypeAlias = Literal["ANSWER", "BUSY", "NOANSWER", "CONGESTION", "CHANUNAVAIL"]

ASK_LIMIT_S = 5.0
FALLBACK = {"do": "fallback"}


def login(user: str, password: str) -> dict[str, str]:
    """HTTP's basic authentication, as headers; none for nobody."""
    if not user:
        return {}
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to the bot's server, and its answer."""

    form: Mapping[str, str]
    answer: Mapping[str, str]


@dataclass(slots=True)
class Dialplan:
    """`ask_url` "": there is no CURL(), and nobody is asked. `people`: what comes of dialling a
    number or a SIP address; anybody else does not answer."""

    ask_url: str = ""
    user: str = ""
    password: str = ""
    people: Mapping[str, DialStatus] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    async def ask(self, form: Mapping[str, str]) -> Mapping[str, str]:
        """What comes next; `FALLBACK` when nobody says."""
        text = await self.tell(self.ask_url, form) if self.ask_url else ""
        answer = dict(parse_qsl(text)) or FALLBACK
        self.asked.append(Asked(dict(form), answer))
        return answer

    def dial(self, to: str) -> DialStatus:
        return self.people.get(to, "NOANSWER")

    async def tell(self, url: str, form: Mapping[str, str]) -> str:
        """What CURL() gives: the body of a good answer, else nothing."""
        limit = aiohttp.ClientTimeout(total=ASK_LIMIT_S)
        try:
            async with (
                aiohttp.ClientSession(
                    headers=login(self.user, self.password), timeout=limit
                ) as session,
                session.post(url, data=dict(form)) as response,
            ):
                return await response.text() if response.status == 200 else ""
        except (aiohttp.ClientError, TimeoutError):
            return ""
