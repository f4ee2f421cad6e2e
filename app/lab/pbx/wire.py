"""The texts of chan_websocket, both ways and in both formats (Asterisk docs: WebSocket channel
driver; the spellings as a real one sent them)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Format: TypeAlias = Literal["json", "plain"]
COMMANDS = frozenset(
    {
        "ANSWER",
        "HANGUP",
        "START_MEDIA_BUFFERING",
        "STOP_MEDIA_BUFFERING",
        "MARK_MEDIA",
        "FLUSH_MEDIA",
        "PAUSE_MEDIA",
        "CONTINUE_MEDIA",
        "REPORT_QUEUE_DRAINED",
        "GET_STATUS",
        "SET_MEDIA_DIRECTION",
    }
)
_WITH_ID_ALONE = frozenset({"MEDIA_MARK_PROCESSED", "MEDIA_BUFFERING_COMPLETED"})


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    correlation_id: str = ""


class BadCommand(ValueError):
    """JSON that is none: the one fault that is answered, with ERROR."""


def read_command(text: str, format_: Format) -> Command:
    """Raises `BadCommand`."""
    if format_ == "plain":
        name, _, correlation_id = text.strip().partition(" ")
        return Command(name, correlation_id)
    try:
        given = json.loads(text)
    except ValueError as error:
        raise BadCommand("Unable to parse JSON command") from error
    if not isinstance(given, dict):
        return Command("")
    return Command(str(given.get("command", "")), str(given.get("correlation_id", "")))


class Teller:
    """Writes the events of one channel."""

    def __init__(self, channel_id: str, connection: str, format_: Format) -> None:
        self._channel_id = channel_id
        self._connection = connection
        self._format: Format = format_

    def start(self, variables: Mapping[str, str]) -> str:
        fields: dict[str, object] = {
            "connection_id": self._connection,
            "channel": f"WebSocket/{self._connection}/0x7f00deadbeef",
            "channel_id": self._channel_id,
            "format": "ulaw",
            "optimal_frame_size": 160,
            "ptime": 20,
        }
        if self._format == "json":
            return _json({"event": "MEDIA_START", **fields, "channel_variables": dict(variables)})
        return _words("MEDIA_START", fields)

    def event(self, name: str, **fields: object) -> str:
        if self._format == "json":
            return _json({"event": name, "channel_id": self._channel_id, **fields})
        if name in _WITH_ID_ALONE:
            return f"{name} {fields.get('correlation_id', '')}".rstrip()
        channel = {"channel_id": self._channel_id}
        return _words(name, fields | channel if name == "DTMF_END" else channel | fields)


def _json(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, separators=(",", ":"))


def _words(name: str, fields: Mapping[str, object]) -> str:
    return " ".join([name, *(f"{key}:{_word(value)}" for key, value in fields.items())])


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
