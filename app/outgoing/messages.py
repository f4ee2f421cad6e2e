"""An event as it is sent: its id, which never changes, and its bytes, which are signed."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.outgoing.events import OutgoingEvent, data_of


@dataclass(frozen=True, slots=True)
class Message:
    message_id: str
    """`webhook-id`: the same for each attempt, each endpoint, each process that tells the event."""
    type: str
    call_id: str
    agent: str
    created_s: float
    """Unix seconds."""
    body: bytes = field(repr=False)


def message_of(event: OutgoingEvent, now_s: float, *, numbers: bool = False) -> Message:
    """The same event of the same call has the same id, whoever makes the message."""
    at = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="milliseconds")
    payload = {
        "type": event.type,
        "timestamp": at.replace("+00:00", "Z"),
        "data": data_of(event, numbers=numbers),
    }
    body = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Message(
        _id(event), event.type, event.call_id, event.agent, now_s, body.encode("utf-8", "replace")
    )


def _id(event: OutgoingEvent) -> str:
    """An event without a call and without an occurrence is always a new one."""
    if not event.call_id and not event.occurrence:
        return f"msg_{secrets.token_hex(16)}"
    name = "\0".join((event.type, event.call_id, event.occurrence))
    digest = hashlib.sha256(name.encode()).digest()[:20]
    return "msg_" + base64.b32encode(digest).decode("ascii").lower()
