"""One call's socket to a PBX: see `app.carriers.line.Line`."""

import logging
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from typing import Final

from app.call.commands import EndCall
from app.carriers.asterisk import wire
from app.carriers.asterisk.clock import PbxClock
from app.carriers.asterisk.playing import Playing
from app.carriers.asterisk.protocol import PbxProtocol, ViolationKind
from app.carriers.line import Frame, Hears
from telecodecs.g711 import BYTES_PER_MS

_log = logging.getLogger(__name__)

HUNG_UP: Final = 1000
"""How the PBX closes the socket of a caller who hung up; there is no other message of it."""


class PbxLine:
    """Begins behind MEDIA_START. `protocol`: where it stands then."""

    __slots__ = ("_call_id", "_playing", "_protocol", "_received_bytes", "_refused", "clock")

    def __init__(self, call_id: str, protocol: PbxProtocol) -> None:
        self._call_id = call_id
        self._protocol = protocol
        self._playing = Playing(protocol.format)
        self._received_bytes = 0
        self._refused = False
        self.clock = PbxClock()

    @property
    def violations(self) -> Mapping[ViolationKind, int]:
        return self._protocol.violations

    def receive(self, frame: Frame, call: Hears) -> bool:
        message = self._protocol.receive(frame)
        if isinstance(message, bytes):
            timestamp_ms = self._received_bytes // BYTES_PER_MS
            self._received_bytes += len(message)
            call.media(b2a_base64(message, newline=False).decode("ascii"), message, timestamp_ms)
        else:
            self._told(message, call)
        return True

    def closed(self, code: int, call: Hears) -> None:
        if code == HUNG_UP:
            call.carrier_closed("hangup")
        else:
            call.carrier_closed("lost", f"the PBX closed the media socket with {code}")

    def audio(self, ulaw: bytes) -> Sequence[Frame]:
        return self._playing.audio(ulaw)

    def mark(self, name: str) -> Sequence[Frame]:
        return self._playing.mark(name)

    def clear(self) -> Sequence[Frame]:
        return self._playing.clear()

    def idle(self, now_ms: int) -> Sequence[Frame]:
        return self._playing.idle(now_ms)

    def farewell(self, end: EndCall) -> Sequence[Frame]:
        """The dialplan goes on behind its `Dial`, and asks what comes next."""
        return (goodbye(self._protocol.format),)

    def _told(self, event: wire.Event, call: Hears) -> None:
        match event:
            case wire.MarkProcessed(mark_id):
                _tell(self._playing.processed(mark_id), call)
            case wire.QueueDrained():
                _tell(self._playing.drained(), call)
            case wire.DtmfEnd(digit):
                call.key(digit)
            case wire.MediaXoff():
                self._playing.xoff()
            case wire.MediaXon():
                call.send(self._playing.xon())
            case wire.CommandError() if not self._refused:
                self._refused = True
                fields = {"call": self._call_id}
                _log.warning("the PBX refused a command", extra={"fields": fields})
            case _:
                pass


def goodbye(format_: wire.Format) -> str:
    return wire.command("HANGUP", format_)


def _tell(names: Sequence[str], call: Hears) -> None:
    for name in names:
        call.mark(name)
