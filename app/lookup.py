"""The question about a caller that an agent's `[lookup]` asks over HTTP.

It begins at the webhook, goes on beside the call, and may fail: then the call goes on with what the
agent's file says. An answer that comes late counts for the model's next session.
"""

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import yarl
from standardwebhooks.webhooks import Webhook

from app.agents import Agent
from app.agents.lookup_table import Lookup
from app.agents.placeholders import filled
from app.agents.variables import Values
from app.observe.log import event

logger = logging.getLogger(__name__)

LATE_S: Final = 10.0
"""An answer that takes longer is not waited for any more."""
MOST_BYTES: Final = 65_536
"""Longest answer that is read."""
_KEPT_S: Final = 60.0
"""How long an answer waits for its call's stream."""
_MOST_VALUE: Final = 2_000


class LookupFailedError(Exception):
    """The other side's fault; `cause` is safe to log."""

    def __init__(self, cause: str, status: int = 0) -> None:
        super().__init__(cause)
        self.cause = cause
        self.status = status


@dataclass(frozen=True, slots=True)
class Asked:
    """A look-up under way. It fails by itself: then there is nothing to learn."""

    task: "asyncio.Task[Mapping[str, str]]"
    until_s: float
    """How long the model's first session waits for it, in event-loop time."""

    @property
    def answer(self) -> Mapping[str, str]:
        """What is known by now."""
        return self.task.result() if self.task.done() and not self.task.cancelled() else {}

    async def waited(self, most_s: float) -> None:
        """Until it is there, or until the time is up."""
        left_s = min(most_s, self.until_s - asyncio.get_running_loop().time())
        if left_s > 0 and not self.task.done():
            await asyncio.wait((self.task,), timeout=left_s)


class Lookups:
    """The look-ups of one worker."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str], Asked] = {}
        self._http: aiohttp.ClientSession | None = None

    def begin(self, call_id: str, agent: Agent, values: Values, secret: str) -> None:
        """Ask; done once for a call and agent. Does nothing without a `[lookup]`."""
        key, loop = (call_id, agent.name), asyncio.get_running_loop()
        self._forget(loop.time())
        if agent.lookup is None or key in self._asked:
            return
        work = self._ask(call_id, agent.lookup, values, secret)
        until_s = loop.time() + agent.lookup.timeout_ms / 1000
        self._asked[key] = Asked(loop.create_task(work), until_s)

    def take(self, call_id: str, agent: Agent) -> Asked | None:
        """The one that was begun, for the call's stream."""
        return self._asked.pop((call_id, agent.name), None)

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    def _forget(self, now_s: float) -> None:
        """Those whose stream went to another worker, or never came."""
        for key, asked in list(self._asked.items()):
            if asked.until_s + _KEPT_S < now_s:
                asked.task.cancel()
                del self._asked[key]

    async def _ask(
        self, call_id: str, lookup: Lookup, values: Values, secret: str
    ) -> Mapping[str, str]:
        began_s = time.monotonic()
        try:
            async with asyncio.timeout(LATE_S):
                answer = await self._fetch(call_id, lookup, values, secret)
        except (LookupFailedError, aiohttp.ClientError, TimeoutError, OSError) as error:
            told = error if isinstance(error, LookupFailedError) else None
            event(
                logger,
                logging.WARNING,
                "the look-up failed",
                call=call_id,
                cause=told.cause if told else type(error).__name__,
                status=told.status if told else 0,
                took_ms=round((time.monotonic() - began_s) * 1000),
            )
            return {}
        found = {name: at(answer, pointer) for name, pointer in lookup.fields.items()}
        return {name: text for name, text in found.items() if text}

    async def _fetch(self, call_id: str, lookup: Lookup, values: Values, secret: str) -> Any:
        if self._http is None:
            self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        url = filled(lookup.url, lambda name: quote(values.raw(name), safe=""))
        body = b""
        if lookup.method == "POST":
            body = json.dumps({"call_id": call_id, **values.all()}, ensure_ascii=False).encode()
        request = self._http.request(
            lookup.method,
            yarl.URL(url, encoded=True),
            data=body or None,
            headers=_headers(lookup, call_id, body, secret),
            allow_redirects=False,
        )
        async with request as response:
            if response.status != 200:
                raise LookupFailedError("status", response.status)
            return await _read(response)


def _headers(lookup: Lookup, call_id: str, body: bytes, secret: str) -> dict[str, str]:
    headers = {"Accept": "application/json"}
    if body:
        headers["Content-Type"] = "application/json"
    if secret and lookup.sign == "bearer":
        headers["Authorization"] = f"Bearer {secret}"
    elif secret:
        headers |= signed(secret, f"lookup_{call_id}", body)
    return headers


def signed(secret: str, message_id: str, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks. Raises `ValueError` for a secret that is no base64."""
    now = datetime.now(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, body.decode()),
    }


async def _read(response: aiohttp.ClientResponse) -> Any:
    text = bytearray()
    async for chunk in response.content.iter_chunked(16_384):
        text += chunk
        if len(text) > MOST_BYTES:
            raise LookupFailedError("too_large", response.status)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LookupFailedError("not_json", response.status) from error


def at(document: Any, pointer: str) -> str:
    """What stands at a JSON pointer (RFC 6901), as text; "" where there is no text or number."""
    value = document
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isascii() and key.isdigit() and len(key) < 6:
            value = value[int(key)] if int(key) < len(value) else None
        else:
            return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)[:_MOST_VALUE] if isinstance(value, str | int | float) else ""
