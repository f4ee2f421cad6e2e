"""Session descriptions (RFC 4566, RFC 3264): read an offer, choose what both can, answer. Sans-I/O.

What we take is one RTP/AVP audio stream over IPv4 with G.711 in either law, and telephone events
beside it. Every other stream of an offer is declined with port 0, as RFC 3264, section 6, asks for.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Codec: TypeAlias = Literal["PCMU", "PCMA"]
Direction: TypeAlias = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

_STATIC: Final[dict[int, str]] = {0: "PCMU/8000", 8: "PCMA/8000"}
_CODECS: Final[dict[str, Codec]] = {"PCMU/8000": "PCMU", "PCMA/8000": "PCMA"}
_EVENTS: Final = "TELEPHONE-EVENT/8000"
_OURS: Final[dict[Direction, Direction]] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
_LINE: Final = re.compile(r"[a-z]=.*")
_HELD_ADDRESS: Final = "0.0.0.0"
"""Send nothing, said by an address, which is the old way (RFC 3264, section 8.4)."""
_EVERYBODY: Final = ipaddress.IPv4Address("255.255.255.255")
_MOST_TYPE: Final = 127
"""RTP has seven bits for payload types."""
OUR_EVENTS_TYPE: Final = 101
"""The payload type of telephone events where we are the one who offers."""


class NoSdpError(ValueError):
    """The body is no session description at all."""


class NotAcceptableError(ValueError):
    """A session description without anything that we can do."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What an offer and we have in common."""

    host: str
    """Where the peer wants its RTP: an IPv4 address."""
    port: int
    codec: Codec
    audio_type: int
    """The payload type of the codec."""
    events_type: int | None
    """The payload type of telephone events, None where the peer has none."""
    direction: Direction
    """From our side: "sendrecv" is a normal call."""
    others: tuple[tuple[int, Codec], ...] = ()
    """Payload types and codecs that the peer named beside it: it may change to them at any time
    (RFC 3264, section 7)."""

    @property
    def held(self) -> bool:
        """The peer put us on hold: it wants to hear nothing."""
        return self.direction in ("recvonly", "inactive")

    @property
    def sends(self) -> bool:
        """The peer is to send sound."""
        return self.direction in ("sendrecv", "recvonly")


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer that has been read, with what is needed to answer it."""

    agreed: Agreed
    media: tuple[str, ...]
    """All m= lines without the "m="."""
    chosen: int
    """Which of them is ours."""


@dataclass(slots=True)
class _Stream:
    line: str
    host: str
    direction: Direction
    maps: dict[int, str] = field(default_factory=dict)


def read_offer(text: str, codecs: tuple[Codec, ...] = ("PCMU", "PCMA")) -> Offer:
    """Read an offer or an answer. Raises `NoSdpError` and `NotAcceptableError`."""
    lines = [line for line in text.replace("\r", "\n").split("\n") if line]
    if not lines or lines[0] != "v=0" or not all(_LINE.match(line) for line in lines):
        raise NoSdpError("expected lines like v=0 and m=audio ..., got something else")
    streams = _streams(lines)
    problems = []
    for number, stream in enumerate(streams):
        try:
            agreed = _agreed(stream, codecs)
        except NotAcceptableError as error:
            problems.append(str(error))
        else:
            return Offer(agreed, tuple(each.line for each in streams), number)
    raise NotAcceptableError("; ".join(problems) or "expected an m=audio line, got none")


def _streams(lines: list[str]) -> list[_Stream]:
    host, direction = "", _OURS["sendrecv"]
    streams: list[_Stream] = []
    for line in lines:
        kind, value = line[0], line[2:].strip()
        if kind == "m":
            streams.append(_Stream(value, host, direction))
        elif kind == "c":
            host = _set_host(streams, value.rpartition(" ")[2].partition("/")[0], host)
        elif kind == "a" and value in _OURS:
            direction = _set_direction(streams, value, direction)
        elif kind == "a" and value.startswith("rtpmap:") and streams:
            _set_map(streams[-1], value.removeprefix("rtpmap:"))
    return streams


def _set_host(streams: list[_Stream], host: str, common: str) -> str:
    if streams:
        streams[-1].host = host
        return common
    return host


def _set_direction(streams: list[_Stream], value: str, common: Direction) -> Direction:
    told: Direction = next(each for each in _OURS if each == value)
    if streams:
        streams[-1].direction = told
        return common
    return told


def _set_map(stream: _Stream, value: str) -> None:
    number, _, encoding = value.partition(" ")
    if (kind := _number(number)) is not None:
        name = encoding.strip().upper().split("/")
        stream.maps[kind] = "/".join(name[:2])


def _number(word: str) -> int | None:
    """A port or a payload type. Python refuses to read numbers of thousands of digits."""
    return int(word) if word.isascii() and word.isdecimal() and len(word) <= 5 else None


def _agreed(stream: _Stream, codecs: tuple[Codec, ...]) -> Agreed:
    words = stream.line.split()
    if len(words) < 4 or words[0] != "audio" or words[2] != "RTP/AVP":
        raise NotAcceptableError("expected plain RTP audio (m=audio PORT RTP/AVP ...)")
    port = _number(words[1]) or 0
    if not 0 < port < 65_536:
        raise NotAcceptableError("expected a port from 1 to 65535 for the audio")
    types = [
        kind for word in words[3:] if (kind := _number(word)) is not None and kind <= _MOST_TYPE
    ]
    names = {kind: stream.maps.get(kind, _STATIC.get(kind, "")) for kind in types}
    sounds = [(kind, codec) for kind in types if (codec := _CODECS.get(names[kind])) in codecs]
    if not sounds:
        raise NotAcceptableError(f"expected one of the codecs {', '.join(codecs)}")
    (audio, codec), *others = sounds
    events = next((kind for kind in types if names[kind] == _EVENTS), None)
    host, direction = _ipv4(stream.host), _OURS[stream.direction]
    if host == _HELD_ADDRESS:
        direction = "inactive" if direction in ("sendonly", "inactive") else "recvonly"
    return Agreed(host, port, codec, audio, events, direction, tuple(others))


def _ipv4(host: str) -> str:
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError as error:
        raise NotAcceptableError("expected an IPv4 address in c=") from error
    if address.is_multicast or address == _EVERYBODY:
        raise NotAcceptableError("expected the IPv4 address of one machine in c=")
    return str(address)


@dataclass(frozen=True, slots=True)
class Ours:
    """Our side of a session. `version` grows with every description that differs."""

    host: str
    port: int
    session_id: int
    version: int


def answer(offer: Offer, ours: Ours) -> str:
    """Our answer: the chosen stream, and port 0 for all others."""
    lines = _head(ours)
    for number, line in enumerate(offer.media):
        if number == offer.chosen:
            lines += _audio(ours, offer.agreed)
        else:
            words = line.split()
            protocol = words[2] if len(words) > 2 else "RTP/AVP"
            lines.append(f"m={words[0] if words else 'audio'} 0 {protocol} {' '.join(words[3:4])}")
    return "\r\n".join(lines) + "\r\n"


def own_offer(ours: Ours, codecs: tuple[Codec, ...] = ("PCMU", "PCMA")) -> str:
    """What we offer where the peer wants to hear it from us (an INVITE without a body)."""
    numbers = {codec: kind for kind, name in _STATIC.items() for codec in [_CODECS[name]]}
    types = [numbers[codec] for codec in codecs]
    listed = " ".join(str(kind) for kind in [*types, OUR_EVENTS_TYPE])
    lines = [*_head(ours), f"m=audio {ours.port} RTP/AVP {listed}"]
    lines += [f"a=rtpmap:{kind} {_STATIC[kind]}" for kind in types]
    lines += [*_events(OUR_EVENTS_TYPE), "a=ptime:20", "a=sendrecv"]
    return "\r\n".join(lines) + "\r\n"


def _head(ours: Ours) -> list[str]:
    return [
        "v=0",
        f"o=- {ours.session_id} {ours.version} IN IP4 {ours.host}",
        "s=-",
        f"c=IN IP4 {ours.host}",
        "t=0 0",
    ]


def _audio(ours: Ours, agreed: Agreed) -> list[str]:
    events = agreed.events_type
    listed = f"{agreed.audio_type}" + (f" {events}" if events is not None else "")
    lines = [f"m=audio {ours.port} RTP/AVP {listed}"]
    lines.append(f"a=rtpmap:{agreed.audio_type} {agreed.codec}/8000")
    if events is not None:
        lines += _events(events)
    return [*lines, "a=ptime:20", f"a={agreed.direction}"]


def _events(kind: int) -> list[str]:
    return [f"a=rtpmap:{kind} telephone-event/8000", f"a=fmtp:{kind} 0-15"]
