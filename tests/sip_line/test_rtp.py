"""Invariant: an RTP packet survives the way to bytes and back; no datagram does more than raise
`RtpError`; and wrapping numbers lie on one axis in the order in which they were meant."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sip_line.rtp import RtpError, RtpPacket, Unwrapped, parse_rtp

WORDS = st.integers(0, 2**32 - 1)
PACKETS = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 2**16 - 1),
    timestamp=WORDS,
    ssrc=WORDS,
    payload=st.binary(max_size=200),
    marker=st.booleans(),
)


@given(PACKETS)
def test_a_packet_comes_back_as_it_was(packet: RtpPacket) -> None:
    assert parse_rtp(packet.encoded()) == packet


@given(PACKETS, st.lists(WORDS, max_size=15), st.integers(1, 9), st.lists(WORDS, max_size=4))
def test_sources_extension_and_padding_are_left_away(
    packet: RtpPacket, sources: list[int], padding_bytes: int, extension: list[int]
) -> None:
    plain = packet.encoded()
    first = 0x80 | 0x20 | 0x10 | len(sources)
    listed = b"".join(struct.pack("!I", source) for source in sources)
    words = b"".join(struct.pack("!I", word) for word in extension)
    extended = struct.pack("!HH", 0xBEDE, len(extension)) + words
    padding = bytes(padding_bytes - 1) + bytes([padding_bytes])
    dressed = bytes([first]) + plain[1:12] + listed + extended + packet.payload + padding
    assert parse_rtp(dressed) == packet


@given(st.binary(max_size=64))
def test_no_datagram_does_more_than_raise(datagram: bytes) -> None:
    try:
        packet = parse_rtp(datagram)
    except RtpError:
        return
    assert len(packet.payload) <= len(datagram) - 12


@pytest.mark.parametrize(
    ("datagram", "told"),
    [
        (b"", "12 bytes, got 0"),
        (bytes(12), "version 2, got 0"),
        (b"\x81" + bytes(11), "after 16 bytes"),
        (b"\x90" + bytes(11), "extension at byte 12"),
        (b"\xa0" + bytes(12), "count of 0"),
        (b"\xa0" + bytes(11) + b"\x09", "after 12 bytes"),
    ],
)
def test_an_error_says_what_came(datagram: bytes, told: str) -> None:
    with pytest.raises(RtpError, match=told):
        parse_rtp(datagram)


@given(WORDS, st.lists(st.integers(-(2**31) + 1, 2**31 - 1)))
def test_numbers_that_wrap_keep_their_distances(first: int, steps: list[int]) -> None:
    axis, place = Unwrapped(), first
    assert axis.of(first) == first
    for step in steps:
        place += step
        assert axis.of(place % 2**32) == place
