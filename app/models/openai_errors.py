"""OpenAI's error codes, HTTP refusals and close codes, and what they mean for a call.

OpenAI publishes no complete list. The table holds what the API's types name and what public code
bases report; a code outside it rejects one command and leaves the session open.
"""

import re
from typing import Literal, TypeAlias

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    SecurityError,
)

from app.call.events import FaultKind, ModelClosed

CloseCause: TypeAlias = Literal[
    "refused", "unreachable", "wrong_format", "nonsense", "expired", "lost"
]

FAULT_KINDS: dict[str, FaultKind] = {
    "response_cancel_not_active": "harmless",
    "input_audio_buffer_commit_empty": "harmless",
    "conversation_already_has_active_response": "active_response",
    "invalid_value": "rejected",
    "unknown_parameter": "rejected",
    "item_truncate_invalid_item_id": "rejected",
    "invalid_request_error": "rejected",
    "rate_limit_exceeded": "retryable",
    "server_error": "retryable",
    "session_expired": "fatal",
    "beta_api_shape_disabled": "fatal",
    "invalid_api_key": "fatal",
    "insufficient_quota": "fatal",
    "model_not_found": "fatal",
}

_CAUSES: dict[str, CloseCause] = {
    "session_expired": "expired",
    "beta_api_shape_disabled": "refused",
    "invalid_api_key": "refused",
    "insufficient_quota": "refused",
    "model_not_found": "refused",
}

_REFUSING_CLOSE_CODES = frozenset({1008, 4000})
_PEER_BROKE_PROTOCOL = frozenset({1002, 1007, 1009})
"""Close codes that our side sends when what came was no valid WebSocket traffic."""

_SAFE_CODE = re.compile(r"[A-Za-z0-9_.]{1,64}")
_CODE_IN_BODY = re.compile(rb'"code"\s*:\s*"([A-Za-z0-9_.]{1,64})"')


def fault_kind(code: str | None, error_type: str | None) -> FaultKind:
    """Kind of an `error` event, by its code and else by its type; unknown ones are not fatal."""
    for name in (code, error_type):
        if name is not None and (kind := FAULT_KINDS.get(_bare(name))) is not None:
            return kind
    return "rejected"


def cause_of_code(code: str) -> CloseCause | None:
    """Why a session is over when it ended with this error code; None for codes that end none."""
    return _CAUSES.get(_bare(code))


def closed_by_handshake(error: Exception) -> ModelClosed:
    """Why no connection could be opened. `detail` holds no key and no text of the vendor's."""
    if isinstance(error, InvalidStatus):
        return _closed_by_status(error)
    if isinstance(error, SecurityError | InvalidURI):
        return ModelClosed("refused", f"the address cannot be used: {type(error).__name__}")
    if isinstance(error, TimeoutError):
        return ModelClosed("unreachable", "the connection was not open in time")
    if isinstance(error, InvalidProxyStatus):
        return ModelClosed("unreachable", f"the proxy said HTTP {error.response.status_code}")
    if isinstance(error, InvalidHandshake):
        return ModelClosed("unreachable", f"no WebSocket there: {type(error).__name__}")
    return ModelClosed("unreachable", f"no connection: {type(error).__name__}")


def _closed_by_status(error: InvalidStatus) -> ModelClosed:
    status = error.response.status_code
    found = _CODE_IN_BODY.search(error.response.body or b"")
    code = found[1].decode("ascii") if found else ""
    detail = f"HTTP {status}" + (f", {code}" if code else "")
    if cause_of_code(code) is None and (status in (408, 429) or status >= 500):
        return ModelClosed("unreachable", detail)
    return ModelClosed("refused", detail)


def closed_by_socket(error: ConnectionClosed, last_fatal_code: str = "") -> ModelClosed:
    """Why an open session ended. `last_fatal_code`: the last fatal `error` event before the end."""
    received = error.rcvd
    if received is None:
        return _closed_without_close_frame(error, last_fatal_code)
    reason = "".join(c for c in received.reason if c.isprintable())
    detail = f"the server closed with code {received.code}" + (f": {reason}" if reason else "")
    code = reason.split(" ", 1)[0]
    cause = cause_of_code(last_fatal_code) or cause_of_code(code)
    if cause is None and received.code == 1001 and _speaks_of_expiry(reason):
        cause = "expired"
    if cause is None and received.code in _REFUSING_CLOSE_CODES:
        cause = "refused"
    return ModelClosed(cause or "lost", detail)


def _closed_without_close_frame(error: ConnectionClosed, last_fatal_code: str) -> ModelClosed:
    sent = error.sent
    if sent is not None and sent.code in _PEER_BROKE_PROTOCOL:
        return ModelClosed("nonsense", f"no valid WebSocket traffic came (code {sent.code})")
    cause = cause_of_code(last_fatal_code) or "lost"
    if sent is not None and sent.code == 1011:
        return ModelClosed(cause, "the server answered no ping")
    return ModelClosed(cause, "the connection broke without a close (1006)")


def _speaks_of_expiry(reason: str) -> bool:
    lowered = reason.lower()
    return "expired" in lowered or "maximum duration" in lowered


def _bare(code: str) -> str:
    """The code without a leading error type: close reasons write `type.code`."""
    return code.rsplit(".", 1)[-1]


def safe_code(text: str) -> str:
    """`text` if it looks like a code, else "unnamed": vendors' free text may hold anything."""
    return text if _SAFE_CODE.fullmatch(text) else "unnamed"
