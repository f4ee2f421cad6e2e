"""Callbacks to the bot: signed, in order, and as late, double or lost as the troubles say.

Nothing is tried again unless the URL asks for it: `#rc=2&rp=5xx` (Twilio docs, "Connection
overrides"). All of it is done beside the calls.
"""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import aiohttp

from app.lab.carrier.log import Line, Log, What
from app.lab.carrier.troubles import Sending, Troubles
from app.lab.phone.webhook import CONNECTION_FAILURE, Method, WebhookFailed, Webhooks

_MOST_AGAIN = 5
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Callback:
    """`about`: the call, and which of its callbacks."""

    call_sid: str
    about: str
    url: str
    method: Method
    parameters: Mapping[str, str]
    token: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class Again:
    """How often a callback is tried again, and after what."""

    times: int = 0
    after: frozenset[str] = frozenset()

    @classmethod
    def read(cls, url: str) -> "Again":
        """From a URL's fragment."""
        said = dict(parse_qsl(urlsplit(url).fragment))
        times = said.get("rc", "0")
        policy = frozenset(said.get("rp", "ct").split(","))
        return cls(min(int(times), _MOST_AGAIN) if times.isdecimal() else 0, policy)

    def fits(self, code: int) -> bool:
        kinds = {"ct", "rt"} if code == CONNECTION_FAILURE else {"4xx", "5xx"}
        return bool(self.after & (kinds | {"all"}))


class Callbacks:
    """Use as `async with`. `pace`: see `Exchange`."""

    def __init__(self, auth_token: str, troubles: Troubles, log: Log, pace: float) -> None:
        self.troubles = troubles
        self._auth_token = auth_token
        self._log = log
        self._pace = pace
        self._waiting: dict[str, deque[tuple[float, Callback]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Callbacks":
        jar = aiohttp.DummyCookieJar()
        connector = aiohttp.TCPConnector(limit=_AT_ONCE)
        self._session = aiohttp.ClientSession(cookie_jar=jar, connector=connector)
        return self

    async def __aexit__(self, *_: object) -> None:
        """What was not sent yet is dropped."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def send(self, callback: Callback) -> None:
        sendings = self.troubles.sendings(callback.about)
        if not sendings:
            self._note(callback, "untold", why="never")
        for sending in sendings:
            self._plan(callback, sending)

    async def settled(self) -> None:
        """Wait until all that is to be sent is sent."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _plan(self, callback: Callback, sending: Sending) -> None:
        after_s = sending.after_s / self._pace
        if not sending.in_turn:
            token = callback.token if sending.marked else ""
            self._begin(self._send_later(after_s, callback, token))
            return
        waiting = self._waiting.get(callback.call_sid)
        if waiting is not None:
            waiting.append((after_s, callback))
            return
        self._waiting[callback.call_sid] = deque([(after_s, callback)])
        self._begin(self._in_turn(callback.call_sid))

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _in_turn(self, call_sid: str) -> None:
        waiting = self._waiting[call_sid]
        try:
            while waiting:
                after_s, callback = waiting.popleft()
                await self._send_later(after_s, callback, callback.token)
        finally:
            del self._waiting[call_sid]

    async def _send_later(self, after_s: float, callback: Callback, token: str) -> None:
        if after_s:
            await asyncio.sleep(after_s)
        assert self._session is not None, "use it inside `async with`"
        webhooks = Webhooks(self._session, self._auth_token)
        again = Again.read(callback.url)
        for left in range(again.times, -1, -1):
            try:
                answer = await webhooks.request(
                    callback.url, callback.parameters, method=callback.method, token=token
                )
                return self._note(callback, "told", http=answer.status)
            except WebhookFailed as error:
                self._note(callback, "untold", why=str(error.code))
                if not left or not again.fits(error.code):
                    return

    def _note(self, callback: Callback, what: What, **said: object) -> None:
        at_ms = time.time_ns() // 1_000_000
        about = {"about": callback.about.removeprefix(callback.call_sid + ":"), **said}
        self._log.write(Line(at_ms, what, callback.call_sid, about))
