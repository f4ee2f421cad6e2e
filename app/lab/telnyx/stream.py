"""The carrier's end of one media stream in Telnyx' dialect (Telnyx docs: media streaming).

Snake case, ids of its own, and no promise of order: every so often two caller frames change places.
"""

import json
from binascii import b2a_base64
from collections.abc import Callable, Mapping

import msgspec

from app.lab.phone.impairments import Impairments
from app.lab.phone.media import MediaStream
from app.lab.phone.wire import BotMessage, InvalidMessage, StreamIdentity

SWAP_EVERY = 7
"""Of so many caller frames one comes behind the next one."""
CONNECTED = '{"event":"connected","version":"1.0.0"}'
_decoder = msgspec.json.Decoder(BotMessage)


class TelnyxStream(MediaStream):
    """Two frames are given to `send` at a time where they have changed places."""

    def __init__(
        self,
        identity: StreamIdentity,
        *,
        numbers: tuple[str, str],
        impairments: Impairments,
        origin_s: float,
        send: Callable[[str], None],
        on_clear: Callable[[float], None] = lambda carrier_ms: None,
    ) -> None:
        """`numbers`: from and to. `identity.call_sid` is the call_control_id."""
        super().__init__(
            identity,
            parameters={},
            impairments=impairments,
            origin_s=origin_s,
            send=send,
            on_clear=on_clear,
        )
        self._numbers = numbers
        self._sequence = 0
        self._chunk = 0
        self._behind = ""

    def open(self) -> None:
        self._started = True
        self._send(CONNECTED)
        from_, to = self._numbers
        body = {
            "user_id": "lab",
            "call_control_id": self.identity.call_sid,
            "client_state": "",
            "custom_parameters": {},
            "from": from_,
            "to": to,
            "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
        }
        self._tell("start", {"start": body})

    def caller_frame(self, frame: bytes | None) -> None:
        timestamp_ms = self.played.carrier_ms(self._tick)
        self._tick += 1
        if frame is None or not self._upstream.passes(timestamp_ms, frame):
            self.withheld_frames += 1
            return
        self.sent_frames += 1
        self._chunk += 1
        media = {
            "track": "inbound",
            "chunk": str(self._chunk),
            "timestamp": str(timestamp_ms),
            "payload": b2a_base64(frame, newline=False).decode("ascii"),
        }
        text = self._numbered("media", {"media": media})
        if self._chunk % SWAP_EVERY == 0:
            self._behind = text
            return
        self._send(text)
        if self._behind:
            self._send(self._behind)
            self._behind = ""

    def press(self, digit: str) -> None:
        self._tell("dtmf", {"dtmf": {"digit": digit}})

    def stop(self) -> None:
        if self._started and not self._stopped:
            self._stopped = True
            body = {"user_id": "lab", "call_control_id": self.identity.call_sid}
            self._tell("stop", {"stop": body})

    def _echo(self, name: str) -> None:
        self._tell("mark", {"mark": {"name": name}})

    def _read(self, data: bytes) -> BotMessage:
        try:
            message = _decoder.decode(data)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise InvalidMessage(f"expected a media, mark or clear message: {error}") from error
        if message.event not in ("media", "mark", "clear"):
            raise InvalidMessage(f"expected event media, mark or clear, got {message.event!r}")
        return message

    def _tell(self, event: str, body: Mapping[str, object]) -> None:
        self._send(self._numbered(event, body))

    def _numbered(self, event: str, body: Mapping[str, object]) -> str:
        self._sequence += 1
        given = {
            "event": event,
            "sequence_number": str(self._sequence),
            "stream_id": self.identity.stream_sid,
        }
        return json.dumps(given | dict(body), separators=(",", ":"))
