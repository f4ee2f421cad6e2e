"""Who may use the API: whoever sends one of the operator's tokens.

What is wrong with a request is told as `{"error": "...", "problems": [...]}`: one sentence, and one
for each mistake where there are several.
"""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.campaigns.loading import PlanError
from app.campaigns.people import NoContactError
from app.campaigns.states import WrongMoveError
from app.campaigns.store import CampaignError, CampaignExistsError, NoCampaignError
from app.records.database import DatabaseAwayError

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


class BadRequestError(Exception):
    """The caller's: the text says what was expected and what came."""


class Access:
    """`tokens`: each of them opens; at least one."""

    def __init__(self, tokens: Sequence[str]) -> None:
        if not tokens or not all(tokens):
            raise ValueError("expected at least one token, and none of them empty")
        self._tokens = [token.encode() for token in tokens]

    def guard(self, endpoint: Endpoint) -> Endpoint:
        """Let nobody through without a token, and tell what others did wrong."""

        async def guarded(request: Request) -> Response:
            if not self._allows(request):
                return problem(401, 'expected a header "Authorization: Bearer" with a token')
            try:
                return await endpoint(request)
            except Exception as error:
                told = _told(error)
                if told is None:
                    raise
                return told

        return guarded

    def _allows(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        sent = given.strip().encode()
        # All are compared, so that the time tells nothing of which one it was.
        same = [hmac.compare_digest(sent, token) for token in self._tokens]
        return scheme.lower() == "bearer" and any(same)


def problem(status: int, error: str, **more: Any) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"error": error, **more}, status, headers)


def _told(error: Exception) -> Response | None:
    """None: it is a fault of ours."""
    match error:
        case PlanError():
            return problem(422, "the campaign is wrong", problems=str(error).splitlines())
        case BadRequestError():
            return problem(400, str(error))
        case NoCampaignError() | NoContactError():
            return problem(404, str(error))
        case CampaignExistsError() | WrongMoveError() | CampaignError():
            return problem(409, str(error))
        case DatabaseAwayError():
            return problem(503, "the database does not answer")
    return None
