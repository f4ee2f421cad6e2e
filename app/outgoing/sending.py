"""One attempt to deliver a message. What comes back is a status and a reason, never a text.

Source: Standard Webhooks, "operational considerations": only 2xx counts, redirects are failures,
410 means that the endpoint wants nothing more.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Final

import httpx2

from app.outgoing.retries import read_retry_after
from app.outgoing.signing import headers_for
from app.outgoing.watch import Outcome

TIMEOUT_S: Final = 15.0
"""For a whole attempt, connecting and answering included."""
MOST_ANSWER_BYTES: Final = 16 * 1024
"""So much of an answer is read, so that its connection can be used again; none of it is kept."""
_AGENT: Final = "Earshot-Webhooks/1"


@dataclass(frozen=True, slots=True)
class Attempt:
    """`reason` "": it was delivered."""

    status: int | None
    reason: str
    retry_after_s: float | None = None

    @property
    def delivered(self) -> bool:
        return not self.reason

    @property
    def outcome(self) -> Outcome:
        if self.delivered:
            return "taken"
        return "failed" if self.status is None else "refused"

    @property
    def gone(self) -> bool:
        return self.status == HTTPStatus.GONE


class Sender:
    """`async with Sender() as sender`. `now_s`: Unix seconds."""

    def __init__(
        self, *, timeout_s: float = TIMEOUT_S, now_s: Callable[[], float] = time.time
    ) -> None:
        self._timeout_s = timeout_s
        self._now_s = now_s
        self._client = httpx2.AsyncClient(follow_redirects=False, timeout=timeout_s)

    async def __aenter__(self) -> "Sender":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def send(
        self, url: str, message_id: str, body: bytes, secrets_in_use: tuple[str, ...]
    ) -> Attempt:
        """Signed anew for each attempt. Raises nothing but cancellation."""
        headers = headers_for(message_id, body, secrets_in_use, self._now_s())
        headers |= {"content-type": "application/json", "user-agent": _AGENT}
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._send(url, body, headers)
        except (TimeoutError, httpx2.TimeoutException):
            return Attempt(None, f"no answer within {self._timeout_s:g} s")
        except httpx2.InvalidURL:
            return Attempt(None, "the address is none")
        except httpx2.HTTPError as error:
            return Attempt(None, f"no connection: {type(error).__name__}")

    async def _send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempt:
        async with self._client.stream("POST", url, content=body, headers=headers) as answer:
            status = answer.status_code
            retry_after = answer.headers.get("retry-after", "")
            if 200 <= status < 300:
                await _drain(answer)
                return Attempt(status, "")
        return Attempt(status, _reason(status), read_retry_after(retry_after, self._now_s()))


async def _drain(answer: httpx2.Response) -> None:
    """What an endpoint goes on to say after its status changes nothing."""
    read = 0
    try:
        async for chunk in answer.aiter_raw():
            read += len(chunk)
            if read > MOST_ANSWER_BYTES:
                return
    except httpx2.HTTPError:
        return


def _reason(status: int) -> str:
    if status == HTTPStatus.GONE:
        return "410: the endpoint wants nothing more"
    if 300 <= status < 400:
        return f"{status}: redirects are not followed"
    return f"HTTP {status}"
