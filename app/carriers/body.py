"""The body of a webhook: no longer than it may be, and no longer in coming."""

import asyncio
from typing import Final

from starlette.requests import ClientDisconnect, Request

MOST_BODY_BYTES: Final = 65_536
"""Forms of calls and the headers of a SIP INVITE are a few kilobytes."""
READ_S: Final = 10.0
"""Twilio itself gives up after 15 s."""


class NotReadError(Exception):
    """The request gets no answer but this status. `reason` is safe to log."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


async def read_body(request: Request) -> bytes:
    """All of it. Raises `NotReadError`: 413, 408, or 400 when the client has left."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MOST_BODY_BYTES:
        raise NotReadError(413, "body_too_large")
    body = bytearray()
    try:
        async with asyncio.timeout(READ_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BODY_BYTES:
                    raise NotReadError(413, "body_too_large")
    except TimeoutError as error:
        raise NotReadError(408, "body_too_slow") from error
    except ClientDisconnect as error:
        raise NotReadError(400, "client_left") from error
    return bytes(body)
