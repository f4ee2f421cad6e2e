"""`POST /openai/webhook`: OpenAI offers a call.

Nothing is believed before the signature (Standard Webhooks; the SDK checks it, with the time of the
attempt). The answer comes at once and does not wait until the call is taken: 2xx for everything
that OpenAI signed, else it would come again. One call is taken once, on whichever worker, however
many events offer it and however often they come. An attempt that comes long after the call did is
about nobody who still rings: it is left, for the call may have been taken long ago.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from openai import AsyncOpenAI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.carriers.body import NotReadError, read_body
from app.carriers.openai_sip.events import Offer, read_event

_log = logging.getLogger(__name__)

PATH: Final = "/openai/webhook"
MOST_ID_CHARS: Final = 256
MOST_AGE_S: Final = 120.0
"""From the call to the attempt that tells of it; by OpenAI's clock alone, as ours may be wrong."""


class Once(Protocol):
    async def __call__(self, key: str, begin: Callable[[], Awaitable[None]]) -> None:
        """Begin what stands under this key, unless it was begun before, on any worker."""
        ...


@dataclass(frozen=True, slots=True)
class Webhooks:
    """`secret`: of the endpoint. `take`: told of each offered call, once; it must not wait."""

    client: AsyncOpenAI
    secret: str
    once: Once
    take: Callable[[Offer], None]

    def routes(self) -> list[BaseRoute]:
        return [Route(PATH, self.answer, methods=["POST"])]

    async def answer(self, request: Request) -> Response:
        try:
            body = await read_body(request)
            self._verify(request, body)
            offered = _fresh(_read(body), request.headers["webhook-timestamp"])
        except NotReadError as refused:
            fields = {"status": refused.status, "reason": refused.reason}
            _log.warning("OpenAI webhook refused", extra={"fields": fields})
            return Response(status_code=refused.status)
        if offered is not None:

            async def begin() -> None:
                self.take(offered)

            await self.once(offered.call_id, begin)
        return Response(status_code=200)

    def _verify(self, request: Request, body: bytes) -> None:
        if len(request.headers.get("webhook-id", "")) > MOST_ID_CHARS:
            raise NotReadError(400, "not_signed")
        try:
            # A secret that is no base64, a signature that is no ASCII and a body that is no UTF-8
            # are ValueError and TypeError, as a wrong signature is.
            self.client.webhooks.unwrap(body, request.headers, secret=self.secret)
        except (ValueError, TypeError, RecursionError) as error:
            raise NotReadError(400, _why_unsigned(error)) from error


def _why_unsigned(error: Exception) -> str:
    """The SDK's words, as a word of ours: theirs could come to hold what was sent."""
    said = str(error)
    for part, why in (("too old", "too_old"), ("too new", "too_new"), ("header", "no_signature")):
        if part in said:
            return why
    return "not_signed"


def _read(body: bytes) -> Offer | None:
    """None for what is not to be taken."""
    try:
        offered = read_event(body)
    except ValueError as error:
        raise NotReadError(400, str(error)) from error
    if offered == "live":
        _log.warning("a call was offered to GPT-Live, which is not served here: not taken")
    return offered if isinstance(offered, Offer) else None


def _fresh(offered: Offer | None, attempt: str) -> Offer | None:
    """`attempt`: when this one was made, in Unix seconds; it was verified."""
    if offered is None or offered.created_s is None:
        return offered
    if float(attempt) - offered.created_s <= MOST_AGE_S:
        return offered
    fields = {"call": offered.call_id}
    _log.warning("a call was offered too late: not taken", extra={"fields": fields})
    return None
