"""Is this request really Twilio's? X-Twilio-Signature, on webhooks and on the media socket.

Source: Twilio docs, "Webhooks security"; the arithmetic is the `twilio` package's own. What is
decided here is what goes into it: the URL from our configured public address and the raw path and
query, the form's fields with blank and repeated ones kept, and which secret and algorithm may
count. A request is refused unless exactly one signature fits.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, quote

from starlette.datastructures import ImmutableMultiDict
from starlette.types import Scope
from twilio.request_validator import (  # type: ignore[import-untyped]
    HMAC_SHA1,
    HMAC_SHA256,
    RequestValidator,
)

from app.carriers.twilio.public_url import PublicUrl

Fields: TypeAlias = tuple[tuple[str, str], ...]
"""Form fields in the order in which they came, repeated names included."""

FORM_TYPE: Final = "application/x-www-form-urlencoded"
JSON_TYPE: Final = "application/json"
_MOST_FIELDS: Final = 500
_SIGNATURE: Final = b"x-twilio-signature"
_SETTINGS: Final = b"x-twilio-webhooks-signature-settings"


class Reason(StrEnum):
    """Why a request was believed or not; safe to log."""

    SIGNED = "signed"
    MISSING = "missing_signature"
    SEVERAL = "several_signatures"
    WRONG = "wrong_signature"
    UNKNOWN_KEY = "unknown_key"
    BODY_UNSIGNED = "body_unsigned"
    BODY_CHANGED = "body_changed"
    BAD_FORM = "bad_form"
    BAD_URL = "bad_url"


@dataclass(frozen=True, slots=True)
class Verdict:
    reason: Reason
    form: Fields = field(default=(), repr=False)
    """The signed form of a POST; empty unless signed."""
    query: Fields = field(default=(), repr=False)
    """The signed query of the URL; empty unless signed."""

    @property
    def signed(self) -> bool:
        return self.reason is Reason.SIGNED


class _Refused(Exception):
    def __init__(self, reason: Reason) -> None:
        self.reason = reason


class SignatureChecker:
    """Checks requests against one or more secrets; any one that fits will do.

    `auth_tokens`: the account's auth tokens, several while one replaces another.
    `shared_keys`: secrets of SharedKeys by key id. A request signed with a key that is not here is
    refused, whatever algorithm it names.
    Raises `ValueError` for no or empty tokens and `PublicUrlError` for an unusable `public_url`.
    """

    def __init__(
        self,
        auth_tokens: Sequence[str],
        public_url: str,
        *,
        shared_keys: Mapping[str, str] | None = None,
    ) -> None:
        keys = dict(shared_keys or {})
        if not auth_tokens or not all([*auth_tokens, *keys.values()]):
            raise ValueError("expected at least one Twilio auth token, and none of them empty")
        self.public_url = PublicUrl.parse(public_url)
        self._account = tuple(RequestValidator(token) for token in auth_tokens)
        self._keys = {key: RequestValidator(secret) for key, secret in keys.items()}

    def media_url(self) -> str:
        """Where Twilio is to open the media socket."""
        return self.public_url.media()

    def check_webhook(self, scope: Scope, body: bytes) -> Verdict:
        """`scope`: the ASGI scope of an HTTP request; `body`: its whole raw body."""
        try:
            validators, algorithm, given = self._signer(scope)
            path, query = _target(scope)
            form = _signed_form(scope, query, body)
            forms = self.public_url.webhook_forms(path, query)
            _compare(validators, algorithm, given, forms, form)
            return Verdict(Reason.SIGNED, form, _fields(query, Reason.BAD_URL))
        except _Refused as refused:
            return Verdict(refused.reason)

    def check_upgrade(self, scope: Scope) -> Verdict:
        """`scope`: the ASGI scope of a WebSocket that is not accepted yet."""
        try:
            validators, algorithm, given = self._signer(scope)
            path, query = _target(scope)
            forms = self.public_url.socket_forms(path, query)
            _compare(validators, algorithm, given, forms, ())
            return Verdict(Reason.SIGNED, (), _fields(query, Reason.BAD_URL))
        except _Refused as refused:
            return Verdict(refused.reason)

    def _signer(self, scope: Scope) -> tuple[Sequence[RequestValidator], str, bytes]:
        """The secrets that may count, the algorithm, and the signature that was given."""
        given = _header(scope, _SIGNATURE)
        if not given:
            raise _Refused(Reason.MISSING)
        settings = dict(
            (name.strip(), value.strip())
            for name, _, value in (
                part.partition("=")
                for part in _header(scope, _SETTINGS).decode("latin-1").split(",")
            )
        )
        key, algorithm = settings.get("key", ""), settings.get("algorithm") or HMAC_SHA1
        if key in self._keys and algorithm == HMAC_SHA256:
            return (self._keys[key],), algorithm, given
        if key or algorithm != HMAC_SHA1:
            raise _Refused(Reason.UNKNOWN_KEY)
        return self._account, algorithm, given


def _header(scope: Scope, name: bytes) -> bytes:
    values: list[bytes] = [value for key, value in scope["headers"] if key == name]
    if len(values) > 1:
        raise _Refused(Reason.SEVERAL)
    return values[0] if values else b""


def content_type(scope: Scope) -> str:
    """The media type of the body in small letters, without parameters; "" when there is none."""
    value = _header(scope, b"content-type").decode("latin-1")
    return value.partition(";")[0].strip().lower()


def _target(scope: Scope) -> tuple[str, str]:
    """Raw path and raw query, both still percent-encoded, as they were signed."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    query: bytes = scope["query_string"]
    try:
        return raw.decode("ascii"), query.decode("ascii")
    except UnicodeDecodeError as error:
        raise _Refused(Reason.BAD_URL) from error


def _signed_form(scope: Scope, query: str, body: bytes) -> Fields:
    """The form that is part of the signature; other bodies must be signed by their hash."""
    if not body:
        return ()
    if scope["method"] == "POST" and content_type(scope) == FORM_TYPE:
        try:
            return _fields(body.decode("utf-8"), Reason.BAD_FORM)
        except UnicodeDecodeError as error:
            raise _Refused(Reason.BAD_FORM) from error
    hashes = [value for name, value in _fields(query, Reason.BAD_URL) if name == "bodySHA256"]
    if len(hashes) != 1:
        raise _Refused(Reason.BODY_UNSIGNED)
    if not hmac.compare_digest(sha256(body).hexdigest().encode(), hashes[0].lower().encode()):
        raise _Refused(Reason.BODY_CHANGED)
    return ()


def _fields(text: str, bad: Reason) -> Fields:
    if not text:
        return ()
    try:
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            # A form is Twilio's and well made; a query may be whatever the operator configured.
            strict_parsing=bad is Reason.BAD_FORM,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError as error:
        raise _Refused(bad) from error
    return tuple(pairs)


def _compare(
    validators: Sequence[RequestValidator],
    algorithm: str,
    given: bytes,
    urls: Sequence[str],
    form: Fields,
) -> None:
    """Every combination is tried, so that time tells nothing about which one came close."""
    fields = ImmutableMultiDict(form)
    fits = False
    for validator in validators:
        for url in urls:
            expected = validator.compute_signature(url, fields, algorithm).encode()
            fits |= hmac.compare_digest(expected, given)
    if not fits:
        raise _Refused(Reason.WRONG)
