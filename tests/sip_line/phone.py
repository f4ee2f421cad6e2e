"""The media side of a caller: a UDP socket that sends prepared RTP and keeps what it is sent.

sipp signals, with this socket's port in its SDP; so a test decides over every packet.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import cast

from app.sip_line.keys import KEYS
from app.sip_line.rtp import RtpPacket, parse_rtp
from telecodecs import FRAME_BYTES, FRAME_MS

EVENTS_TYPE = 101
FIRST_TIMESTAMP = 2**32 - 4_000
"""Wraps after half a second."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A packet and when it is sent, from the first packet that came."""

    at_ms: int
    packet: RtpPacket


def packet(n: int, payload: bytes, payload_type: int, *, marker: bool = False) -> RtpPacket:
    timestamp = (FIRST_TIMESTAMP + n * FRAME_BYTES) % 2**32
    return RtpPacket(payload_type, n % 2**16, timestamp, 0xCA11E4, payload, marker)


def speech(sound: bytes, payload_type: int = 0) -> list[Sending]:
    """One packet for each 20 ms of sound."""
    frames = [sound[at : at + FRAME_BYTES] for at in range(0, len(sound), FRAME_BYTES)]
    return [Sending(n * FRAME_MS, packet(n, frame, payload_type)) for n, frame in enumerate(frames)]


def pressed(keys: str, first_frame: int) -> list[Sending]:
    """Keys of 100 ms with 100 ms between them; 50 packets a second each, the end thrice."""
    sent = []
    for number, key in enumerate(keys):
        begin = first_frame + number * 10
        for update in range(1, 8):
            payload = struct.pack(
                "!BBH", KEYS.index(key), 0x80 * (update > 4) | 10, 160 * min(update, 5)
            )
            one = packet(begin, payload, EVENTS_TYPE, marker=update == 1)
            one = replace(one, sequence=begin + update)
            sent.append(Sending((begin + update) * FRAME_MS, one))
    return sent


@dataclass(slots=True)
class Phone(asyncio.DatagramProtocol):
    """Begins to send when it is first sent something."""

    sending: list[Sending]
    received: list[tuple[float, RtpPacket]] = field(default_factory=list)
    _transport: asyncio.DatagramTransport | None = None
    _speaking: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        assert self._transport is not None
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    @property
    def heard(self) -> bytes:
        """All payloads in the order in which they came."""
        return b"".join(packet.payload for _, packet in self.received)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.received.append((asyncio.get_running_loop().time(), parse_rtp(data)))
        if self._speaking is None:
            self._speaking = asyncio.create_task(self._speak(addr))

    async def _speak(self, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        clock = asyncio.get_running_loop().time
        began_s = clock()
        for each in self.sending:
            await asyncio.sleep(max(0.0, began_s + each.at_ms / 1000 - clock()))
            self._transport.sendto(each.packet.encoded(), addr)

    def close(self) -> None:
        if self._speaking is not None:
            self._speaking.cancel()
        if self._transport is not None:
            self._transport.close()


@asynccontextmanager
async def open_phone(sending: list[Sending] | None = None) -> AsyncIterator[Phone]:
    phone = Phone(sorted(sending or [], key=lambda each: each.at_ms))
    await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: phone, local_addr=("127.0.0.1", 0)
    )
    try:
        yield phone
    finally:
        phone.close()
