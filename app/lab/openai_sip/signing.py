"""Webhooks as OpenAI signs them (Standard Webhooks 1.0): id, time of the attempt, HMAC-SHA256."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

USER_AGENT = "OpenAI/1.0 (+https://platform.openai.com/docs/webhooks)"


@dataclass(frozen=True, slots=True)
class Event:
    """One event; each attempt to deliver it is signed anew."""

    body: bytes
    webhook_id: str = field(default_factory=lambda: f"wh_{secrets.token_hex(12)}")


def incoming(
    call_id: str,
    headers: Sequence[tuple[str, str]],
    *,
    kind: str = "realtime.call.incoming",
    media: str | None = "srtp",
    created_at: float | None = None,
) -> Event:
    """A call is offered. `headers`: of the INVITE, in order. `created_at`: Unix seconds; None:
    now."""
    data: dict[str, Any] = {
        "call_id": call_id,
        "sip_headers": [{"name": name, "value": value} for name, value in headers],
    }
    if media is not None:
        data["sip_media_security"] = media
    event = {
        "object": "event",
        "id": f"evt_{secrets.token_hex(12)}",
        "type": kind,
        "created_at": int(time.time() if created_at is None else created_at),
        "data": data,
    }
    return Event(json.dumps(event).encode())


def signed(event: Event, secret: str, *, at_s: float | None = None) -> Mapping[str, str]:
    """The headers of one attempt. `at_s`: when it is made, in Unix seconds; None: now."""
    stamp = str(int(time.time() if at_s is None else at_s))
    key = secret.encode()
    if secret.startswith("whsec_"):
        key = base64.b64decode(secret.removeprefix("whsec_"))
    text = b"%b.%b.%b" % (event.webhook_id.encode(), stamp.encode(), event.body)
    digest = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": event.webhook_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{digest}",
    }
