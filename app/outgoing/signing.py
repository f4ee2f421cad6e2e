"""Signatures by Standard Webhooks 1.0, with the specification's own package.

The signed text is `ID.TIMESTAMP.BODY`; each secret gives one `v1,BASE64`, so that receivers can
change their secret one after the other. Source: standard-webhooks specification, "symmetric".
"""

import base64
import binascii
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from standardwebhooks.webhooks import Webhook

PREFIX: Final = "whsec_"
LEAST_BYTES: Final = 24
MOST_BYTES: Final = 64


class SecretError(ValueError):
    """The operator's: a webhook's secret that cannot be used. Its text never holds the secret."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def read_secrets(text: str) -> tuple[str, ...]:
    """Secrets with commas between them, the one in use first. Raises `SecretError`."""
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not found:
        raise SecretError(f"expected {PREFIX} and base64, but it is empty")
    for secret in found:
        _check(secret)
    return found


def _check(secret: str) -> None:
    expected = f"expected {PREFIX} and base64 of {LEAST_BYTES} to {MOST_BYTES} bytes"
    if not secret.startswith(PREFIX):
        raise SecretError(f"{expected}, got something that begins otherwise")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX) + "==", validate=False)
    except (binascii.Error, ValueError):
        raise SecretError(f"{expected}, got what is no base64") from None
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise SecretError(f"{expected}, got {len(key)} bytes")


def headers_for(
    message_id: str, body: bytes, secrets_in_use: Sequence[str], now_s: float
) -> dict[str, str]:
    """The three headers of an attempt that is made now (Unix seconds)."""
    at = datetime.fromtimestamp(int(now_s), UTC)
    text = body.decode("utf-8")
    signatures = [Webhook(secret).sign(message_id, at, text) for secret in secrets_in_use]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now_s)),
        "webhook-signature": " ".join(signatures),
    }
