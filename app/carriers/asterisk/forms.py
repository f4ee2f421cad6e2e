"""What the dialplan posts with CURL(): a form, from a PBX that has a lock's key."""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.carriers.asterisk.locks import PbxLocks
from app.carriers.body import NotReadError, read_body

Answer = Callable[[Mapping[str, str]], Awaitable[Response | None]]
"""None: it is no such form."""


def form_route(path: str, locks: PbxLocks, answer: Answer, expected: str) -> Route:
    """`expected`: what is told to whoever posts something else."""

    async def page(request: Request) -> Response:
        if not locks.open_for(request.scope["headers"]):
            return PlainTextResponse("", 401, {"WWW-Authenticate": 'Basic realm="earshot"'})
        form = await _form(request)
        answered = None if form is None else await answer(form)
        return PlainTextResponse(expected, 400) if answered is None else answered

    return Route(path, page, methods=["POST"])


async def _form(request: Request) -> Mapping[str, str] | None:
    """None for what cannot be read."""
    try:
        return dict(parse_qsl((await read_body(request)).decode()))
    except (NotReadError, UnicodeDecodeError):
        return None
