"""One webhook request from the network to a verified object, or to the refusal it deserves.

The order is cheap before dear, and nothing is believed before the signature: method (405), type of
body (415), size (413), time (408), signature (403), form (400).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request

from app.carriers.body import NotReadError, read_body
from app.carriers.twilio.idempotency import request_key
from app.carriers.twilio.signature import (
    FORM_TYPE,
    Fields,
    Reason,
    SignatureChecker,
    content_type,
)

_STEERING: Final = (
    *("CallSid", "MessageSid", "From", "To", "agent", "direction", "resumed"),
    *("waited", "facts", "vars", "attempt", "machine"),
    # By these a caller is trusted.
    *("SipDomain", "SipSourceIp", "StirVerstat"),
)
_SID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


class RefusedError(Exception):
    """The request gets no answer but this status. `reason` is safe to log."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Webhook:
    """A request that Twilio signed."""

    call_sid: str
    """ "" for what is about a message."""
    fields: Mapping[str, str] = field(repr=False)
    """What Twilio says about the call: the form, or the query when it asks with GET."""
    query: Mapping[str, str] = field(repr=False)
    """What we put into the URL that Twilio was given."""
    key: str | None = field(default=None, repr=False)
    """The same for all copies of this request; None when Twilio marked it as none."""


async def receive(request: Request, checker: SignatureChecker, methods: tuple[str, ...]) -> Webhook:
    """Read and verify a request about a call. Raises `RefusedError`."""
    webhook = await _verified(request, checker, methods)
    if not _SID.match(webhook.call_sid):
        raise RefusedError(400, "no_call_sid")
    return webhook


async def receive_message(request: Request, checker: SignatureChecker) -> Webhook:
    """Read and verify a request about a text message. Raises `RefusedError`."""
    webhook = await _verified(request, checker, ("POST",))
    if not _SID.match(webhook.fields.get("MessageSid", "")):
        raise RefusedError(400, "no_message_sid")
    return webhook


async def _verified(
    request: Request, checker: SignatureChecker, methods: tuple[str, ...]
) -> Webhook:
    if request.method not in methods:
        raise RefusedError(405, "wrong_method", {"Allow": ", ".join(methods)})
    if request.method == "POST" and content_type(request.scope) != FORM_TYPE:
        raise RefusedError(415, "wrong_content_type", {"Accept-Post": FORM_TYPE})
    try:
        body = await read_body(request)
    except NotReadError as error:
        raise RefusedError(error.status, error.reason) from error
    verdict = checker.check_webhook(request.scope, body)
    if not verdict.signed:
        bad = verdict.reason in (Reason.BAD_FORM, Reason.BAD_URL)
        raise RefusedError(400 if bad else 403, verdict.reason.value)
    query = _single(verdict.query)
    fields = _single(verdict.form) if request.method == "POST" else query
    return Webhook(fields.get("CallSid", ""), fields, query, request_key(request.scope, body))


def _single(fields: Fields) -> dict[str, str]:
    """Fields by name. The ones that steer us must not be given twice; of others the last counts."""
    names = [name for name, _ in fields]
    if any(names.count(name) > 1 for name in _STEERING):
        raise RefusedError(400, "repeated_field")
    return dict(fields)
