"""Invariant: an offer with plain G.711 over IPv4 is answered with one codec of its own, in its
payload types and with all its streams; any other is refused by the right one of two errors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sip_line.sdp import (
    Codec,
    Direction,
    NoSdpError,
    NotAcceptableError,
    Ours,
    answer,
    own_offer,
    read_offer,
)

OURS = Ours("192.0.2.1", 10_000, 7, 1)


def offer(*media: str, host: str = "192.0.2.9", session: tuple[str, ...] = ()) -> str:
    lines = ["v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", f"c=IN IP4 {host}", "t=0 0", *session]
    return "\r\n".join([*lines, *media]) + "\r\n"


@pytest.mark.parametrize(
    ("types", "codec", "audio_type"),
    [("0", "PCMU", 0), ("8", "PCMA", 8), ("8 0", "PCMA", 8), ("3 18 0 8", "PCMU", 0)],
)
def test_the_first_codec_that_both_have(types: str, codec: Codec, audio_type: int) -> None:
    agreed = read_offer(offer(f"m=audio 4000 RTP/AVP {types}")).agreed
    assert (agreed.codec, agreed.audio_type) == (codec, audio_type)
    assert (agreed.host, agreed.port, agreed.events_type) == ("192.0.2.9", 4000, None)


def test_all_codecs_that_both_have_are_known() -> None:
    lines = ("m=audio 4000 RTP/AVP 18 8 0 97", "a=rtpmap:97 PCMU/8000")
    agreed = read_offer(offer(*lines)).agreed
    assert (agreed.audio_type, agreed.others) == (8, ((0, "PCMU"), (97, "PCMU")))
    assert read_offer(offer(*lines), ("PCMA",)).agreed.others == ()


def test_codecs_that_are_not_wanted_are_passed_over() -> None:
    assert read_offer(offer("m=audio 4000 RTP/AVP 0 8"), ("PCMA",)).agreed.codec == "PCMA"


def test_numbers_of_dynamic_types_are_kept() -> None:
    lines = ("m=audio 4000 RTP/AVP 97 110", "a=rtpmap:97 pcma/8000/1")
    read = read_offer(offer(*lines, "a=rtpmap:110 telephone-event/8000"))
    assert (read.agreed.codec, read.agreed.audio_type, read.agreed.events_type) == ("PCMA", 97, 110)
    told = answer(read, OURS)
    assert "m=audio 10000 RTP/AVP 97 110\r\n" in told
    assert "a=rtpmap:97 PCMA/8000\r\n" in told
    assert "a=fmtp:110 0-15\r\n" in told


@pytest.mark.parametrize(
    ("theirs", "ours", "held"),
    [
        ("sendrecv", "sendrecv", False),
        ("sendonly", "recvonly", True),
        ("recvonly", "sendonly", False),
        ("inactive", "inactive", True),
    ],
)
@pytest.mark.parametrize("of_session", [True, False])
def test_directions_are_mirrored(
    theirs: str, ours: Direction, held: bool, of_session: bool
) -> None:
    line = (f"a={theirs}",)
    media = ("m=audio 4000 RTP/AVP 0", *(() if of_session else line))
    read = read_offer(offer(*media, session=line if of_session else ()))
    assert (read.agreed.direction, read.agreed.held) == (ours, held)
    assert f"a={ours}\r\n" in answer(read, OURS)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sendrecv", "recvonly"), ("recvonly", "inactive"), ("inactive", "inactive")],
)
def test_the_old_hold_by_address_is_one(theirs: str, ours: Direction) -> None:
    read = read_offer(offer("m=audio 4000 RTP/AVP 0", f"a={theirs}", host="0.0.0.0"))
    assert (read.agreed.direction, read.agreed.held) == (ours, True)


def test_every_stream_is_answered_and_only_one_taken() -> None:
    streams = ("m=video 5000 RTP/AVP 96", "m=audio 5002 RTP/SAVP 0", "m=audio 4000 RTP/AVP 0")
    lines = answer(read_offer(offer(*streams)), OURS).split("\r\n")
    assert [line for line in lines if line.startswith("m=")] == [
        "m=video 0 RTP/AVP 96",
        "m=audio 0 RTP/SAVP 0",
        "m=audio 10000 RTP/AVP 0",
    ]


def test_an_address_of_the_stream_goes_before_that_of_the_session() -> None:
    read = read_offer(offer("m=audio 4000 RTP/AVP 0", "c=IN IP4 198.51.100.4"))
    assert read.agreed.host == "198.51.100.4"


@pytest.mark.parametrize("text", ["", "hello", "{}", "m=audio 1 RTP/AVP 0", "v=0\r\nhello"])
def test_what_is_no_description_is_called_so(text: str) -> None:
    with pytest.raises(NoSdpError):
        read_offer(text)


@pytest.mark.parametrize(
    ("media", "told"),
    [
        ("m=audio 4000 RTP/AVP 18 3", "codecs PCMU, PCMA"),
        ("m=audio 0 RTP/AVP 0", "port from 1"),
        ("m=audio 99999 RTP/AVP 0", "port from 1"),
        (f"m=audio {'9' * 5_000} RTP/AVP 0", "port from 1"),
        ("m=audio 4000 RTP/AVP 128\r\na=rtpmap:128 PCMU/8000", "codecs PCMU, PCMA"),
        (f"m=audio 4000 RTP/AVP {'9' * 5_000}", "codecs PCMU, PCMA"),
        ("m=audio 4000 RTP/SAVP 0", "plain RTP audio"),
        ("m=audio", "plain RTP audio"),
        ("m=video 4000 RTP/AVP 96", "plain RTP audio"),
        ("m=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1", "IPv4"),
        ("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 224.0.0.1/127", "one machine"),
        ("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 255.255.255.255", "one machine"),
        ("a=nothing", "m=audio line, got none"),
    ],
)
def test_what_cannot_be_done_says_why(media: str, told: str) -> None:
    with pytest.raises(NotAcceptableError, match=told):
        read_offer(offer(media))


@given(st.text(max_size=200))
def test_no_text_does_more_than_raise(text: str) -> None:
    for each in (text, "v=0\n" + text, offer("m=audio 4000 RTP/AVP 0", text)):
        try:
            read_offer(each)
        except (NoSdpError, NotAcceptableError):
            continue


@given(st.permutations(["PCMU", "PCMA"]), st.integers(1, 2))
def test_our_own_offer_can_be_answered(codecs: list[Codec], count: int) -> None:
    chosen = tuple(codecs[:count])
    agreed = read_offer(own_offer(OURS, chosen)).agreed
    assert (agreed.codec, agreed.host, agreed.port) == (chosen[0], OURS.host, OURS.port)
    assert agreed.events_type == 101
