"""Signed requests, as Standard Webhooks says: the endpoint knows that it is us, and when.

Source: the Standard Webhooks specification, headers webhook-id, webhook-timestamp and
webhook-signature over "id.timestamp.body".
"""

from collections.abc import Callable
from datetime import UTC, datetime

from app.tools.errors import ToolLoadError


class Signer:
    """`secret`: base64, with or without `whsec_`. Raises ToolLoadError for any other text."""

    __slots__ = ("_now", "_webhook")

    def __init__(
        self, tool: str, secret: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook  # noqa: PLC0415

        try:
            self._webhook = Webhook(secret)
        except (ValueError, EmptyWebhookSecretError):
            raise ToolLoadError(
                f"{tool}: signing_secret_env: expected a secret like whsec_ and base64 text."
            ) from None
        self._now = now

    def headers(self, key: str, body: bytes) -> dict[str, str]:
        """`key`: of the run, so that its tries are one message."""
        now = self._now()
        return {
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(key, now, body.decode()),
        }
