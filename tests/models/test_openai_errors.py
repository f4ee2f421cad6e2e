"""Invariant: only codes of the table end a session, and every way to end has one stated cause."""

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedError,
    InvalidHandshake,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    SecurityError,
)
from websockets.frames import Close
from websockets.http11 import Response

from app.models.openai_errors import (
    FAULT_KINDS,
    cause_of_code,
    closed_by_handshake,
    closed_by_socket,
    fault_kind,
    safe_code,
)


@pytest.mark.parametrize(
    ("code", "error_type", "kind"),
    [
        ("response_cancel_not_active", "invalid_request_error", "harmless"),
        ("conversation_already_has_active_response", "invalid_request_error", "active_response"),
        ("input_audio_buffer_commit_empty", "invalid_request_error", "harmless"),
        ("item_truncate_invalid_item_id", "invalid_request_error", "rejected"),
        ("session_expired", "invalid_request_error", "fatal"),
        ("invalid_request_error.beta_api_shape_disabled", None, "fatal"),
        (None, "server_error", "retryable"),
        ("never_seen_before", "server_error", "retryable"),
        ("never_seen_before", "invalid_request_error", "rejected"),
        ("never_seen_before", None, "rejected"),
        (None, None, "rejected"),
    ],
)
def test_the_kind_comes_from_the_code_then_the_type(
    code: str | None, error_type: str | None, kind: str
) -> None:
    assert fault_kind(code, error_type) == kind


def test_every_fatal_code_of_the_table_has_a_cause_and_no_other_code_has() -> None:
    for code, kind in FAULT_KINDS.items():
        assert (cause_of_code(code) is not None) == (kind == "fatal"), code


def _status(status: int, body: bytes = b"") -> InvalidStatus:
    return InvalidStatus(Response(status, "reason", Headers(), body))


@pytest.mark.parametrize(
    ("error", "cause", "detail"),
    [
        (_status(401, b'{"error":{"code":"invalid_api_key"}}'), "refused", "401, invalid_api_key"),
        (_status(403), "refused", "HTTP 403"),
        (_status(404, b'{"error":{"code": "model_not_found"}}'), "refused", "model_not_found"),
        (_status(429, b'{"error":{"code":"insufficient_quota"}}'), "refused", "insufficient_quota"),
        (_status(429, b'{"error":{"code":"rate_limit_exceeded"}}'), "unreachable", "HTTP 429"),
        (_status(408), "unreachable", "HTTP 408"),
        (_status(500), "unreachable", "HTTP 500"),
        (_status(503, b"<html>"), "unreachable", "HTTP 503"),
        (InvalidProxyStatus(Response(407, "", Headers())), "unreachable", "proxy said HTTP 407"),
        (TimeoutError(), "unreachable", "not open in time"),
        (ConnectionRefusedError(), "unreachable", "ConnectionRefusedError"),
        (InvalidHandshake(), "unreachable", "no WebSocket there"),
        (InvalidURI("x", "y"), "refused", "address"),
        (SecurityError("z"), "refused", "address"),
    ],
)
def test_a_failed_handshake_says_whose_fault_it_is(
    error: Exception, cause: str, detail: str
) -> None:
    closed = closed_by_handshake(error)
    assert closed.cause == cause
    assert detail in closed.detail


def test_nothing_of_the_vendors_text_but_the_code_is_repeated() -> None:
    body = b'{"error":{"message":"Incorrect key: sk-abc","code":"invalid_api_key"}}'
    assert closed_by_handshake(_status(401, body)).detail == "HTTP 401, invalid_api_key"


def _closed(received: Close | None, sent: Close | None = None) -> ConnectionClosed:
    return ConnectionClosedError(received, sent, None if sent is None or received is None else True)


@pytest.mark.parametrize(
    ("error", "last_fatal", "cause", "detail"),
    [
        (_closed(Close(1000, "")), "", "lost", "code 1000"),
        (_closed(Close(1001, "")), "", "lost", "code 1001"),
        (
            _closed(Close(1001, "Your session hit the maximum duration of 60 minutes.")),
            "",
            "expired",
            "maximum duration",
        ),
        (_closed(Close(1001, "")), "session_expired", "expired", "code 1001"),
        (_closed(Close(1011, "expired")), "", "lost", "code 1011"),
        (
            _closed(Close(4000, "invalid_request_error.beta_api_shape_disabled")),
            "",
            "refused",
            "code 4000",
        ),
        (
            _closed(Close(3000, "invalid_request_error.invalid_api_key")),
            "",
            "refused",
            "invalid_api_key",
        ),
        (_closed(Close(1008, "")), "", "refused", "code 1008"),
        (_closed(Close(1012, "restart")), "", "lost", "restart"),
        (_closed(None), "", "lost", "1006"),
        (_closed(None), "insufficient_quota", "refused", "1006"),
        (_closed(None, Close(1011, "")), "", "lost", "no ping"),
        (_closed(None, Close(1002, "")), "", "nonsense", "1002"),
        (_closed(None, Close(1009, "")), "", "nonsense", "1009"),
    ],
)
def test_a_close_has_one_cause(
    error: ConnectionClosed, last_fatal: str, cause: str, detail: str
) -> None:
    closed = closed_by_socket(error, last_fatal)
    assert closed.cause == cause
    assert detail in closed.detail


def test_control_characters_of_a_reason_do_not_reach_the_detail() -> None:
    assert closed_by_socket(_closed(Close(1001, "a\r\nb"))).detail.endswith(": ab")


@pytest.mark.parametrize(("text", "safe"), [("a_code.b", "a_code.b"), ("+49 30 1", "unnamed")])
def test_only_what_looks_like_a_code_is_repeated(text: str, safe: str) -> None:
    assert safe_code(text) == safe
