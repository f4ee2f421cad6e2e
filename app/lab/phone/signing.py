"""Twilio's request signature, made as the sender makes it (Twilio docs: webhooks security)."""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit


def signature(auth_token: str, url: str, parameters: Mapping[str, str] | None = None) -> str:
    """X-Twilio-Signature of a request to `url`: base64 of an HMAC-SHA1.

    `parameters` are the form fields of a POST; a GET and a WebSocket upgrade have none.
    """
    fields = "".join(name + value for name, value in sorted((parameters or {}).items()))
    digest = hmac.new(auth_token.encode(), (url + fields).encode(), "sha1").digest()
    return b64encode(digest).decode("ascii")


def without_fragment(url: str) -> str:
    """The URL as it is requested and signed: connection overrides after # stay here."""
    return url.partition("#")[0]


def without_query(url: str) -> str:
    """A stream URL as it is requested: Twilio drops its query string."""
    return urlunsplit(urlsplit(url)._replace(query="", fragment=""))
