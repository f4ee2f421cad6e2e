"""Before the first event: who may connect, and how the endpoint says no."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, urlsplit

import msgspec
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from app.lab.realtime.refusals import RequestRefused

PATH: Final = "/v1/realtime"
MODELS: Final = frozenset(
    {
        "gpt-realtime-2.1",
        "gpt-realtime-2.1-mini",
        "gpt-realtime-2",
        "gpt-realtime-1.5",
        "gpt-realtime",
        "gpt-realtime-2025-08-28",
        "gpt-realtime-mini",
        "gpt-realtime-mini-2025-12-15",
    }
)
REFUSED_CLOSE: Final = 4000
"""Close code after an error that ends the session at its start."""


def http_refusal(request: Request, api_key: str | None) -> Response | None:
    """The HTTP answer instead of an upgrade, or None. `api_key` None: no key is right."""
    if urlsplit(request.path).path != PATH:
        return _json(HTTPStatus.NOT_FOUND, None, f"Unknown URL: expected {PATH}.")
    given = request.headers.get("Authorization", "")
    if not given.startswith("Bearer "):
        return _json(
            HTTPStatus.UNAUTHORIZED,
            None,
            "You did not provide an API key: send it as 'Authorization: Bearer KEY'.",
        )
    if api_key is None or given.removeprefix("Bearer ").strip() != api_key:
        return _json(HTTPStatus.UNAUTHORIZED, "invalid_api_key", "Incorrect API key provided.")
    return None


_STATUS_CODES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("invalid_request_error", "invalid_value"),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("tokens", "rate_limit_exceeded"),
    500: ("server_error", "server_error"),
    502: ("server_error", "server_error"),
    503: ("server_error", "server_error"),
}


def refused_with(status: HTTPStatus) -> Response:
    """The HTTP answer of a service that says no to everybody."""
    kind, code = _STATUS_CODES[status]
    return _json(status, code, f"The connection was refused ({code}).", kind)


def _json(
    status: HTTPStatus, code: str | None, message: str, kind: str = "invalid_request_error"
) -> Response:
    error = {"message": message, "type": kind, "param": None, "code": code}
    body = msgspec.json.encode({"error": error})
    headers = Headers(
        {
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
    )
    return Response(status.value, status.phrase, headers, body)


def model_asked_for(request: Request) -> str:
    """Raises `RequestRefused`, to be sent as an event before the close with 4000."""
    if request.headers.get("OpenAI-Beta", "").replace(" ", "") == "realtime=v1":
        raise RequestRefused(
            "beta_api_shape_disabled",
            "The beta shape of the Realtime API is disabled: "
            "do not send the header OpenAI-Beta, and use the GA events.",
        )
    models = parse_qs(urlsplit(request.path).query).get("model", [])
    if not models:
        raise RequestRefused("missing_model", "You must provide a model parameter.", "model")
    if models[0] not in MODELS:
        raise RequestRefused(
            "model_not_found",
            f"The model `{models[0]}` does not exist or you do not have access to it.",
            "model",
        )
    return models[0]
