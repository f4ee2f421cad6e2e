"""The control messages of `chan_websocket` in JSON, from the PBX's side. Sans-I/O.

Source: protocols/pbx-media.md, sections 1.3 and 1.4.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.sip_line.out_queue import XOFF_FRAMES, XON_FRAMES, Status
from telecodecs import FRAME_BYTES, FRAME_MS

TEXT_MOST_BYTES: Final = 128
"""Longer text messages are dropped."""
BINARY_MOST_BYTES: Final = 65_500
"""A longer binary message closes the connection with 1009."""
UNREADABLE: Final = "Unable to parse JSON command"


class CommandError(ValueError):
    """A text message that is no JSON command."""


@dataclass(frozen=True, slots=True)
class Command:
    """What the worker asks for. Names that we do not know are no error, only without effect."""

    name: str
    correlation_id: str = ""
    direction: str = ""


def parse_command(text: str) -> Command:
    """Read a text message. Raises `CommandError`."""
    try:
        message = json.loads(text)
    except ValueError as error:
        raise CommandError(UNREADABLE) from error
    if not isinstance(message, dict) or not isinstance(message.get("command"), str):
        raise CommandError(UNREADABLE)
    return Command(
        message["command"],
        str(message.get("correlation_id", "")),
        str(message.get("direction", "")),
    )


@dataclass(frozen=True, slots=True)
class Channel:
    """Writes the events of one call."""

    channel_id: str
    connection_id: str

    def start(self, variables: Mapping[str, str]) -> str:
        """The first message: what the call is, and who."""
        return json.dumps(
            {
                "event": "MEDIA_START",
                "connection_id": self.connection_id,
                "channel": f"WebSocket/{self.connection_id}/{self.channel_id}",
                "channel_id": self.channel_id,
                "format": "ulaw",
                "optimal_frame_size": FRAME_BYTES,
                "ptime": FRAME_MS,
                "channel_variables": dict(variables),
            }
        )

    def event(self, name: str, correlation_id: str = "") -> str:
        """An event without more than the id of what it answers."""
        message = {"event": name, "channel_id": self.channel_id}
        if correlation_id:
            message["correlation_id"] = correlation_id
        return json.dumps(message)

    def key(self, digit: str) -> str:
        return json.dumps({"event": "DTMF_END", "channel_id": self.channel_id, "digit": digit})

    def error(self, text: str) -> str:
        return json.dumps({"event": "ERROR", "channel_id": self.channel_id, "error_text": text})

    def status(self, status: Status) -> str:
        return json.dumps(
            {
                "event": "STATUS",
                "channel_id": self.channel_id,
                "queue_length": status.queue_length,
                "xon_level": XON_FRAMES,
                "xoff_level": XOFF_FRAMES,
                "queue_full": status.queue_full,
                "bulk_media": status.bulk_media,
                "media_paused": status.media_paused,
            }
        )
