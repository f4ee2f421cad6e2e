"""The RTP of one call: a UDP socket, jitter buffer and keys inwards, paced frames outwards."""

import asyncio
import secrets
import socket
from collections.abc import Callable
from typing import Final, cast

from app.sip_line.concealing import SILENT_FRAME
from app.sip_line.jitter import Delay, JitterBuffer
from app.sip_line.keys import SILENT_MS, KeyEvents
from app.sip_line.rtp import RtpError, RtpPacket, parse_rtp
from app.sip_line.sdp import Agreed, Codec
from telecodecs import FRAME_BYTES, FRAME_MS, alaw_to_ulaw, ulaw_to_alaw

PORT_TRIES: Final = 200
LONGEST_PAYLOAD_BYTES: Final = 1_600
"""200 ms of G.711: more in a packet is no telephone."""


class NoPortError(OSError):
    """All RTP ports that were tried are taken, or the process may open no more sockets."""


def rtp_socket(host: str, ports: tuple[int, int]) -> socket.socket:
    """A bound socket on an even port of the range (RFC 3550, section 11). Raises `NoPortError`."""
    first = ports[0] + ports[0] % 2
    count = (ports[1] - first) // 2 + 1
    for _ in range(PORT_TRIES):
        try:
            bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        except OSError as error:
            raise NoPortError(f"no socket for RTP ({error.strerror})") from error
        bound.setblocking(False)
        try:
            bound.bind((host, first + 2 * secrets.randbelow(count)))
        except OSError:
            bound.close()
        else:
            return bound
    raise NoPortError(f"no free RTP port in {ports[0]}-{ports[1]} after {PORT_TRIES} tries")


class RtpMedia(asyncio.DatagramProtocol):
    """`tick` is called every 20 ms and gives what came from the caller."""

    def __init__(self, next_frame: Callable[[], bytes | None], delay: Delay) -> None:
        """`next_frame` gives the frame that is due for the caller, None for silence."""
        self._next_frame = next_frame
        self._transport: asyncio.DatagramTransport | None = None
        self._agreed: Agreed | None = None
        self._trusted: frozenset[str] = frozenset()
        self._codecs: dict[int, Codec] = {}
        """Of the payload types that are sound."""
        self.jitter = JitterBuffer(delay)
        self._keys = KeyEvents()
        self._pressed = ""
        self._sound_ssrc: int | None = None
        self._keys_ssrc: int | None = None
        """Some gateways send keys as a source of their own."""
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(15)
        self._zero_timestamp = secrets.randbits(32)
        self._marker = True
        self._tick = 0
        self.last_heard_tick = 0

    async def open(self, bound: socket.socket) -> None:
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=bound)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def agree(self, agreed: Agreed, signalling_host: str) -> None:
        """What was negotiated, also anew. RTP is taken from the peer's two addresses only."""
        if self._agreed is None or self._agreed.held != agreed.held:
            self._marker = True
        self._agreed = agreed
        self._trusted = frozenset((agreed.host, signalling_host))
        self._codecs = {**dict(agreed.others), agreed.audio_type: agreed.codec}
        self.last_heard_tick = self._tick

    @property
    def agreed(self) -> bool:
        """Whether it is known where the peer wants its sound."""
        return self._agreed is not None

    @property
    def held(self) -> bool:
        return self._agreed is not None and self._agreed.held

    @property
    def silent_ms(self) -> int:
        """For so long no RTP came, where some was to come."""
        if self._agreed is not None and not self._agreed.sends:
            return 0
        return (self._tick - self.last_heard_tick) * FRAME_MS

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        agreed = self._agreed
        if agreed is None or addr[0] not in self._trusted:
            return
        try:
            packet = parse_rtp(data)
        except RtpError:
            return
        self._take(packet, agreed)

    def _take(self, packet: RtpPacket, agreed: Agreed) -> None:
        self.last_heard_tick = self._tick
        if packet.payload_type == agreed.events_type:
            self._take_event(packet)
            return
        codec = self._codecs.get(packet.payload_type)
        if codec and not agreed.held and len(packet.payload) <= LONGEST_PAYLOAD_BYTES:
            if packet.ssrc != self._sound_ssrc:
                self._sound_ssrc = packet.ssrc
                self.jitter.restart()
            sound = packet.payload if codec == "PCMU" else alaw_to_ulaw(packet.payload)
            self.jitter.put(packet.timestamp, sound)

    def _take_event(self, packet: RtpPacket) -> None:
        now_ms = self._tick * FRAME_MS
        if packet.ssrc != self._keys_ssrc:
            self._keys_ssrc = packet.ssrc
            self._pressed += self._keys.tick(now_ms + SILENT_MS)  # whose end will not come any more
            self._keys = KeyEvents()
        self._pressed += self._keys.put(packet.timestamp, packet.payload, now_ms)

    def tick(self, number: int) -> tuple[bytes | None, str]:
        """Play a frame to the caller; the frame that came from there, if any, and keys pressed."""
        self._tick = number
        if self.agreed and not self.held:
            self._play(self._next_frame() or SILENT_FRAME)
        heard = self.jitter.pop()
        pressed = self._pressed + self._keys.tick(number * FRAME_MS)
        self._pressed = ""
        return heard, pressed

    def _play(self, frame: bytes) -> None:
        agreed = self._agreed
        if agreed is None or self._transport is None or self._transport.is_closing():
            return
        packet = RtpPacket(
            agreed.audio_type,
            self._sequence,
            (self._zero_timestamp + self._tick * FRAME_BYTES) & 0xFFFF_FFFF,
            self._ssrc,
            frame if agreed.codec == "PCMU" else ulaw_to_alaw(frame),
            self._marker,
        )
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._marker = False
        self._transport.sendto(packet.encoded(), (agreed.host, agreed.port))
