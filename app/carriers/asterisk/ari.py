"""ARI, Asterisk's REST interface, as far as placing calls needs it: one channel is made, looked at,
hung up; and those that live are listed.

Source: Asterisk docs, "Channels REST API" and "Asterisk REST API", basic authentication. A channel
that is made with an id of ours is made once: while it lives, a second request is answered with 409.
What is over is forgotten: 404. No Stasis application takes part, so nothing else of ARI is needed.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from msgspec import Struct
from yarl import URL

TIMEOUT_S: Final = 4.0
"""Of a whole request, connecting included. Two of them fit into what a dialler waits."""
CONNECT_S: Final = 3.0
MOST_BODY_BYTES: Final = 4_000_000
"""Longest answer that is read: a list of some thousand channels."""
UP: Final = "Up"
"""The state of a channel that was answered."""
T = TypeVar("T")


class Trouble(StrEnum):
    LOGIN = "login"
    REFUSED = "refused"
    NOT_THERE = "not_there"
    AWAY = "away"
    FAULT = "fault"


_WORDS: Final[Mapping[Trouble, str]] = {
    Trouble.LOGIN: "the PBX does not accept the login: check EARSHOT_ARI_USER and "
    "EARSHOT_ARI_PASSWORD against ari.conf, where the user must not be read_only",
    Trouble.REFUSED: "the PBX refused to place the call; its log says why",
    Trouble.NOT_THERE: "there is no ARI at EARSHOT_ARI_URL: check the address, and "
    "`enabled = yes` in http.conf and ari.conf",
    Trouble.AWAY: "the PBX does not answer at EARSHOT_ARI_URL",
    Trouble.FAULT: "the PBX answered with an error of its own; its log says more. Is the context "
    "earshot-out of deploy/asterisk/extensions.conf loaded?",
}


class AriError(Exception):
    """Static words, fit for logs. `outcome_unknown`: what was asked may have been done."""

    def __init__(self, trouble: Trouble, *, outcome_unknown: bool = False) -> None:
        self.trouble, self.outcome_unknown = trouble, outcome_unknown
        self.why = _WORDS[trouble]
        more = "; nobody knows whether it did what was asked" if outcome_unknown else ""
        super().__init__(self.why + more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Originate:
    """A channel that is to be made. `timeout_s`: until it is given up unanswered. `variables`: of
    the channel, by name with the underscores that let them be inherited."""

    channel_id: str
    endpoint: str = field(repr=False)
    context: str
    extension: str
    timeout_s: int
    caller_id: str = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)


class Channel(Struct):
    """One that lives. `state`: "Down", "Ring", "Ringing", "Up" and the like."""

    id: str
    state: str
    creationtime: str = ""
    """ISO 8601, by the PBX's clock."""

    @property
    def created_ms(self) -> int:
        """Unix ms; 0 where it is not told."""
        try:
            return int(datetime.fromisoformat(self.creationtime).timestamp() * 1_000)
        except ValueError:
            return 0


class _Pong(Struct):
    ping: str


class Ari:
    """A client for one PBX. Calls begin now and then, so no connection is kept. Its methods raise
    `AriError`. `url`: without the `/ari`."""

    def __init__(self, url: str, user: str, password: str, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url.rstrip("/")
        pair = b64encode(f"{user}:{password}".encode()).decode("ascii")
        self._headers = {"Authorization": f"Basic {pair}"}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=CONNECT_S)

    async def originate(self, order: Originate) -> None:
        """At most once, as long as the channel lives: one that has this id already is ours."""
        query = {
            "endpoint": order.endpoint,
            "context": order.context,
            "extension": order.extension,
            "priority": "1",
            "timeout": str(order.timeout_s),
            "callerId": order.caller_id,
        }
        body = {"variables": dict(order.variables)}
        status, _ = await self._ask("POST", _channel(order.channel_id), query, body)
        if status != 409:
            _check(status, _of_an_order(status), unknown=True)

    async def channel(self, channel_id: str) -> Channel | None:
        """None: there is none, any more or yet."""
        status, body = await self._ask("GET", _channel(channel_id))
        if status == 404:
            return None
        _check(status)
        return _read(body, Channel)

    async def channels(self) -> list[Channel]:
        """All that live."""
        status, body = await self._ask("GET", "/channels")
        _check(status)
        return _read(body, list[Channel])

    async def hang_up(self, channel_id: str) -> None:
        """Also one that rings. One that is over is no error."""
        status, _ = await self._ask("DELETE", _channel(channel_id), {"reason": "normal"})
        if status != 404:
            _check(status, unknown=True)

    async def ping(self) -> None:
        """Is the PBX there, and may we in?"""
        status, body = await self._ask("GET", "/asterisk/ping")
        _check(status)
        _read(body, _Pong)

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> tuple[int, bytes]:
        asked = f"?{urlencode(query, quote_via=quote)}" if query else ""
        url = URL(f"{self._url}/ari{path}{asked}", encoded=True)
        try:
            async with (
                aiohttp.ClientSession(headers=self._headers, timeout=self._timeout) as session,
                session.request(method, url, json=body, allow_redirects=False) as answer,
            ):
                return answer.status, await _bounded(answer)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise AriError(Trouble.AWAY) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise AriError(Trouble.AWAY, outcome_unknown=method != "GET") from error


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(65_536):
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            raise AriError(Trouble.FAULT, outcome_unknown=answer.method != "GET")
    return bytes(body)


def _channel(channel_id: str) -> str:
    return f"/channels/{quote(channel_id, safe='')}"


def _of_an_order(status: int) -> Trouble:
    return Trouble.REFUSED if 400 <= status < 500 else Trouble.FAULT


def _check(status: int, otherwise: Trouble = Trouble.FAULT, *, unknown: bool = False) -> None:
    """Raises `AriError` unless it was done. `unknown`: a fault of theirs may follow the deed."""
    if 200 <= status < 300:
        return
    if status in (401, 403):
        raise AriError(Trouble.LOGIN)
    if status == 404 or 300 <= status < 400:
        raise AriError(Trouble.NOT_THERE)
    raise AriError(otherwise, outcome_unknown=unknown and status >= 500)


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise AriError(Trouble.NOT_THERE) from error
