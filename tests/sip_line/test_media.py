"""Invariant: RTP goes to whom the SDP named and comes from nobody else, in the law and the payload
types that were agreed; a hold stops the sending and the hearing, and nothing else."""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.lab.speech.coded import coded_audio
from app.sip_line.jitter import Delay
from app.sip_line.media import NoPortError, RtpMedia, rtp_socket
from app.sip_line.rtp import RtpPacket, parse_rtp
from app.sip_line.sdp import Agreed
from telecodecs import ULAW_SILENCE, alaw_to_ulaw, ulaw_to_alaw

HERE = "127.0.0.1"
ELSEWHERE = "127.0.0.77"
"""An address of this machine at which no other test binds."""
FRAME = coded_audio(3, 0, 20, quiet=False)


class Line:
    """A media side and its peer's socket; `tick` by hand."""

    def __init__(self) -> None:
        self.peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.peer.bind((HERE, 0))
        self.peer.setblocking(False)
        self.queued: list[bytes] = []
        self.media = RtpMedia(self.next_frame, Delay(first_ms=0))
        port = self.peer.getsockname()[1]
        self.agreed = Agreed(HERE, port, "PCMU", 0, 101, "sendrecv")
        self.media.agree(self.agreed, HERE)

    def next_frame(self) -> bytes | None:
        return self.queued.pop(0) if self.queued else None

    def sent(self) -> list[RtpPacket]:
        packets = []
        while True:
            try:
                packets.append(parse_rtp(self.peer.recv(2_000)))
            except BlockingIOError:
                return packets

    def come(self, payload: bytes, kind: int = 0, timestamp: int = 0, ssrc: int = 1) -> None:
        packet = RtpPacket(kind, 0, timestamp, ssrc, payload)
        self.media.datagram_received(packet.encoded(), (HERE, 9))


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    made = Line()
    await made.media.open(rtp_socket(HERE, (20_000, 29_999)))
    yield made
    made.media.close()
    made.peer.close()


async def test_a_frame_each_period_silence_where_there_is_none(line: Line) -> None:
    line.queued = [FRAME]
    for number in (1, 2, 4):  # the third was given up in a stall
        line.media.tick(number)
    await asyncio.sleep(0.05)
    packets = line.sent()
    assert [packet.payload for packet in packets] == [FRAME, *[ULAW_SILENCE * 160] * 2]
    steps = [packet.timestamp - packets[0].timestamp for packet in packets]
    assert [step % 2**32 for step in steps] == [0, 160, 480]
    assert [packet.marker for packet in packets] == [True, False, False]


async def test_while_held_nothing_goes_and_nothing_is_lost(line: Line) -> None:
    line.queued = [FRAME]
    line.media.agree(replace(line.agreed, direction="recvonly"), HERE)
    line.come(FRAME)
    assert line.media.tick(1) == (None, "")
    await asyncio.sleep(0.05)
    assert line.sent() == []
    line.media.agree(line.agreed, HERE)
    line.media.tick(2)
    await asyncio.sleep(0.05)
    [packet] = line.sent()
    assert (packet.payload, packet.marker) == (FRAME, True)


async def test_only_agreed_types_from_agreed_addresses_are_heard(line: Line) -> None:
    line.come(FRAME, kind=8)
    line.media.datagram_received(RtpPacket(0, 0, 0, 1, FRAME).encoded(), ("127.0.0.9", 9))
    line.media.datagram_received(b"no RTP", (HERE, 9))
    line.come(FRAME * 50)
    assert line.media.tick(1) == (None, "")
    line.come(FRAME)
    assert line.media.tick(2) == (FRAME, "")


async def test_the_peer_may_change_to_a_law_that_it_named_too(line: Line) -> None:
    """Who answers our offer with both may send either, from packet to packet."""
    line.media.agree(replace(line.agreed, others=((8, "PCMA"),)), HERE)
    line.come(FRAME)
    line.come(ulaw_to_alaw(FRAME), kind=8, timestamp=160)
    assert line.media.tick(1)[0] == FRAME
    assert line.media.tick(2)[0] == alaw_to_ulaw(ulaw_to_alaw(FRAME))


async def test_a_new_source_begins_anew(line: Line) -> None:
    line.come(FRAME, timestamp=10**6)
    assert line.media.tick(1) == (FRAME, "")
    line.come(FRAME, timestamp=5, ssrc=2)
    assert line.media.tick(2) == (FRAME, "")
    line.come(bytes([5, 0x8A, 3, 32]), kind=101, timestamp=5, ssrc=2)
    line.come(bytes([5, 0x8A, 3, 32]), kind=101, timestamp=5, ssrc=3)
    assert line.media.tick(3)[1] == "55"


async def test_keys_from_a_source_of_their_own_disturb_no_sound_and_come_once(line: Line) -> None:
    for n in range(6):
        line.come(FRAME, timestamp=n * 160)
        line.come(bytes([5, 0x8A if n > 2 else 0x0A, 3, 32]), kind=101, timestamp=77, ssrc=2)
    told = [line.media.tick(number) for number in range(6)]
    assert [frame for frame, _ in told] == [FRAME] * 6
    assert "".join(pressed for _, pressed in told) == "5"


async def test_a_key_whose_source_goes_is_not_lost(line: Line) -> None:
    line.come(bytes([5, 0x0A, 3, 32]), kind=101, timestamp=77, ssrc=2)
    line.come(bytes([6, 0x8A, 3, 32]), kind=101, timestamp=5, ssrc=3)
    assert line.media.tick(1)[1] == "56"


async def test_who_only_listens_is_not_missed(line: Line) -> None:
    line.media.agree(replace(line.agreed, direction="sendonly"), HERE)
    line.media.tick(100)
    assert line.media.silent_ms == 0


async def test_silence_is_counted_from_the_last_packet(line: Line) -> None:
    line.media.tick(100)
    assert line.media.silent_ms == 2_000
    line.come(FRAME)
    line.media.tick(110)
    assert line.media.silent_ms == 200


async def test_any_rtp_of_the_peer_is_a_sign_of_life(line: Line) -> None:
    """Comfort noise (RFC 3389) is all that some send while nobody speaks."""
    line.media.tick(100)
    line.come(b"\x40", kind=13)
    assert line.media.silent_ms == 0
    assert line.media.tick(101) == (None, "")


async def test_what_is_said_before_it_is_known_to_whom_waits() -> None:
    """Our offer went with the 200; the answer comes with an ACK, which may be lost."""
    queued = [FRAME]
    media = RtpMedia(queued.pop, Delay(first_ms=0))
    media.tick(1)
    assert queued == [FRAME]


def test_where_no_socket_can_be_had_there_is_no_port() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        with pytest.raises(NoPortError, match="no socket"):
            rtp_socket(HERE, (20_000, 29_999))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_ports_are_even_and_run_out() -> None:
    taken = [rtp_socket(ELSEWHERE, (31_001, 31_005)) for _ in range(2)]
    assert {each.getsockname()[1] for each in taken} == {31_002, 31_004}
    with pytest.raises(NoPortError, match="31001-31005"):
        rtp_socket(ELSEWHERE, (31_001, 31_005))
    for each in taken:
        each.close()
