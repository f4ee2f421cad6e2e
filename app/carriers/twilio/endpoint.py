"""One webhook from request to response: verified, answered once, and never left without an answer.

Copies are answered alike; what is refused or breaks is logged without personal data.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeAlias

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.carriers.twilio.idempotency import Answer, Answers
from app.carriers.twilio.intake import RefusedError, Webhook

_log = logging.getLogger(__name__)

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

Handle: TypeAlias = Callable[[Webhook], Awaitable[Answer]]
Verify: TypeAlias = Callable[[Request], Awaitable[Webhook]]
"""Raises `RefusedError`."""


class Door(Protocol):
    """What every endpoint needs of its door."""

    @property
    def answers(self) -> Answers: ...

    @property
    def now_s(self) -> Callable[[], float]:
        """Unix time in seconds."""
        ...


def endpoint(door: Door, path: str, verify: Verify, handle: Handle, broken: Answer) -> Route:
    """`broken`: the answer when `handle` fails."""

    async def respond(request: Request) -> Response:
        try:
            answer = await _once(door, await verify(request), handle)
        except RefusedError as refused:
            fields = {"path": path, "reason": refused.reason}
            _log.warning("webhook refused", extra={"fields": fields})
            return PlainTextResponse("refused\n", refused.status, refused.headers)
        except Exception:
            _log.exception("webhook failed", extra={"fields": {"path": path}})
            answer = broken
        return Response(answer.body, answer.status, media_type=answer.media_type)

    # The endpoint refuses wrong methods itself, so that HEAD cannot pass for GET.
    return Route(path, respond, methods=list(_METHODS))


async def _once(door: Door, webhook: Webhook, handle: Handle) -> Answer:
    if webhook.key is None:
        return await handle(webhook)
    return await door.answers.once(webhook.key, lambda: handle(webhook), door.now_s())
