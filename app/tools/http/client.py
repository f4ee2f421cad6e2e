"""One request to an endpoint, bounded in every way, and its tries.

Time: one limit for all tries together. Size: an answer beyond the limit is not read. Place: a
redirect is followed on the same origin only. A request that may have taken effect is sent again
only if the endpoint can tell (`Request.repeatable`).
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

logger = logging.getLogger(__name__)

CONNECT_S = 3.0
MOST_BYTES = 1_000_000
MOST_REDIRECTS = 3
FIRST_PAUSE_S = 0.25
MOST_PAUSE_S = 2.0
KEPT_S = 30.0
_MOST_CONNECTIONS = 100
_AGAIN = frozenset({408, 425, 429})
"""Statuses below 500 that another try may change."""
_CONFLICT = 409
"""For a request with a key: the first one with it is still being worked on."""
_METHOD_KEPT = (307, 308)


class HttpFailed(Exception):
    """No answer that counts. `sent`: the endpoint may have taken the request."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.why = why
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    repeatable: bool = False
    """Doing it twice does nothing twice."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


def new_client() -> httpx2.AsyncClient:
    """One for all HTTP tools of a process. Making it takes some 50 ms of the event loop."""
    limits = httpx2.Limits(
        max_connections=_MOST_CONNECTIONS,
        max_keepalive_connections=_MOST_CONNECTIONS,
        keepalive_expiry=KEPT_S,
    )
    return httpx2.AsyncClient(limits=limits, follow_redirects=False)


async def fetch(
    client: httpx2.AsyncClient, request: Request, *, timeout_s: float, retries: int
) -> Answer:
    """The endpoint's answer, whatever its status below 500. Raises `HttpFailed`, and
    `TimeoutError` when `timeout_s` is over."""
    loop = asyncio.get_running_loop()
    end_s, pause_s = loop.time() + timeout_s, FIRST_PAUSE_S
    async with asyncio.timeout(timeout_s):
        for left in range(retries, -1, -1):
            failed: HttpFailed
            try:
                answer = await _once(client, request, timeout_s)
            except HttpFailed as error:
                failed = error
            else:
                if not _worth_another(answer.status, request.repeatable):
                    return answer
                if answer.status < 500 and not left:
                    return answer
                failed = HttpFailed(f"it answered {answer.status}", sent=True)
            again = request.repeatable or not failed.sent
            if not left or not again or loop.time() + pause_s >= end_s:
                raise failed
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, MOST_PAUSE_S)
    raise AssertionError("the last try returns or raises")


def _worth_another(status: int, repeatable: bool) -> bool:
    return status in _AGAIN or status >= 500 or (status == _CONFLICT and repeatable)


async def _once(client: httpx2.AsyncClient, request: Request, timeout_s: float) -> Answer:
    timeout = httpx2.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s))
    try:
        made = client.build_request(
            request.method,
            request.url,
            headers=dict(request.headers),
            content=request.body or None,
            timeout=timeout,
        )
        return await _followed(client, made)
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
        raise HttpFailed("it could not be reached", sent=False) from error
    except httpx2.TimeoutException as error:
        raise TimeoutError from error
    except httpx2.HTTPError as error:
        raise HttpFailed("the connection broke", sent=True) from error


async def _followed(client: httpx2.AsyncClient, made: httpx2.Request) -> Answer:
    for _ in range(MOST_REDIRECTS + 1):
        response = await client.send(made, stream=True)
        try:
            onward = _onward(made, response)
            if onward is None:
                return Answer(response.status_code, await _read(response))
            made = onward
        finally:
            await response.aclose()
    raise HttpFailed("it redirects without end", sent=True)


def _onward(made: httpx2.Request, response: httpx2.Response) -> httpx2.Request | None:
    """The request that a redirect asks for; None: it is none."""
    onward = response.next_request
    if not response.is_redirect or onward is None:
        return None
    before, after = made.url, onward.url
    same = (before.scheme, before.host, before.port) == (after.scheme, after.host, after.port)
    if not same or (made.method != "GET" and response.status_code not in _METHOD_KEPT):
        raise HttpFailed("it redirects elsewhere, which is not followed", sent=False)
    return onward


async def _read(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HttpFailed(f"its answer is longer than {MOST_BYTES} bytes", sent=True)
    return bytes(body)
