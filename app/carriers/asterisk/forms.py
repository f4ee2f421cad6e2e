"""What the dialplan posts with CURL(): a form, from a PBX that has a lock's key."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.carriers.asterisk.locks import PbxLocks

MOST_BODY_BYTES: Final = 16_384

Answer = Callable[[Mapping[str, str]], Awaitable[Response | None]]
"""None: it is no such form."""


def form_route(path: str, locks: PbxLocks, answer: Answer, expected: str) -> Route:
    """`expected`: what is told to whoever posts something else."""

    async def page(request: Request) -> Response:
        if not locks.open_for(request.scope["headers"]):
            return PlainTextResponse("", 401, {"WWW-Authenticate": 'Basic realm="earshot"'})
        body = await _body(request)
        answered = None if body is None else await answer(dict(parse_qsl(body)))
        return PlainTextResponse(expected, 400) if answered is None else answered

    return Route(path, page, methods=["POST"])


async def _body(request: Request) -> str | None:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BODY_BYTES:
                return None
        return body.decode()
    except (ClientDisconnect, UnicodeDecodeError):
        return None
